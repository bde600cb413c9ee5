// SPDX-License-Identifier: Apache-2.0
#include "track/goroutine_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/*
 * Goroutines with neighbouring goids are often created together: so many share a line of the index.
 */
#define GOIDS_PER_LINE 4u

#define CHUNK_SHIFT   10
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

/*
 * A cache line of the index. An entry is a handle and 8 bits of hash, 0 when free. An entry that
 * finds its line full goes on to the next line of its probe sequence and is counted in @passed of
 * the line that it left, so that a search ends at the first line that no entry has passed; no
 * tombstones, no clean-up under churn.
 */
#define LINE_ENTRIES	15u
#define LINE_LIMIT	12u /* entries per line, on average, when the index is full */
#define MIN_LINES	64u
#define ENTRY_HANDLE(e) ((e)&GOROUTINE_MAX_HANDLE)
#define ENTRY_TAG(e)	((e) & ~GOROUTINE_MAX_HANDLE)

struct line {
	uint32_t entries[LINE_ENTRIES];
	uint32_t passed;
};

_Static_assert(sizeof(struct line) == 64, "a line of the index is one cache line");

struct goroutine_table {
	struct chunk **chunks;
	uint32_t room;	   /* slots of @chunks */
	uint32_t n_chunks; /* those in use, some of them NULL again */
	uint32_t roomy;	   /* first chunk with room, or NO_CHUNK */
	uint32_t n_allocated;

	struct line *lines;
	uint32_t mask; /* number of lines - 1 */

	size_t count;
	size_t max;
};

/* Where the search for a goid begins, and the tag of its entry in the top 8 bits. */
struct hashed {
	uint32_t home;
	uint32_t tag;
};

static struct hashed hash_goid(const struct goroutine_table *table, uint64_t goid)
{
	uint64_t hash = hash__keyed_word(goid / GOIDS_PER_LINE);
	uint32_t member = goid % GOIDS_PER_LINE;

	/* Neighbours share the hash: the tag must tell them apart on its own. */
	return (struct hashed){
		.home = (uint32_t)hash & table->mask,
		.tag = (uint32_t)((hash >> 56) + member * (256 / GOIDS_PER_LINE)) << 24,
	};
}

static struct goroutine *record_at(const struct goroutine_table *table, uint32_t handle)
{
	return &table->chunks[handle >> CHUNK_SHIFT]->slots[handle & (CHUNK_RECORDS - 1)];
}

static struct line *lines_new(size_t count)
{
	struct line *lines = aligned_alloc(sizeof(*lines), count * sizeof(*lines));

	return lines ? memset(lines, 0, count * sizeof(*lines)) : NULL;
}

void goroutine_table__set_max(struct goroutine_table *table, size_t max)
{
	table->max = min_of(max, (size_t)GOROUTINE_MAX_HANDLE);
}

