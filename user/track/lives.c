// SPDX-License-Identifier: Apache-2.0
#include "track/lives.h"

#include "track/tracker_internal.h"

void tracker__observe(struct tracker *tracker, const struct tracker_observer *observer)
{
	tracker->observer = *observer;
}

static struct tracker_place place_of(const struct tracker *tracker, const struct goroutine *g)
{
	const struct site *site = site_table__at(tracker->sites, goroutine__site(g));

	return (struct tracker_place){
		.site = goroutine__site(g),
		.creation_pc = site->key.creation_pc,
		.start_pc = site->key.start_pc,
		.place = site->key.place,
		.call_pc = site->key.call_pc,
		.stack_id = site->stack_id,
		.wait_reason = site->key.wait_reason,
	};
}

static struct tracker_life life_of(const struct tracker *tracker, const struct goroutine *g)
{
	return (struct tracker_life){
		.goid = goroutine__goid(g),
		.at = place_of(tracker, g),
		.begin_ns = goroutine__existed_since(g) << TICK_SHIFT,
		.created = g->flags & GOROUTINE_CREATED,
		.told = g->flags & GOROUTINE_TOLD,
	};
}

void lives__ended(struct tracker *tracker, const struct goroutine *g, uint64_t ticks)
{
	const struct tracker_observer *observer = &tracker->observer;
	struct tracker_life life;

	if (!observer->life || g->flags & GOROUTINE_SYSTEM)
		return;
	life = life_of(tracker, g);
	life.end_ns = max_of(ticks << TICK_SHIFT, life.begin_ns);
	observer->life(observer->ctx, &life);
}

void lives__unparked(struct tracker *tracker, const struct goroutine *g, uint64_t ticks)
{
	const struct tracker_observer *observer = &tracker->observer;
	struct tracker_park park;

	if (!observer->park || g->flags & GOROUTINE_SYSTEM ||
	    ticks__age_ns(goroutine__parked_since(g), ticks) < observer->long_park_ns)
		return;
	park = (struct tracker_park){
		.goid = goroutine__goid(g),
		.at = place_of(tracker, g),
		.begin_ns = goroutine__parked_since(g) << TICK_SHIFT,
		.end_ns = ticks << TICK_SHIFT,
	};
	observer->park(observer->ctx, &park);
}

void tracker__tell_alive(struct tracker *tracker, bool all)
{
	const struct tracker_observer *observer = &tracker->observer;
	struct goroutine *g;
	uint32_t handle = 0;

	if (!observer->life)
		return;
	while ((g = goroutine_table__next(tracker->goroutines, &handle))) {
		struct tracker_life life;

		if (g->flags & GOROUTINE_SYSTEM || (!all && g->flags & GOROUTINE_TOLD))
			continue;
		life = life_of(tracker, g);
		if (g->flags & GOROUTINE_PARKED)
			life.parked_since_ns = goroutine__parked_since(g) << TICK_SHIFT;
		g->flags |= GOROUTINE_TOLD;
		observer->life(observer->ctx, &life);
	}
}
