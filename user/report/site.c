// SPDX-License-Identifier: Apache-2.0
#include "report/site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int built_site__set_stack(struct report_site *site, const struct report_frame *stack, size_t n)
{
	struct report_frame *copy = n ? malloc(n * sizeof(*copy)) : NULL;

	if (n && !copy)
		return -ENOMEM;
	if (n)
		memcpy(copy, stack, n * sizeof(*copy));
	site->stack = copy;
	site->n_stack = n;
	return 0;
}

void built_site__clear(struct report_site *site)
{
	free((void *)site->stack);
	free((void *)site->source);
}

static void merge_proofs(struct site_proof *into, const struct site_proof *from)
{
	into->level = max_of(into->level, from->level);
	into->path = into->holder ? into->path : from->path;
	into->holder = into->holder ? into->holder : from->holder;
	into->goroutines += from->goroutines;
	into->heap_bytes += from->heap_bytes;
	into->stack_bytes += from->stack_bytes;
	into->objects += from->objects;
}

void built_site__merge(struct report_site *into, const struct report_site *from)
{
	struct site_view *a = &into->view;
	const struct site_view *b = &from->view;

	a->goroutines += b->goroutines;
	a->parked += b->parked;
	a->running += b->running;
	a->created += b->created;
	a->exited += b->exited;
	a->oldest_park_ns = max_of(a->oldest_park_ns, b->oldest_park_ns);
	a->oldest_age_ns = max_of(a->oldest_age_ns, b->oldest_age_ns);
	a->waited_ns += b->waited_ns;
	a->parks += b->parks;
	a->growth_per_minute += b->growth_per_minute;
	merge_proofs(&a->proof, &b->proof);
}
