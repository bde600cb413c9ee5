// SPDX-License-Identifier: Apache-2.0
#include "track/goroutine_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define CHUNK_SHIFT   12
#define CHUNK_RECORDS (1u << CHUNK_SHIFT)
#define MAX_CHUNKS    ((GOROUTINE_MAX_HANDLE + 1) >> CHUNK_SHIFT)
#define NO_SLOT	      UINT16_MAX
#define NO_CHUNK      UINT32_MAX

/*
 * Records beyond @fresh were never used, so a small process does not touch their pages. Free slots
 * below it have goid 0 and are chained through site_low.
 */
struct chunk {
	uint32_t previous, next; /* in the list of chunks with room */
	uint16_t live;
	uint16_t fresh;
	uint16_t free_slot;
	struct goroutine slots[CHUNK_RECORDS];
};

#define ENTRY_EMPTY	0u
#define ENTRY_TOMBSTONE 0xff000000u /* no record has handle 0 */
#define ENTRY_HANDLE(e) ((e)&GOROUTINE_MAX_HANDLE)
#define INDEX_MIN	1024u

struct goroutine_table {
	struct chunk **chunks;
	uint32_t n_chunks;   /* slots of @chunks in use, some of them NULL again */
	uint32_t roomy;	     /* first chunk with room, or NO_CHUNK */
	uint32_t n_allocated;

	uint32_t *index;
	uint32_t mask;
	uint32_t tombstones;

	size_t count;
	size_t max;
};

/* A place in the index and the tag of the entry that belongs there. */
struct hashed {
	uint32_t home;
	uint32_t tag; /* in the top 8 bits */
};

static struct hashed hash_goid(const struct goroutine_table *table, uint64_t goid)
{
	uint64_t batch = hash__mix64(goid >> 4);
	uint32_t member = goid & 15;

	/* All of a batch share the hash: the tag must tell them apart on its own. */
	return (struct hashed){
		.home = ((uint32_t)(batch << 4) | member) & table->mask,
		.tag = (uint32_t)((batch >> 56) + (member << 4)) << 24,
	};
}

static struct goroutine *record_at(const struct goroutine_table *table, uint32_t handle)
{
	return &table->chunks[handle >> CHUNK_SHIFT]->slots[handle & (CHUNK_RECORDS - 1)];
}

int goroutine_table__new(size_t max, struct goroutine_table **ret_table)
{
	struct goroutine_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->max = min_of(max, (size_t)GOROUTINE_MAX_HANDLE);
	table->roomy = NO_CHUNK;
	table->mask = INDEX_MIN - 1;
	table->index = calloc(INDEX_MIN, sizeof(*table->index));
	table->chunks = calloc(MAX_CHUNKS, sizeof(struct chunk *));
	if (!table->index || !table->chunks) {
		goroutine_table__free(table);
		return -ENOMEM;
	}
	*ret_table = table;
	return 0;
}

void goroutine_table__free(struct goroutine_table *table)
{
	if (!table)
		return;
	for (uint32_t i = 0; i < table->n_chunks; i++)
		free(table->chunks[i]);
	free(table->chunks);
	free(table->index);
	free(table);
}

/* --- chunks --- */

static void roomy_push(struct goroutine_table *table, uint32_t number)
{
	struct chunk *chunk = table->chunks[number];

	chunk->previous = NO_CHUNK;
	chunk->next = table->roomy;
	if (table->roomy != NO_CHUNK)
		table->chunks[table->roomy]->previous = number;
	table->roomy = number;
}

static void roomy_unlink(struct goroutine_table *table, uint32_t number)
{
	struct chunk *chunk = table->chunks[number];

	if (chunk->previous == NO_CHUNK)
		table->roomy = chunk->next;
	else
		table->chunks[chunk->previous]->next = chunk->next;
	if (chunk->next != NO_CHUNK)
		table->chunks[chunk->next]->previous = chunk->previous;
}