int goroutine_table__new(size_t max, struct goroutine_table **ret_table)
{
	struct goroutine_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	goroutine_table__set_max(table, max);
	table->roomy = NO_CHUNK;
	table->mask = MIN_LINES - 1;
	table->lines = lines_new(MIN_LINES);
	if (!table->lines) {
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
	free(table->lines);
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

static bool grow_chunks(struct goroutine_table *table)
{
	uint32_t room = table->room ? table->room * 2 : 4;
	struct chunk **chunks = reallocarray(table->chunks, room, sizeof(*chunks));

	if (!chunks)
		return false;
	table->chunks = chunks;
	table->room = room;
	return true;
}

static bool chunk_add(struct goroutine_table *table)
{
	struct chunk *chunk;
	uint32_t number = 0;

	while (number < table->n_chunks && table->chunks[number])
		number++;
	if (number == MAX_CHUNKS || (number == table->room && !grow_chunks(table)))
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

/* The line after @line, the @step-th one of a probe sequence, which comes by every line. */
static uint32_t line_after(const struct goroutine_table *table, uint32_t line, uint32_t step)
{
	return (line + step) & table->mask;
}

static void index_put(struct goroutine_table *table, uint64_t goid, uint32_t handle)
{
	struct hashed hashed = hash_goid(table, goid);
	uint32_t at = hashed.home;

	for (uint32_t step = 1;; at = line_after(table, at, step++)) {
		struct line *line = &table->lines[at];

		for (uint32_t slot = 0; slot < LINE_ENTRIES; slot++) {
			if (!line->entries[slot]) {
				line->entries[slot] = hashed.tag | handle;
				return;
			}
		}
		line->passed++;
	}
}

/* The slot in @line that holds @goid, or LINE_ENTRIES. */
static uint32_t line_find(const struct goroutine_table *table, const struct line *line,
			  uint32_t tag, uint64_t goid)
{
	for (uint32_t slot = 0; slot < LINE_ENTRIES; slot++) {
		uint32_t entry = line->entries[slot];

		if (ENTRY_TAG(entry) == tag && entry &&
		    goroutine__goid(record_at(table, ENTRY_HANDLE(entry))) == goid)
			return slot;
	}
	return LINE_ENTRIES;
}

/* The entry of @goid; NULL when there is none. */
static uint32_t *index_find(const struct goroutine_table *table, uint64_t goid)
{
	struct hashed hashed = hash_goid(table, goid);
	uint32_t at = hashed.home;

	for (uint32_t step = 1; step <= table->mask + 1; at = line_after(table, at, step++)) {
		struct line *line = &table->lines[at];
		uint32_t slot = line_find(table, line, hashed.tag, goid);

		if (slot < LINE_ENTRIES)
			return &line->entries[slot];
		if (!line->passed)
			return NULL;
	}
	return NULL;
}

static void index_erase(struct goroutine_table *table, uint64_t goid, uint32_t *entry)
{
	uint32_t found =
		(uint32_t)((size_t)((char *)entry - (char *)table->lines) / sizeof(struct line));
	uint32_t at = hash_goid(table, goid).home;

	for (uint32_t step = 1; at != found; at = line_after(table, at, step++))
		table->lines[at].passed--;
	*entry = 0;
}

/* The index again, with @count lines. Records are read in their order. */
static bool index_rebuild(struct goroutine_table *table, size_t count)
{
	struct line *lines = lines_new(count);
	uint32_t handle = 0;
	struct goroutine *g;

	if (!lines)
		return false;
	free(table->lines);
	table->lines = lines;
	table->mask = (uint32_t)(count - 1);
	while ((g = goroutine_table__next(table, &handle)))
		index_put(table, goroutine__goid(g), handle);
	return true;
}

static bool index_make_room(struct goroutine_table *table)
{
	size_t lines = (size_t)table->mask + 1;

	return table->count < lines * LINE_LIMIT || index_rebuild(table, lines * 2);
}

/* --- */

struct goroutine *goroutine_table__find(const struct goroutine_table *table, uint64_t goid,
					uint32_t *ret_handle)
{
	const uint32_t *entry = goid ? index_find(table, goid) : NULL;

	if (!entry)
		return NULL;
	*ret_handle = ENTRY_HANDLE(*entry);
	return record_at(table, *ret_handle);
}

struct goroutine *goroutine_table__peek(const struct goroutine_table *table, uint32_t handle)
{
	uint32_t number = handle >> CHUNK_SHIFT, slot = handle & (CHUNK_RECORDS - 1);
	struct chunk *chunk;

	if (!handle || number >= table->n_chunks)
		return NULL;
	chunk = table->chunks[number];
	if (!chunk || slot >= chunk->fresh || !goroutine__goid(&chunk->slots[slot]))
		return NULL;
	return &chunk->slots[slot];
}

struct goroutine *goroutine_table__at(const struct goroutine_table *table, uint32_t handle,
				      uint64_t goid)
{
	struct goroutine *g = goroutine_table__peek(table, handle);

	return g && goid && goroutine__goid(g) == goid ? g : NULL;
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
	*g = (struct goroutine){.goid_low = (uint32_t)goid, .goid_high = (uint32_t)(goid >> 32)};
	index_put(table, goid, handle);
	table->count++;
	*ret_handle = handle;
	return g;
}

void goroutine_table__remove(struct goroutine_table *table, uint32_t handle)
{
	uint64_t goid = goroutine__goid(record_at(table, handle));
	uint32_t *entry = index_find(table, goid);

	if (!entry)
		return;
	index_erase(table, goid, entry);
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
	size_t now = (size_t)table->mask + 1, lines = MIN_LINES;

	if (table->count >= now * 2)
		return;
	while (table->count > lines * (LINE_LIMIT - 1))
		lines *= 2;
	/* Without memory for a smaller one the large one serves on. */
	if (lines < now)
		(void)index_rebuild(table, lines);
}

size_t goroutine_table__count(const struct goroutine_table *table)
{
	return table->count;
}

size_t goroutine_table__memory(const struct goroutine_table *table)
{
	return ((size_t)table->mask + 1) * sizeof(struct line) +
	       table->n_allocated * sizeof(struct chunk);
}
