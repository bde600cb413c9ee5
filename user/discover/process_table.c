// SPDX-License-Identifier: Apache-2.0
#include "discover/process_table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"

#define N_BUCKETS 16384 /* four records to a bucket when full */

struct process_table {
	struct process_entry *buckets[N_BUCKETS];
	struct process_entry **heap; /* what is due first at [0]; has room for every record */
	size_t n_heap, heap_size;
	size_t n, max;
	size_t counts[PROCESS_STATES];
	struct owners owners; /* of those that are attached */
};

int process_table__new(size_t max, struct process_table **ret_table)
{
	struct process_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->max = min_of(max_of(max, (size_t)1), (size_t)PROCESS_TABLE_MAX);
	*ret_table = table;
	return 0;
}

static void free_one(void *ctx, struct process_entry *entry)
{
	(void)ctx;
	free(entry);
}

void process_table__free(struct process_table *table)
{
	if (!table)
		return;
	process_table__each(table, free_one, NULL);
	free(table->heap);
	owners__clear(&table->owners);
	free(table);
}

static struct process_entry **bucket_of(const struct process_table *table, pid_t pid)
{
	return (struct process_entry **)&table
		->buckets[hash__keyed_word((uint64_t)pid) % N_BUCKETS];
}

struct process_entry *process_table__find(const struct process_table *table, pid_t pid)
{
	struct process_entry *entry = *bucket_of(table, pid);

	while (entry && entry->id.pid != pid)
		entry = entry->next;
	return entry;
}

/* Room in the heap comes with the record, so that scheduling cannot fail. */
static bool make_room(struct process_table *table)
{
	return table->n < table->max && array__reserve(table->heap, table->heap_size, table->n + 1);
}

struct process_entry *process_table__add(struct process_table *table, pid_t pid)
{
	struct process_entry **bucket = bucket_of(table, pid);
	struct process_entry *entry = make_room(table) ? calloc(1, sizeof(*entry)) : NULL;

	if (!entry)
		return NULL;
	entry->id.pid = pid;
	entry->state = PROCESS_CANDIDATE;
	entry->heap_index = PROCESS_TABLE_IDLE;
	entry->next = *bucket;
	*bucket = entry;
	table->n++;
	table->counts[PROCESS_CANDIDATE]++;
	return entry;
}

void process_table__remove(struct process_table *table, struct process_entry *entry)
{
	struct process_entry **link = bucket_of(table, entry->id.pid);

	process_table__unschedule(table, entry);
	process_table__set_state(table, entry, PROCESS_REJECTED);
	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	table->n--;
	table->counts[entry->state]--;
	free(entry);
}

void process_table__set_state(struct process_table *table, struct process_entry *entry,
			      enum process_state state)
{
	if (entry->state == PROCESS_ATTACHED)
		owners__remove(&table->owners, entry->owner);
	if (state == PROCESS_ATTACHED)
		owners__add(&table->owners, entry->owner);
	table->counts[entry->state]--;
	table->counts[state]++;
	entry->state = state;
}

/* --- the heap ------------------------------------------------------------------------------------ */

static void put_at(struct process_table *table, struct process_entry *entry, size_t index)
{
	table->heap[index] = entry;
	entry->heap_index = index;
}

static void rise(struct process_table *table, struct process_entry *entry, size_t index)
{
	while (index) {
		size_t parent = (index - 1) / 2;

		if (table->heap[parent]->due_ns <= entry->due_ns)
			break;
		put_at(table, table->heap[parent], index);
		index = parent;
	}
	put_at(table, entry, index);
}

static void sink(struct process_table *table, struct process_entry *entry, size_t index)
{
	for (size_t child; (child = 2 * index + 1) < table->n_heap; index = child) {
		if (child + 1 < table->n_heap &&
		    table->heap[child + 1]->due_ns < table->heap[child]->due_ns)
			child++;
		if (table->heap[child]->due_ns >= entry->due_ns)
			break;
		put_at(table, table->heap[child], index);
	}
	put_at(table, entry, index);
}

void process_table__unschedule(struct process_table *table, struct process_entry *entry)
{
	size_t index = entry->heap_index;
	struct process_entry *last;

	if (index == PROCESS_TABLE_IDLE)
		return;
	entry->heap_index = PROCESS_TABLE_IDLE;
	last = table->heap[--table->n_heap];
	if (last == entry)
		return;
	/* Either may be needed: the last one need not come from below. */
	rise(table, last, index);
	sink(table, last, last->heap_index);
}

void process_table__schedule(struct process_table *table, struct process_entry *entry,
			     uint64_t due_ns)
{
	process_table__unschedule(table, entry);
	entry->due_ns = due_ns;
	rise(table, entry, table->n_heap++);
}

struct process_entry *process_table__next(const struct process_table *table)
{
	return table->n_heap ? table->heap[0] : NULL;
}

/* --- all of them --------------------------------------------------------------------------------- */

void process_table__each(struct process_table *table,
			 void (*fn)(void *ctx, struct process_entry *entry), void *ctx)
{
	for (size_t i = 0; i < N_BUCKETS; i++) {
		for (struct process_entry *entry = table->buckets[i], *next; entry; entry = next) {
			next = entry->next;
			fn(ctx, entry);
		}
	}
}

const struct owners *process_table__owners(const struct process_table *table)
{
	return &table->owners;
}

struct process_entry *process_table__latest_of(const struct process_table *table, uid_t owner)
{
	struct process_entry *latest = NULL;

	for (size_t i = 0; i < N_BUCKETS; i++) {
		for (struct process_entry *entry = table->buckets[i]; entry; entry = entry->next) {
			if (entry->state == PROCESS_ATTACHED && entry->owner == owner &&
			    (!latest || entry->looked_ns > latest->looked_ns))
				latest = entry;
		}
	}
	return latest;
}

size_t process_table__count(const struct process_table *table, enum process_state state)
{
	return table->counts[state];
}