static bool chunk_add(struct goroutine_table *table)
{
	struct chunk *chunk;
	uint32_t number = 0;

	while (number < table->n_chunks && table->chunks[number])
		number++;
	if (number == MAX_CHUNKS)
		return false;
	chunk = malloc(sizeof(*chunk));
	if (!chunk)
		return false;
	chunk->live = 0;
	chunk->fresh = number == 0; /* handle 0 means "none" */
	chunk->free_slot = NO_SLOT;
	table->chunks[number] = chunk;
	table->n_chunks = max_of(table->n_chunks, number + 1);
	table->n_allocated++;
	roomy_push(table, number);
	return true;
}

static void chunk_drop(struct goroutine_table *table, uint32_t number)
{
	roomy_unlink(table, number);
	free(table->chunks[number]);
	table->chunks[number] = NULL;
	table->n_allocated--;
}

static uint32_t slot_take(struct goroutine_table *table)
{
	uint32_t number = table->roomy;
	struct chunk *chunk = table->chunks[number];
	uint16_t slot = chunk->free_slot;

	if (slot != NO_SLOT)
		chunk->free_slot = chunk->slots[slot].site_low;
	else
		slot = chunk->fresh++;
	chunk->live++;
	if (chunk->free_slot == NO_SLOT && chunk->fresh == CHUNK_RECORDS)
		roomy_unlink(table, number);
	return number << CHUNK_SHIFT | slot;
}

static void slot_give_back(struct goroutine_table *table, uint32_t handle)
{
	uint32_t number = handle >> CHUNK_SHIFT;
	uint16_t slot = handle & (CHUNK_RECORDS - 1);
	struct chunk *chunk = table->chunks[number];
	bool was_full = chunk->free_slot == NO_SLOT && chunk->fresh == CHUNK_RECORDS;

	chunk->slots[slot].goid_low = 0;
	chunk->slots[slot].goid_high = 0;
	chunk->slots[slot].site_low = chunk->free_slot;
	chunk->free_slot = slot;
	chunk->live--;
	if (was_full)
		roomy_push(table, number);
	/* The last chunk with room stays, or one goroutine coming and going would thrash. */
	if (chunk->live == 0 && (chunk->next != NO_CHUNK || chunk->previous != NO_CHUNK))
		chunk_drop(table, number);
}

/* --- index --- */

/* Into the first place that is free; true when that was a tombstone's. */
static bool index_put(uint32_t *index, uint32_t mask, struct hashed hashed, uint32_t handle)
{
	uint32_t i = hashed.home;
	bool tombstone;

	while (ENTRY_HANDLE(index[i]))
		i = (i + 1) & mask;
	tombstone = index[i] == ENTRY_TOMBSTONE;
	index[i] = hashed.tag | handle;
	return tombstone;
}

/* The index again with @slots places and without tombstones. Records are read in their order. */
static bool index_rebuild(struct goroutine_table *table, uint64_t slots)
{
	uint32_t *index = calloc(slots, sizeof(*index));
	uint32_t handle = 0;
	struct goroutine *g;

	if (!index)
		return false;
	free(table->index);
	table->index = index;
	table->mask = (uint32_t)(slots - 1);
	table->tombstones = 0;
	while ((g = goroutine_table__next(table, &handle)))
		index_put(index, table->mask, hash_goid(table, goroutine__goid(g)), handle);
	return true;
}

/* At most 3/4 of the index are goroutines and 7/8 goroutines and tombstones, so probes end. */
static bool index_make_room(struct goroutine_table *table)
{
	uint64_t slots = (uint64_t)table->mask + 1;

	if (table->count + 1 > slots / 4 * 3)
		return index_rebuild(table, slots * 2);
	if (table->count + table->tombstones + 1 > slots / 8 * 7)
		return index_rebuild(table, slots);
	return true;
}

static bool index_find(const struct goroutine_table *table, uint64_t goid, uint32_t *ret_at)
{
	struct hashed hashed = hash_goid(table, goid);
	uint32_t i = hashed.home, entry;

	for (; (entry = table->index[i]) != ENTRY_EMPTY; i = (i + 1) & table->mask) {
		if ((entry & ~GOROUTINE_MAX_HANDLE) != hashed.tag || !ENTRY_HANDLE(entry))
			continue;
		if (goroutine__goid(record_at(table, ENTRY_HANDLE(entry))) == goid) {
			*ret_at = i;
			return true;
		}
	}
	return false;
}

