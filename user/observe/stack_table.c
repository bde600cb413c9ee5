// SPDX-License-Identifier: Apache-2.0
/*
 * An entry, found by id, says where the frames are. Frames live in chunks that never move, so that
 * what stack_table__get() returned stays valid while the table grows. Nothing is ever removed.
 */
#include "observe/stack_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"

#define CHUNK_WORDS 8192u

struct entry {
	const uint64_t *pcs;
	uint32_t depth;
};

struct chunk {
	struct chunk *next;
	uint64_t words[CHUNK_WORDS];
};

struct stack_table {
	struct entry *entries; /* of id 1 first */
	size_t entries_size;
	uint32_t n_entries;
	struct index *index;  /* of the entries, by their frames */
	struct chunk *chunks; /* newest first, the only one with room */
	uint32_t chunk_used;
	size_t n_chunks;
	uint64_t refused;
	bool frozen;
};

int stack_table__new(size_t max_stacks, struct stack_table **ret_table)
{
	struct stack_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	if (index__new(max_stacks, &table->index)) {
		free(table);
		return -ENOMEM;
	}
	*ret_table = table;
	return 0;
}

void stack_table__free(struct stack_table *table)
{
	if (!table)
		return;
	while (table->chunks) {
		struct chunk *next = table->chunks->next;

		free(table->chunks);
		table->chunks = next;
	}
	index__free(table->index);
	free(table->entries);
	free(table);
}

static uint32_t find(const struct stack_table *table, uint64_t hash, const uint64_t *pcs,
		     size_t depth)
{
	struct index_search search = index__search(table->index, hash);

	while (index__next(&search)) {
		const struct entry *entry = &table->entries[search.number];

		if (entry->depth == depth && !memcmp(entry->pcs, pcs, depth * sizeof(*pcs)))
			return search.number + 1;
	}
	return STACK_ID_NONE;
}

static uint64_t *take_words(struct stack_table *table, size_t n)
{
	uint64_t *words;

	if (!table->chunks || CHUNK_WORDS - table->chunk_used < n) {
		struct chunk *chunk = malloc(sizeof(*chunk));

		if (!chunk)
			return NULL;
		chunk->next = table->chunks;
		table->n_chunks++;
		table->chunks = chunk;
		table->chunk_used = 0;
	}
	words = &table->chunks->words[table->chunk_used];
	table->chunk_used += (uint32_t)n;
	return words;
}

static uint32_t add(struct stack_table *table, uint64_t hash, const uint64_t *pcs, size_t depth)
{
	uint64_t *copy;

	if (table->frozen ||
	    !array__reserve(table->entries, table->entries_size, table->n_entries + 1) ||
	    index__add(table->index, hash, table->n_entries))
		return STACK_ID_OTHER;
	copy = take_words(table, depth);
	if (!copy) {
		index__remove(table->index, hash, table->n_entries);
		return STACK_ID_OTHER;
	}
	memcpy(copy, pcs, depth * sizeof(*pcs));
	table->entries[table->n_entries++] = (struct entry){copy, (uint32_t)depth};
	return table->n_entries;
}

uint32_t stack_table__intern(struct stack_table *table, const uint64_t *pcs, size_t depth)
{
	uint64_t hash;
	uint32_t id;

	if (!depth)
		return STACK_ID_NONE;
	depth = min_of(depth, (size_t)STACK_MAX_DEPTH);
	/* The target chooses its stacks; the keyed hash keeps it from choosing where they collide. */
	hash = hash__keyed(pcs, depth * sizeof(*pcs));
	id = find(table, hash, pcs, depth);
	if (id == STACK_ID_NONE)
		id = add(table, hash, pcs, depth);
	if (id == STACK_ID_OTHER)
		table->refused++;
	return id;
}

const uint64_t *stack_table__get(const struct stack_table *table, uint32_t id, size_t *ret_depth)
{
	/* STACK_ID_NONE wraps to the largest number, beyond every entry like STACK_ID_OTHER. */
	if (id - 1 >= table->n_entries) {
		*ret_depth = 0;
		return NULL;
	}
	*ret_depth = table->entries[id - 1].depth;
	return table->entries[id - 1].pcs;
}

void stack_table__freeze(struct stack_table *table, bool frozen)
{
	table->frozen = frozen;
}

uint64_t stack_table__memory(const struct stack_table *table)
{
	/* An entry with two slots of the index. */
	return table->n_chunks * sizeof(struct chunk) +
	       table->n_entries * (sizeof(struct entry) + 2 * sizeof(struct index_slot));
}

size_t stack_table__count(const struct stack_table *table)
{
	return table->n_entries;
}

uint64_t stack_table__refused(const struct stack_table *table)
{
	return table->refused;
}
