// SPDX-License-Identifier: Apache-2.0
/* Where the parts of a frame are: heap/roots/stack_scan.c. */
#include "heap/roots/frame_words.h"

#include "base/bytes.h"

#define WORD	   8u
#define MAX_FRAMES 256

struct walk {
	const uint8_t *stack;
	uint64_t from, to; /* of what was copied */
	bool uses_lr;
	uint64_t pc, sp, lr;
	uint64_t fp, varp, argp;
	const struct frame_map *map;
	struct frame_words *words;
};

static bool in_copy(const struct walk *walk, uint64_t address)
{
	return address >= walk->from && address <= walk->to && walk->to - address >= WORD;
}

static uint64_t load(const struct walk *walk, uint64_t address)
{
	return bytes__u64(walk->stack, (size_t)(address - walk->from));
}

/* @bits says which of @n words are pointers; NULL: each may be one. */
static void add_words(struct walk *walk, uint64_t start, uint64_t n, const struct frame_bits *bits,
		      unsigned int does)
{
	struct frame_words *words = walk->words;

	for (uint64_t i = 0; i < n && words->n < FRAME_WORDS_MAX; i++) {
		uint64_t at = start + i * WORD;

		if (!in_copy(walk, at))
			return;
		if (bits && !frame_bits__at(bits, (uint32_t)i))
			continue;
		words->all[words->n].value = load(walk, at);
		words->all[words->n++].does = does;
	}
}

static void add_frame(struct walk *walk, unsigned int does)
{
	const struct frame_map *map = walk->map;

	if (!map->maps_known)
		return;
	if (map->locals.n && walk->varp > walk->sp &&
	    (uint64_t)map->locals.n * WORD <= walk->varp - walk->sp)
		add_words(walk, walk->varp - (uint64_t)map->locals.n * WORD, map->locals.n,
			  &map->locals, does);
	if (!map->args_dynamic)
		add_words(walk, walk->argp, map->args.n, &map->args, does);
	/* Variables whose address was taken, such as what a deferred call is given. */
	for (size_t i = 0; i < map->n_objects; i++) {
		const struct frame_object *object = &map->objects[i];
		uint64_t base = object->offset < 0 ? walk->varp : walk->argp;
		uint64_t start = base + (uint64_t)(int64_t)object->offset;

		if (start >= walk->sp && start % WORD == 0)
			add_words(walk, start, object->pointer_size / WORD, NULL, does);
	}
}

/* Bounds of the frame and its return address. False: this is no frame. */
static bool resolve(struct walk *walk)
{
	const struct frame_map *map = walk->map;
	uint64_t ret;

	if (map->sp_delta < 0 || map->sp_delta % WORD || walk->sp % WORD)
		return false;
	walk->fp = walk->sp + (uint32_t)map->sp_delta + (walk->uses_lr ? 0 : WORD);
	if (walk->fp < walk->sp || walk->fp > walk->to)
		return false;
	ret = walk->uses_lr ? walk->sp : walk->fp - WORD;
	if (map->func.flag & FUNC_FLAG_TOP_FRAME)
		walk->lr = 0;
	else if (!walk->uses_lr || walk->sp < walk->fp || !walk->lr)
		walk->lr = in_copy(walk, ret) ? load(walk, ret) : 0;
	walk->varp = walk->fp - (walk->uses_lr ? 0 : WORD);
	if (walk->varp > walk->sp)
		walk->varp -= WORD;
	walk->argp = walk->fp + (walk->uses_lr ? WORD : 0);
	return true;
}

void frame_words__read(const struct heap_runtime *runtime, struct heap_frames *frames,
		       struct lock_code *code, const struct heap_g *g, const uint8_t *stack,
		       size_t size, struct frame_words *ret_words)
{
	struct walk walk = {
		.stack = stack,
		.from = g->sp,
		.to = g->sp + size,
		.uses_lr = runtime->arch->uses_lr,
		.pc = g->pc,
		.sp = g->sp,
		.lr = runtime->arch->uses_lr ? g->lr : 0,
		.words = ret_words,
	};

	ret_words->n = 0;
	for (unsigned int i = 0; i < MAX_FRAMES; i++) {
		unsigned int does;

		walk.map = heap_frames__get(frames, walk.pc, false);
		if (!walk.map || !resolve(&walk))
			return;
		does = lock_code__of_function(code, &walk.map->func);
		if (does)
			add_frame(&walk, does);
		if (!walk.lr)
			return;
		walk.pc = walk.lr;
		walk.sp = walk.fp;
		walk.lr = 0;
	}
}
