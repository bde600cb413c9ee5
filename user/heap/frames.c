// SPDX-License-Identifier: Apache-2.0
#include "heap/frames.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"

#define MAX_FRAMES 65536u
#define TABLE_SIZE (2 * MAX_FRAMES)
#define MAX_BYTES  ((size_t)32 << 20)

struct entry {
	uint64_t key; /* pc times two, plus one where panicked; 0: empty */
	struct frame_map *map;
};

struct heap_frames {
	const struct heap_runtime *runtime;
	uint64_t rodata; /* link-time */
	size_t n, bytes;
	struct entry table[TABLE_SIZE]; /* open addressing */
};

int heap_frames__new(const struct heap_runtime *runtime, uint64_t rodata,
		     struct heap_frames **ret_frames)
{
	struct heap_frames *frames = calloc(1, sizeof(*frames));

	if (!frames)
		return -ENOMEM;
	frames->runtime = runtime;
	frames->rodata = rodata ? rodata - runtime->bias : 0;
	*ret_frames = frames;
	return 0;
}

void heap_frames__free(struct heap_frames *frames)
{
	if (!frames)
		return;
	for (size_t i = 0; i < TABLE_SIZE; i++)
		frame_map__free(frames->table[i].map);
	free(frames);
}

static struct frame_map *read_map(struct heap_frames *frames, uint64_t pc, bool panicked)
{
	uint64_t at = pc - frames->runtime->bias, live = at;
	struct pclntab *tab = frames->runtime->tab;
	struct frame_map *map = NULL;

	if (!tab || frame_map__read(tab, at, live, frames->rodata, &map) || !panicked)
		return map;
	/* Where it goes on, and one more, as for a return address (src/runtime/traceback.go). */
	live = map->func.entry + map->deferreturn + 1;
	if (!map->deferreturn || live >= map->func.end) {
		return map; /* whoever asks sees deferreturn, and that it never goes on */
	}
	frame_map__free(map);
	map = NULL;
	return frame_map__read(tab, at, live, frames->rodata, &map) ? NULL : map;
}

const struct frame_map *heap_frames__get(struct heap_frames *frames, uint64_t pc, bool panicked)
{
	uint64_t key = pc << 1 | panicked;
	size_t i = hash__mix64(key) % TABLE_SIZE;
	struct entry *entry;

	if (!key)
		return NULL;
	while (frames->table[i].key && frames->table[i].key != key)
		i = (i + 1) % TABLE_SIZE;
	entry = &frames->table[i];
	if (entry->key)
		return entry->map;
	if (frames->n == MAX_FRAMES || frames->bytes >= MAX_BYTES)
		return NULL;
	entry->key = key;
	entry->map = read_map(frames, pc, panicked);
	frames->n++;
	if (entry->map)
		frames->bytes += frame_map__bytes(entry->map);
	return entry->map;
}
