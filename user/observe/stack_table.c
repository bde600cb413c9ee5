// SPDX-License-Identifier: Apache-2.0
/*
 * Three arrays. Slots, an open-addressing hash of (part of the hash, id), are what a lookup reads;
 * entries say by id where the frames are; frames live in chunks that never move, so that what
 * stack_table__get() gave stays valid while the table grows. Nothing is ever removed.
 */
#include "observe/stack_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"

#define INITIAL_SLOTS	1024u
#define INITIAL_ENTRIES 512u
#define CHUNK_WORDS	8192u
#define MAX_STACKS	(1u << 30) /* ids and slots stay in 32 bits */

struct slot {
	uint32_t hash; /* upper half; the lower half chose the place */
	uint32_t id;   /* 0: free */
};

struct entry {
	const uint64_t *pcs;
	uint64_t hash;
	uint32_t depth;
};

struct chunk {
	struct chunk *next;
	uint64_t words[CHUNK_WORDS];
};

struct stack_table {
	struct slot *slots;
	uint32_t mask;	       /* number of slots, a power of two, minus one */
	struct entry *entries; /* of id 1 first */
	uint32_t n_entries;
	uint32_t room; /* allocated entries */
	uint32_t max;
	struct chunk *chunks; /* newest first, the only one with room */
	uint32_t chunk_used;
	uint64_t seed;
	uint64_t refused;
};

int stack_table__new(size_t max_stacks, struct stack_table **ret_table)
{
	struct stack_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->max = (uint32_t)min_of(max_stacks, (size_t)MAX_STACKS);
	table->slots = calloc(INITIAL_SLOTS, sizeof(*table->slots));
	table->mask = INITIAL_SLOTS - 1;
	if (!table->slots) {
		stack_table__free(table);
		return -ENOMEM;
	}
	/* The target chooses its stacks; it shall not choose where they collide. */
	if (getrandom(&table->seed, sizeof(table->seed), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(table->seed))
		table->seed = (uintptr_t)table;
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
	free(table->entries);
	free(table->slots);
	free(table);
}

static uint64_t hash_stack(uint64_t seed, const uint64_t *pcs, size_t depth)
{
	uint64_t hash = seed ^ depth;

	for (size_t i = 0; i < depth; i++)
		hash = hash__combine(hash, pcs[i]);
	return hash;
}

/* The slot of an equal stack, else the free slot where it belongs. At most half are taken. */
static struct slot *find_slot(const struct stack_table *table, uint64_t hash, const uint64_t *pcs,
			      size_t depth)
{
	uint32_t upper = (uint32_t)(hash >> 32);
	uint32_t i = (uint32_t)hash & table->mask;

	for (;; i = (i + 1) & table->mask) {
		struct slot *slot = &table->slots[i];
		const struct entry *entry;

		if (!slot->id)
			return slot;
		if (slot->hash != upper)
			continue;
		entry = &table->entries[slot->id - 1];
		if (entry->hash == hash && entry->depth == depth &&
		    !memcmp(entry->pcs, pcs, depth * sizeof(*pcs)))
			return slot;
	}
}

static bool grow_slots(struct stack_table *table)
{
	uint32_t mask = table->mask * 2 + 1;
	struct slot *slots = calloc((size_t)mask + 1, sizeof(*slots));

	if (!slots)
		return false;
	for (uint32_t e = 0; e < table->n_entries; e++) {
		uint64_t hash = table->entries[e].hash;
		uint32_t i = (uint32_t)hash & mask;

		while (slots[i].id)
			i = (i + 1) & mask;
		slots[i] = (struct slot){(uint32_t)(hash >> 32), e + 1};
	}
	free(table->slots);
	table->slots = slots;
	table->mask = mask;
	return true;
}

static bool grow_entries(struct stack_table *table)
{
	uint32_t room = table->room ? table->room * 2 : INITIAL_ENTRIES;
	struct entry *entries = reallocarray(table->entries, room, sizeof(*entries));

	if (!entries)
		return false;
	table->entries = entries;
	table->room = room;
	return true;
}

static uint64_t *take_words(struct stack_table *table, size_t n)
{
	uint64_t *words;

	if (!table->chunks || CHUNK_WORDS - table->chunk_used < n) {
		struct chunk *chunk = malloc(sizeof(*chunk));

		if (!chunk)
			return NULL;
		chunk->next = table->chunks;
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
	uint32_t id;

	if (table->n_entries >= table->max)
		return STACK_ID_OTHER;
	if (table->n_entries == table->room && !grow_entries(table))
		return STACK_ID_OTHER;
	if (table->n_entries >= (table->mask + 1) / 2 && !grow_slots(table))
		return STACK_ID_OTHER;
	copy = take_words(table, depth);
	if (!copy)
		return STACK_ID_OTHER;
	memcpy(copy, pcs, depth * sizeof(*pcs));
	id = table->n_entries + 1;
	*find_slot(table, hash, pcs, depth) = (struct slot){(uint32_t)(hash >> 32), id};
	table->entries[table->n_entries++] =
		(struct entry){.pcs = copy, .hash = hash, .depth = (uint32_t)depth};
	return id;
}

uint32_t stack_table__intern(struct stack_table *table, const uint64_t *pcs, size_t depth)
{
	const struct slot *slot;
	uint64_t hash;
	uint32_t id;

	if (!depth)
		return STACK_ID_NONE;
	depth = min_of(depth, (size_t)STACK_MAX_DEPTH);
	hash = hash_stack(table->seed, pcs, depth);
	slot = find_slot(table, hash, pcs, depth);
	if (slot->id)
		return slot->id;
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

size_t stack_table__count(const struct stack_table *table)
{
	return table->n_entries;
}

uint64_t stack_table__refused(const struct stack_table *table)
{
	return table->refused;
}
