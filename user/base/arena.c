// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK ((size_t)64 << 10)
#define ALIGN ((size_t)16)

struct arena_block {
	struct arena_block *next;
	size_t size;
	_Alignas(16) char bytes[];
};

static void *new_block(struct arena *arena, size_t size)
{
	struct arena_block *block = calloc(1, sizeof(*block) + size);

	if (!block) {
		arena->failed = true;
		return NULL;
	}
	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->used = 0;
	arena->bytes += size;
	return block;
}

void *arena__take(struct arena *arena, size_t n, size_t size)
{
	size_t bytes;
	void *taken;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2) {
		arena->failed = true;
		return NULL;
	}
	bytes = (bytes + ALIGN - 1) & ~(ALIGN - 1);
	if ((!arena->blocks || arena->used + bytes > arena->blocks->size) &&
	    !new_block(arena, max_of(bytes, BLOCK)))
		return NULL;
	taken = arena->blocks->bytes + arena->used;
	arena->used += bytes;
	return taken;
}

const char *arena__text(struct arena *arena, const char *text)
{
	size_t size = text ? strlen(text) + 1 : 0;
	char *copy = size > 1 ? arena__take(arena, size, 1) : NULL;

	if (!copy)
		return "";
	memcpy(copy, text, size);
	return copy;
}

void arena__release(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
	*arena = (struct arena){0};
}
