// SPDX-License-Identifier: Apache-2.0
#include "track/goid_order.h"

#include <stdlib.h>

struct goid_order {
	size_t n; /* steps */
	/* The first goid of each step. Smaller ones belong to the first step. */
	uint64_t goids[GOID_ORDER_STEPS];
	/* Begin of the longest wait in each step; once closed, in all later steps. */
	uint64_t since[GOID_ORDER_STEPS + 1];
	/* How many are counted in each step; once closed, in all steps before. */
	uint64_t counts[GOID_ORDER_STEPS + 1];
};

static int compare_goids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

struct goid_order *goid_order__new(const struct goroutine_table *goroutines)
{
	size_t every = goroutine_table__count(goroutines) / GOID_ORDER_STEPS + 1, i = 0;
	struct goid_order *order = calloc(1, sizeof(*order));
	const struct goroutine *g;
	uint32_t handle = 0;

	if (!order)
		return NULL;
	while ((g = goroutine_table__next(goroutines, &handle)))
		if (i++ % every == 0)
			order->goids[order->n++] = goroutine__goid(g);
	qsort(order->goids, order->n, sizeof(order->goids[0]), compare_goids);
	for (size_t step = 0; step <= order->n; step++)
		order->since[step] = UINT64_MAX;
	return order;
}

void goid_order__free(struct goid_order *order)
{
	free(order);
}

/* The last step that begins at @goid or before it. */
static size_t step_of(const struct goid_order *order, uint64_t goid)
{
	size_t low = 0, high = order->n;

	while (low + 1 < high) {
		size_t middle = (low + high) / 2;

		if (order->goids[middle] <= goid)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void goid_order__note(struct goid_order *order, uint64_t goid, uint64_t since_ticks)
{
	uint64_t *since = &order->since[step_of(order, goid)];

	*since = min_of(*since, since_ticks);
}

void goid_order__count(struct goid_order *order, uint64_t goid)
{
	order->counts[step_of(order, goid)]++;
}

void goid_order__close(struct goid_order *order)
{
	uint64_t earliest = UINT64_MAX, counted = 0;

	for (size_t step = order->n; step-- > 0;) {
		uint64_t here = order->since[step];

		order->since[step] = earliest;
		earliest = min_of(earliest, here);
	}
	for (size_t step = 0; step <= order->n; step++) {
		uint64_t here = order->counts[step];

		order->counts[step] = counted;
		counted += here;
	}
}

uint64_t goid_order__existed_at(const struct goid_order *order, uint64_t goid)
{
	return order->since[step_of(order, goid)];
}

uint64_t goid_order__counted(const struct goid_order *order, uint64_t first, uint64_t last)
{
	return order->counts[step_of(order, last) + 1] - order->counts[step_of(order, first)];
}
