// SPDX-License-Identifier: Apache-2.0
#include "track/goid_clock.h"

#include <string.h>

/* Drops every second point of the older half: points are the sparser the older they are. */
static void thin_out(struct goid_clock *clock)
{
	const size_t half = GOID_CLOCK_POINTS / 2;

	for (size_t i = 0; i < half; i += 2)
		clock->points[i / 2] = clock->points[i];
	memmove(&clock->points[half / 2], &clock->points[half], half * sizeof(clock->points[0]));
	clock->n -= (uint32_t)half / 2;
}

void goid_clock__add(struct goid_clock *clock, uint64_t goid, uint64_t ticks)
{
	const struct goid_clock_point *last = clock->n ? &clock->points[clock->n - 1] : NULL;

	if (last && (goid <= last->goid || ticks <= last->ticks))
		return;
	if (clock->n == GOID_CLOCK_POINTS)
		thin_out(clock);
	clock->points[clock->n++] = (struct goid_clock_point){goid, ticks};
}

static uint64_t between(const struct goid_clock_point *a, const struct goid_clock_point *b,
			uint64_t goid)
{
	double share = (double)(goid - a->goid) / (double)(b->goid - a->goid);

	return a->ticks + (uint64_t)(share * (double)(b->ticks - a->ticks));
}

uint64_t goid_clock__created_at(const struct goid_clock *clock, uint64_t goid, uint64_t now)
{
	if (!clock->n || goid > clock->points[clock->n - 1].goid)
		return now;
	for (uint32_t i = 0; i < clock->n; i++) {
		if (goid > clock->points[i].goid)
			continue;
		return i ? between(&clock->points[i - 1], &clock->points[i], goid) :
			   clock->points[0].ticks;
	}
	return now;
}
