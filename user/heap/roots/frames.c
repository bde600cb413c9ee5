// SPDX-License-Identifier: Apache-2.0
#include "heap/roots/frames.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"

#define MAX_FRAMES 65536u
#define MAX_BYTES  ((size_t)32 << 20)

struct entry {
	uint64_t key;	       /* pc times two, plus one where panicked */
	struct frame_map *map; /* NULL: there is none */
};

struct heap_frames {
	const struct heap_runtime *runtime;
	uint64_t rodata; /* link-time */
	struct index *by_key;
	struct entry *all;
	size_t n, capacity, bytes;
};

int heap_frames__new(const struct heap_runtime *runtime, uint64_t rodata,
		     struct heap_frames **ret_frames)
{
	struct heap_frames *frames = calloc(1, sizeof(*frames));

	if (!frames)
		return -ENOMEM;
	if (index__new(MAX_FRAMES, &frames->by_key)) {
		free(frames);
		return -ENOMEM;
	}
	frames->runtime = runtime;
	frames->rodata = rodata ? rodata - runtime->bias : 0;
	*ret_frames = frames;
	return 0;
}

void heap_frames__free(struct heap_frames *frames)
{
	if (!frames)
		return;
	for (size_t i = 0; i < frames->n; i++)
		frame_map__free(frames->all[i].map);
	free(frames->all);
	index__free(frames->by_key);
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
	uint64_t key = pc << 1 | panicked, hash = hash__keyed_word(key);
	struct index_search search = index__search(frames->by_key, hash);
	struct frame_map *map;

	while (index__next(&search)) {
		if (frames->all[search.number].key == key)
			return frames->all[search.number].map;
	}
	if (frames->bytes >= MAX_BYTES ||
	    !array__reserve(frames->all, frames->capacity, frames->n + 1) ||
	    index__add(frames->by_key, hash, (uint32_t)frames->n))
		return NULL;
	map = read_map(frames, pc, panicked);
	frames->all[frames->n++] = (struct entry){key, map};
	if (map)
		frames->bytes += frame_map__bytes(map);
	return map;
}
