// SPDX-License-Identifier: Apache-2.0
/* Text is appended to chunks, which are never moved; the list of strings points into them. */
#include "elf/string_pool.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"

#define CHUNK_SIZE ((size_t)32 * 1024)
#define MAX_LENGTH ((size_t)1023) /* of one string; longer ones are cut */

struct chunk {
	struct chunk *next;
	size_t used;
	char text[CHUNK_SIZE];
};

struct string_pool {
	size_t max_bytes;
	size_t used;
	struct chunk *chunks; /* the newest first; only that one is appended to */
	const char **strings;
	size_t n_strings, strings_size;
	struct index *index; /* of the strings, by their bytes */
};

int string_pool__new(size_t max_bytes, struct string_pool **ret_pool)
{
	struct string_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	pool->max_bytes = max_bytes;
	if (index__new(INDEX_MAX, &pool->index)) {
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
	index__free(pool->index);
	free(pool->strings);
	free(pool);
}

size_t string_pool__used(const struct string_pool *pool)
{
	return pool->used;
}

static const char *find(const struct string_pool *pool, const char *text, uint64_t hash)
{
	struct index_search search = index__search(pool->index, hash);

	while (index__next(&search)) {
		if (!strcmp(pool->strings[search.number], text))
			return pool->strings[search.number];
	}
	return NULL;
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
	const char *known;
	uint64_t hash;
	char *copy;

	for (size_t i = 0; i < length; i++)
		clean[i] = iscntrl((unsigned char)text[i]) ? '?' : text[i];
	clean[length] = '\0';

	hash = hash__keyed(clean, length);
	known = find(pool, clean, hash);
	if (known)
		return known;
	if (!array__reserve(pool->strings, pool->strings_size, pool->n_strings + 1) ||
	    index__add(pool->index, hash, (uint32_t)pool->n_strings))
		return NULL;
	copy = take_room(pool, length + 1);
	if (!copy) {
		index__remove(pool->index, hash, (uint32_t)pool->n_strings);
		return NULL;
	}
	memcpy(copy, clean, length + 1);
	pool->strings[pool->n_strings++] = copy;
	return copy;
}
