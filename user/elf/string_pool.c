// SPDX-License-Identifier: Apache-2.0
/*
 * Text is appended to chunks, which are never moved; an open-addressing table of pointers into them
 * finds the copy of a string. The table is at most half full.
 */
#include "elf/string_pool.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define CHUNK_SIZE  ((size_t)32 * 1024)
#define MAX_LENGTH  ((size_t)1023) /* of one string; longer ones are cut */
#define FIRST_SLOTS 256

struct chunk {
	struct chunk *next;
	size_t used;
	char text[CHUNK_SIZE];
};

struct string_pool {
	size_t max_bytes;
	size_t used;
	struct chunk *chunks; /* the newest first; only that one is appended to */
	const char **slots;
	size_t n_slots; /* a power of two */
	size_t n_strings;
};

int string_pool__new(size_t max_bytes, struct string_pool **ret_pool)
{
	struct string_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	pool->max_bytes = max_bytes;
	pool->n_slots = FIRST_SLOTS;
	pool->slots = calloc(pool->n_slots, sizeof(*pool->slots));
	if (!pool->slots) {
		free(pool);
		return -ENOMEM;
	}
	*ret_pool = pool;
	return 0;
}

void string_pool__free(struct string_pool *pool)
{
	if (!pool)
		return;
	while (pool->chunks) {
		struct chunk *next = pool->chunks->next;

		free(pool->chunks);
		pool->chunks = next;
	}
	free(pool->slots);
	free(pool);
}

size_t string_pool__used(const struct string_pool *pool)
{
	return pool->used;
}

/* The slot that holds @text, or the empty one where it belongs. */
static const char **find_slot(const char **slots, size_t n_slots, const char *text, size_t length)
{
	size_t i = hash__mix64(hash__bytes(HASH_FNV_BASIS, text, length)) & (n_slots - 1);

	while (slots[i] && strcmp(slots[i], text) != 0)
		i = (i + 1) & (n_slots - 1);
	return &slots[i];
}

static int grow_table(struct string_pool *pool)
{
	size_t n = pool->n_slots * 2;
	const char **slots = calloc(n, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < pool->n_slots; i++) {
		const char *text = pool->slots[i];

		if (text)
			*find_slot(slots, n, text, strlen(text)) = text;
	}
	free(pool->slots);
	pool->slots = slots;
	pool->n_slots = n;
	return 0;
}

/* Room for @size bytes; NULL when that is too much. */
static char *take_room(struct string_pool *pool, size_t size)
{
	struct chunk *chunk = pool->chunks;
	char *room;

	if (size > pool->max_bytes - pool->used)
		return NULL;
	if (!chunk || size > CHUNK_SIZE - chunk->used) {
		chunk = malloc(sizeof(*chunk));
		if (!chunk)
			return NULL;
		chunk->used = 0;
		chunk->next = pool->chunks;
		pool->chunks = chunk;
	}
	room = chunk->text + chunk->used;
	chunk->used += size;
	pool->used += size;
	return room;
}

const char *string_pool__intern(struct string_pool *pool, const char *text)
{
	char clean[MAX_LENGTH + 1];
	size_t length = strnlen(text, MAX_LENGTH);
	const char **slot;
	char *copy;

	for (size_t i = 0; i < length; i++)
		clean[i] = iscntrl((unsigned char)text[i]) ? '?' : text[i];
	clean[length] = '\0';

	slot = find_slot(pool->slots, pool->n_slots, clean, length);
	if (*slot)
		return *slot;
	if (pool->n_strings >= pool->n_slots / 2) {
		if (grow_table(pool))
			return NULL;
		slot = find_slot(pool->slots, pool->n_slots, clean, length);
	}
	copy = take_room(pool, length + 1);
	if (!copy)
		return NULL;
	memcpy(copy, clean, length + 1);
	*slot = copy;
	pool->n_strings++;
	return copy;
}
