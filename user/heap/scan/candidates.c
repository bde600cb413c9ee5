// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>

#include "base/bisect.h"

#include "heap/scan/private.h"

static int by_object(const void *a, const void *b)
{
	const struct scan_waiter *x = a, *y = b;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	return x->g < y->g ? -1 : x->g > y->g;
}

static void reach(struct heap_scan *scan, uint32_t i, enum heap_root_kind kind)
{
	struct heap_goroutine *g = &scan->goroutines.all[i];

	if (g->reached_by != HEAP_ROOT_NONE)
		return;
	g->reached_by = (uint8_t)kind;
	scan->reached[scan->n_reached++] = i; /* each candidate once: there is room for all */
}

/* What is no object of the heap the program can always get at (src/runtime/mbitmap.go). */
static int watch(struct heap_scan *scan, uint32_t i)
{
	const struct heap_goroutine *g = &scan->goroutines.all[i];

	for (uint32_t w = 0; w < g->n_waits; w++) {
		const struct heap_wait *wait = &scan->goroutines.waits[g->first_wait + w];
		uint64_t object = heap_mark__object(scan->mark, wait->object, NULL);
		int err;

		heap_mark__hide(scan->mark, wait->sudog);
		if (!object) {
			reach(scan, i, HEAP_ROOT_NOT_HEAP);
			continue;
		}
		scan->by_object[scan->n_by_object++] = (struct scan_waiter){object, i};
		err = heap_mark__watch(scan->mark, wait->object);
		if (err)
			return err;
	}
	return 0;
}

int scan_candidates__prepare(struct heap_scan *scan)
{
	struct heap_goroutines *goroutines = &scan->goroutines;

	scan->by_object = malloc(goroutines->n_waits * sizeof(scan->by_object[0]) + 1);
	scan->reached = malloc(goroutines->n * sizeof(scan->reached[0]) + 1);
	if (!scan->by_object || !scan->reached)
		return -ENOMEM;
	for (size_t i = 0; i < goroutines->n; i++)
		heap_mark__hide(scan->mark, goroutines->all[i].address);
	for (size_t i = 0; i < goroutines->n; i++) {
		int err = goroutines->all[i].candidate ? watch(scan, (uint32_t)i) : 0;

		if (err)
			return err;
	}
	if (scan->n_by_object)
		qsort(scan->by_object, scan->n_by_object, sizeof(scan->by_object[0]), by_object);
	return 0;
}

static size_t first_of(const struct heap_scan *scan, uint64_t object)
{
	return bisect(scan->n_by_object, i, scan->by_object[i].object < object);
}

int scan_candidates__settle(struct heap_scan *scan, enum heap_root_kind kind)
{
	uint64_t object;

	while ((object = heap_mark__woken(scan->mark))) {
		for (size_t i = first_of(scan, object);
		     i < scan->n_by_object && scan->by_object[i].object == object; i++)
			reach(scan, scan->by_object[i].g, kind);
	}
	return heap_mark__failed(scan->mark);
}

int scan_candidates__add_stack(struct heap_scan *scan, uint32_t i)
{
	struct heap_goroutine *g = &scan->goroutines.all[i];

	for (uint32_t w = 0; w < g->n_waits; w++)
		heap_mark__reveal(scan->mark, scan->goroutines.waits[g->first_wait + w].sudog);
	g->scanned = true;
	return heap_stacks__add(scan->stacks, g);
}

int scan_candidates__add_stacks(struct heap_scan *scan)
{
	while (scan->n_reached) {
		int err = scan_candidates__add_stack(scan, scan->reached[--scan->n_reached]);

		if (err)
			return err;
	}
	return 0;
}
