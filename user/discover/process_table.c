// SPDX-License-Identifier: Apache-2.0
#include "discover/process_table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"

#define N_BUCKETS 16384 /* four records to a bucket when full */

struct process_table {
	struct tracked *buckets[N_BUCKETS];
	struct tracked **heap; /* what is due first at [0]; has room for every record */
	size_t n_heap, heap_size;
	size_t n, max;
	size_t counts[TRACKED_STATES];
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

static void free_one(void *ctx, struct tracked *tracked)
{
	(void)ctx;
	free(tracked);
}

void process_table__free(struct process_table *table)
{
	if (!table)
		return;
	process_table__each(table, free_one, NULL);
	free(table->heap);
	free(table);
}

static struct tracked **bucket_of(const struct process_table *table, pid_t pid)
{
	return (struct tracked **)&table->buckets[hash__mix64((uint64_t)pid) % N_BUCKETS];
}

struct tracked *process_table__find(const struct process_table *table, pid_t pid)
{
	struct tracked *tracked = *bucket_of(table, pid);

	while (tracked && tracked->id.pid != pid)
		tracked = tracked->next;
	return tracked;
}

/* Room in the heap comes with the record, so that scheduling cannot fail. */
static bool make_room(struct process_table *table)
{
	return table->n < table->max && array__reserve(table->heap, table->heap_size, table->n + 1);
}

struct tracked *process_table__add(struct process_table *table, pid_t pid)
{
	struct tracked **bucket = bucket_of(table, pid);
	struct tracked *tracked = make_room(table) ? calloc(1, sizeof(*tracked)) : NULL;

	if (!tracked)
		return NULL;
	tracked->id.pid = pid;
	tracked->state = TRACKED_CANDIDATE;
	tracked->heap_index = PROCESS_TABLE_IDLE;
	tracked->next = *bucket;
	*bucket = tracked;
	table->n++;
	table->counts[TRACKED_CANDIDATE]++;
	return tracked;
}

void process_table__remove(struct process_table *table, struct tracked *tracked)
{
	struct tracked **link = bucket_of(table, tracked->id.pid);

	process_table__unschedule(table, tracked);
	while (*link != tracked)
		link = &(*link)->next;
	*link = tracked->next;
	table->n--;
	table->counts[tracked->state]--;
	free(tracked);
}

void process_table__set_state(struct process_table *table, struct tracked *tracked,
			      enum tracked_state state)
{
	table->counts[tracked->state]--;
	table->counts[state]++;
	tracked->state = state;
}

/* --- the heap ------------------------------------------------------------------------------------ */

static void place(struct process_table *table, struct tracked *tracked, size_t index)
{
	table->heap[index] = tracked;
	tracked->heap_index = index;
}

static void rise(struct process_table *table, struct tracked *tracked, size_t index)
{
	while (index) {
		size_t parent = (index - 1) / 2;

		if (table->heap[parent]->due_ns <= tracked->due_ns)
			break;
		place(table, table->heap[parent], index);
		index = parent;
	}
	place(table, tracked, index);
}

static void sink(struct process_table *table, struct tracked *tracked, size_t index)
{
	for (size_t child; (child = 2 * index + 1) < table->n_heap; index = child) {
		if (child + 1 < table->n_heap &&
		    table->heap[child + 1]->due_ns < table->heap[child]->due_ns)
			child++;
		if (table->heap[child]->due_ns >= tracked->due_ns)
			break;
		place(table, table->heap[child], index);
	}
	place(table, tracked, index);
}

void process_table__unschedule(struct process_table *table, struct tracked *tracked)
{
	size_t index = tracked->heap_index;
	struct tracked *last;

	if (index == PROCESS_TABLE_IDLE)
		return;
	tracked->heap_index = PROCESS_TABLE_IDLE;
	last = table->heap[--table->n_heap];
	if (last == tracked)
		return;
	/* Either may be needed: the last one need not come from below. */
	rise(table, last, index);
	sink(table, last, last->heap_index);
}

void process_table__schedule(struct process_table *table, struct tracked *tracked, uint64_t due_ns)
{
	process_table__unschedule(table, tracked);
	tracked->due_ns = due_ns;
	rise(table, tracked, table->n_heap++);
}

struct tracked *process_table__next(const struct process_table *table)
{
	return table->n_heap ? table->heap[0] : NULL;
}

/* --- all of them --------------------------------------------------------------------------------- */

void process_table__each(struct process_table *table,
			 void (*fn)(void *ctx, struct tracked *tracked), void *ctx)
{
	for (size_t i = 0; i < N_BUCKETS; i++) {
		for (struct tracked *tracked = table->buckets[i], *next; tracked; tracked = next) {
			next = tracked->next;
			fn(ctx, tracked);
		}
	}
}

size_t process_table__count(const struct process_table *table, enum tracked_state state)
{
	return table->counts[state];
}
