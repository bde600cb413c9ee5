// SPDX-License-Identifier: Apache-2.0
/*
 * Deferred calls that wait for their function to return, of `defer` statements that run again and again in one call of
 * it. Those of loops alone are objects of the heap (src/cmd/compile/internal/ssagen: deferproc): all others lie on
 * their function's stack, or are nowhere but in its code.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "golang/go_status.h"
#include "golang/pclntab.h"
#include "heap/resources/private.h"

#define WORD  8u
#define BATCH 512u
/* Of one goroutine, and of all. */
#define MAX_CHAIN (1u << 18)
#define MAX_ALL	  (1u << 20)
/* One call of a function has so many of one statement before they are counted: lists that end are short. */
#define MIN_SAME 8u
/* Records are allocated one behind the other: what is read is this much of them, and aligned. */
#define PAGE 8192u

/* src/runtime/runtime2.go _defer, in all versions: behind three bools at most. */
#define DEFER_SP 8u
#define DEFER_PC 16u
/* The same, from Go 1.22 on: `rangefunc` is behind `heap`, `head` behind `link`. */
#define WITH_RANGE     22
#define RECORD_MAX     64u
#define RANGE_END_MARK 1u /* src/runtime/panic.go badDefer */

struct deferred {
	uint64_t record, goid, sp, pc;
};

struct defers {
	struct heap_resources *resources;
	uint64_t goid; /* of the chain that is being walked */
	size_t walked, walked_in_all;
	struct deferred *all;
	size_t n, capacity;
	uint64_t page; /* address of what is in @data; 0: nothing */
	uint8_t data[PAGE];
};

static size_t record_size(const struct go_layout *layout)
{
	return layout->defer_link + 2 * WORD;
}

/* A record, out of the page that was read last if it is there. */
static bool read_record(struct defers *defers, uint64_t address, uint8_t record[RECORD_MAX])
{
	struct remote *remote = defers->resources->runtime->remote;
	size_t size = record_size(defers->resources->runtime->layout);
	uint64_t page = address & ~(uint64_t)(PAGE - 1);

	if (page + PAGE - address < size)
		return !remote__read(remote, address, record, size);
	if (page != defers->page) {
		defers->page = remote__read(remote, page, defers->data, PAGE) ? 0 : page;
		if (!defers->page)
			return !remote__read(remote, address, record, size);
	}
	memcpy(record, defers->data + (address - page), size);
	return true;
}

/* @call: the record that says at which call of the function @address was made, which may be another. */
static int note(struct defers *defers, uint64_t address, const uint8_t *call)
{
	if (!array__reserve(defers->all, defers->capacity, defers->n + 1))
		return -ENOMEM;
	defers->all[defers->n++] = (struct deferred){
		.record = address,
		.goid = defers->goid,
		.sp = bytes__u64(call, DEFER_SP),
		.pc = bytes__u64(call, DEFER_PC),
	};
	return 0;
}

/* Whether another record may be read; what is beyond is counted once. */
static bool goes_on(struct defers *defers)
{
	bool enough = defers->walked == MAX_CHAIN || defers->walked_in_all == MAX_ALL;

	defers->resources->refused += enough;
	defers->walked++;
	defers->walked_in_all++;
	return !enough;
}

/*
 * Records that are linked from @address on. What a goroutine that runs meanwhile has made of them may lead in a circle:
 * one that comes again after a power of two of steps. @range: the record of a loop over a function, which these were
 * made for: it has the call's words and these have not (src/runtime/panic.go deferconvert); or NULL.
 */
static int walk(struct defers *defers, uint64_t address, const uint8_t *range)
{
	const struct go_layout *layout = defers->resources->runtime->layout;
	uint64_t earlier = 0;
	uint8_t record[RECORD_MAX];
	int err = 0;

	for (size_t steps = 1; address > RANGE_END_MARK && address != earlier && !err; steps++) {
		uint64_t head = 0;

		if (!goes_on(defers) || !read_record(defers, address, record))
			return 0;
		if (!(steps & (steps - 1)))
			earlier = address;
		if (layout->minor >= WITH_RANGE && !range && record[layout->defer_heap + 1])
			head = bytes__u64(record, layout->defer_link + WORD);
		if (head && !remote__read_u64(defers->resources->runtime->remote, head, &head))
			err = walk(defers, head, record);
		else if (record[layout->defer_heap])
			err = note(defers, address, range ? range : record);
		address = bytes__u64(record, layout->defer_link);
	}
	return err;
}