/* A tombstone right before an empty slot ends no probe that the empty slot would not end. */
static void index_erase(struct goroutine_table *table, uint32_t at)
{
	table->index[at] = ENTRY_TOMBSTONE;
	table->tombstones++;
	if (table->index[(at + 1) & table->mask] != ENTRY_EMPTY)
		return;
	for (; table->index[at] == ENTRY_TOMBSTONE; at = (at - 1) & table->mask) {
		table->index[at] = ENTRY_EMPTY;
		table->tombstones--;
	}
}

/* --- */

struct goroutine *goroutine_table__find(const struct goroutine_table *table, uint64_t goid,
					uint32_t *ret_handle)
{
	uint32_t at;

	if (!goid || !index_find(table, goid, &at))
		return NULL;
	*ret_handle = ENTRY_HANDLE(table->index[at]);
	return record_at(table, *ret_handle);
}

struct goroutine *goroutine_table__at(const struct goroutine_table *table, uint32_t handle,
				      uint64_t goid)
{
	uint32_t number = handle >> CHUNK_SHIFT, slot = handle & (CHUNK_RECORDS - 1);
	struct chunk *chunk;

	if (!handle || !goid || number >= table->n_chunks)
		return NULL;
	chunk = table->chunks[number];
	if (!chunk || slot >= chunk->fresh || goroutine__goid(&chunk->slots[slot]) != goid)
		return NULL;
	return &chunk->slots[slot];
}

struct goroutine *goroutine_table__add(struct goroutine_table *table, uint64_t goid,
				       uint32_t *ret_handle)
{
	struct goroutine *g;
	uint32_t handle;

	if (table->count >= table->max || !index_make_room(table))
		return NULL;
	if (table->roomy == NO_CHUNK && !chunk_add(table))
		return NULL;
	handle = slot_take(table);
	g = record_at(table, handle);
	*g = (struct goroutine){ .goid_low = (uint32_t)goid, .goid_high = (uint32_t)(goid >> 32) };
	if (index_put(table->index, table->mask, hash_goid(table, goid), handle))
		table->tombstones--;
	table->count++;
	*ret_handle = handle;
	return g;
}

void goroutine_table__remove(struct goroutine_table *table, uint32_t handle)
{
	uint32_t at;

	if (!index_find(table, goroutine__goid(record_at(table, handle)), &at))
		return;
	index_erase(table, at);
	slot_give_back(table, handle);
	table->count--;
}

struct goroutine *goroutine_table__next(const struct goroutine_table *table, uint32_t *handle)
{
	uint32_t number = (*handle + 1) >> CHUNK_SHIFT, slot = (*handle + 1) & (CHUNK_RECORDS - 1);

	for (; number < table->n_chunks; number++, slot = 0) {
		struct chunk *chunk = table->chunks[number];

		for (; chunk && slot < chunk->fresh; slot++) {
			if (!(chunk->slots[slot].goid_low | chunk->slots[slot].goid_high))
				continue;
			*handle = number << CHUNK_SHIFT | slot;
			return &chunk->slots[slot];
		}
	}
	return NULL;
}

void goroutine_table__trim(struct goroutine_table *table)
{
	uint64_t now = (uint64_t)table->mask + 1, slots = INDEX_MIN;

	if (table->count >= now / 8)
		return;
	while (table->count > slots / 16 * 11)
		slots *= 2;
	/* Without memory for a smaller one the large one serves on. */
	if (slots < now)
		(void)index_rebuild(table, slots);
}

size_t goroutine_table__count(const struct goroutine_table *table)
{
	return table->count;
}

size_t goroutine_table__memory(const struct goroutine_table *table)
{
	return ((size_t)table->mask + 1) * sizeof(*table->index) +
	       table->n_allocated * sizeof(struct chunk);
}
