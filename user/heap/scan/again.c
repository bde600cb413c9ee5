// SPDX-License-Identifier: Apache-2.0
/*
 * A racing scan's second look at goroutines. Whoever ran since may have taken the last reference to
 * something out of the heap before that part of it was read.
 */
#include <errno.h>
#include <stdlib.h>

#include "heap/scan/private.h"

#define BATCH 1024u

struct look {
	struct remote_span reads[BATCH];
	uint32_t numbers[BATCH];
	uint8_t data[BATCH][HEAP_G_MAX];
	size_t n;
};

typedef int (*look_fn)(struct heap_scan *scan, uint32_t i, const struct heap_g *now);

static int flush(struct heap_scan *scan, struct look *look, look_fn fn)
{
	int err;

	for (size_t i = 0; i < look->n; i++)
		look->reads[i] = (struct remote_span){
			.address = scan->goroutines.all[look->numbers[i]].address,
			.buffer = look->data[i],
			.size = scan->runtime->layout->g_sizeof,
		};
	err = remote__read_spans(scan->runtime->remote, look->reads, look->n);
	for (size_t i = 0; i < look->n && !err; i++) {
		struct heap_g now = {0};

		if (look->reads[i].result)
			scan->goroutines.unreadable++;
		else
			heap_g__decode(scan->runtime, look->data[i], &now);
		err = fn(scan, look->numbers[i], &now);
	}
	look->n = 0;
	return err;
}

static bool is_unreachable(const struct heap_goroutine *g)
{
	return g->candidate && g->reached_by == HEAP_ROOT_NONE;
}

/* Calls @fn for each goroutine, or only for the @unreachable ones, as it is now. */
static int look_at_all(struct heap_scan *scan, bool unreachable, look_fn fn)
{
	struct look *look = malloc(sizeof(*look));
	size_t n = scan->goroutines.n;
	int err = 0;

	if (!look)
		return -ENOMEM;
	look->n = 0;
	for (size_t i = 0; i < n && !err; i++) {
		if (!unreachable || is_unreachable(&scan->goroutines.all[i]))
			look->numbers[look->n++] = (uint32_t)i;
		if (look->n == BATCH || (look->n && i + 1 == n))
			err = flush(scan, look, fn);
	}
	if (!err && look->n)
		err = flush(scan, look, fn);
	free(look);
	return err;
}

static bool is_dead(const struct heap_g *g)
{
	return !g->goid || go_status__is_free(g->status);
}

static int look_again(struct heap_scan *scan, uint32_t i, const struct heap_g *now)
{
	struct heap_goroutine *g = &scan->goroutines.all[i];

	if (g->fingerprint == now->fingerprint && go_status__waits(now->status) && !now->m)
		return 0;
	if (is_unreachable(g))
		g->reached_by = HEAP_ROOT_MOVED;
	g->above = 0;
	return is_dead(now) ? 0 : scan_candidates__add_stack(scan, i);
}

int scan_again__add_stacks(struct heap_scan *scan)
{
	size_t old = scan->goroutines.n;
	int err = look_at_all(scan, false, look_again);

	if (!err)
		err = heap_goroutines__start(&scan->goroutines, true);
	if (!err)
		err = heap_goroutines__step(&scan->goroutines, 0);
	for (size_t i = old; i < scan->goroutines.n && !err; i++) {
		struct heap_goroutine *g = &scan->goroutines.all[i];

		/* What it waits on was not read in time. */
		heap_waits__drop(&scan->goroutines, g);
		g->scanned = true;
		err = heap_stacks__add(scan->stacks, g);
	}
	return err;
}

static int verify(struct heap_scan *scan, uint32_t i, const struct heap_g *now)
{
	struct heap_goroutine *g = &scan->goroutines.all[i];

	if (g->fingerprint != now->fingerprint)
		g->reached_by = HEAP_ROOT_MOVED;
	return 0;
}

int scan_again__verify(struct heap_scan *scan)
{
	return look_at_all(scan, true, verify);
}