/* The first record of each of @n goroutines. */
static int walk_some(struct defers *defers, const struct heap_goroutine *const *some, size_t n)
{
	const struct heap_runtime *runtime = defers->resources->runtime;
	struct remote_span reads[BATCH];
	uint64_t first[BATCH];
	int err;

	for (size_t i = 0; i < n; i++)
		reads[i] = (struct remote_span){
			.address = some[i]->address + runtime->layout->g_defer,
			.buffer = &first[i],
			.size = WORD,
		};
	err = remote__read_spans(runtime->remote, reads, n);
	for (size_t i = 0; i < n && !err; i++) {
		defers->goid = some[i]->goid;
		defers->walked = 0;
		if (!reads[i].result)
			err = walk(defers, first[i], NULL);
	}
	return err;
}

static int walk_all(struct defers *defers, const struct heap_goroutines *goroutines)
{
	const struct heap_goroutine *some[BATCH];
	size_t n = 0;
	int err = 0;

	for (size_t i = 0; i < goroutines->n && !err; i++) {
		const struct heap_goroutine *g = &goroutines->all[i];

		if (g->goid && g->status != GO_STATUS_DEAD && g->status != GO_STATUS_DEAD_EXTRA)
			some[n++] = g;
		if (n == BATCH) {
			err = walk_some(defers, some, n);
			n = 0;
		}
	}
	return err || !n ? err : walk_some(defers, some, n);
}

static int by_statement(const void *a, const void *b)
{
	const struct deferred *x = a, *y = b;

	if (x->goid != y->goid)
		return x->goid < y->goid ? -1 : 1;
	if (x->sp != y->sp)
		return x->sp < y->sp ? -1 : 1;
	if (x->pc != y->pc)
		return x->pc < y->pc ? -1 : 1;
	return (x->record > y->record) - (x->record < y->record);
}

static bool is_code(const struct heap_runtime *runtime, uint64_t pc)
{
	struct pclntab_func func;

	return runtime->tab && !pclntab__lookup(runtime->tab, pc - runtime->bias, &func);
}

/* @n of one statement in one call. */
static int add_same(struct defers *defers, const struct deferred *same, size_t n)
{
	const struct heap_runtime *runtime = defers->resources->runtime;
	int err = 0;

	if (n < MIN_SAME || !is_code(runtime, same->pc))
		return 0;
	for (size_t i = 0; i < n && !err; i++)
		err = resources__add(defers->resources,
				     &(struct heap_resource){
					     .kind = RESOURCE_DEFER,
					     .held = true,
					     .object = same[i].record,
					     .value = same[i].record,
					     .id = same[i].goid,
					     .function = same[i].pc - runtime->bias,
				     });
	return err;
}

static int add_all(struct defers *defers)
{
	int err = 0;

	if (defers->n)
		qsort(defers->all, defers->n, sizeof(*defers->all), by_statement);
	for (size_t from = 0, to; from < defers->n && !err; from = to) {
		const struct deferred *first = &defers->all[from];

		to = from + 1;
		while (to < defers->n && defers->all[to].goid == first->goid &&
		       defers->all[to].sp == first->sp && defers->all[to].pc == first->pc)
			to++;
		err = add_same(defers, first, to - from);
	}
	return err;
}

int resource_defers__take(struct heap_resources *resources, const struct heap_scan *scan)
{
	const struct go_layout *layout = resources->runtime->layout;
	struct defers *defers;
	int err;

	if (layout->defer_heap == GO_LAYOUT_ABSENT || record_size(layout) > RECORD_MAX)
		return 0;
	defers = calloc(1, sizeof(*defers));
	if (!defers)
		return -ENOMEM;
	defers->resources = resources;
	err = walk_all(defers, heap_scan__goroutines(scan));
	if (!err)
		err = add_all(defers);
	free(defers->all);
	free(defers);
	return err;
}
