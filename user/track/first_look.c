// SPDX-License-Identifier: Apache-2.0
#include "track/first_look.h"

#include <errno.h>
#include <stdlib.h>

#include "track/gc_steps.h"
#include "track/goid_order.h"
#include "track/tracker_internal.h"
#include "track/verdict_limits.h"

#define MAX_GC_NS (120 * NSEC_PER_SEC) /* src/runtime/proc.go forcegcperiod */

/* What is gathered of one site. */
struct members {
	uint64_t n;	      /* all */
	uint64_t moved_ticks; /* when one last came here that had been somewhere else */
	uint64_t stayed;      /* those that have waited here all their lives */
	uint64_t since_first; /* ... since the collection that noted the first wait of all */
	uint64_t first_goid, last_goid, oldest_ns; /* of those that stayed */
	struct age_histogram *waits; /* of those that stayed; NULL: there are too few */
	uint32_t *by_step; /* of those that stayed, by the collection that found them; likewise */
};

struct look {
	struct tracker *tracker;
	struct goid_order *order;
	uint64_t now, uptime_ns;
	uint64_t first_ticks; /* the first wait of all that the GC has noted */
	uint64_t gc_ns;	      /* how far the begin of a wait may lie before what the GC noted */
	struct gc_steps steps;
	struct members *members; /* by index of their site */
};

static int look_begin(struct look *look)
{
	struct tracker *tracker = look->tracker;
	uint32_t end = site_table__end(tracker->sites);

	look->order = goid_order__new(tracker->goroutines);
	look->members = calloc(end, sizeof(*look->members));
	if (!look->order || !look->members)
		return -ENOMEM;
	for (uint32_t i = 0; i < end; i++) {
		const struct site *site = site_table__at(tracker->sites, i);

		if (site->system || site->parked < SUSPECT_MIN_ARRIVED)
			continue;
		look->members[i].waits = calloc(1, sizeof(*look->members[i].waits));
		look->members[i].by_step = calloc(GC_STEPS_MAX, sizeof(uint32_t));
		if (!look->members[i].waits || !look->members[i].by_step)
			return -ENOMEM;
	}
	return 0;
}

static void look_end(struct look *look)
{
	for (uint32_t i = 0; look->members && i < site_table__end(look->tracker->sites); i++) {
		free(look->members[i].waits);
		free(look->members[i].by_step);
	}
	free(look->members);
	goid_order__free(look->order);
}

static void order_all(struct look *look)
{
	struct tracker *tracker = look->tracker;
	struct age_histogram waits = {0};
	const struct goroutine *g;
	uint32_t handle = 0;

	look->first_ticks = UINT64_MAX;
	gc_steps__begin(&look->steps, look->now, ticks__of(look->uptime_ns));
	while ((g = goroutine_table__next(tracker->goroutines, &handle))) {
		const struct site *site = site_table__at(tracker->sites, goroutine__site(g));

		if (!(g->flags & GOROUTINE_PARKED))
			continue;
		gc_steps__note(&look->steps, goroutine__parked_since(g));
		goid_order__note(look->order, goroutine__goid(g), goroutine__parked_since(g));
		age_histogram__add(&waits, ticks__age_ns(goroutine__parked_since(g), look->now));
		look->first_ticks = min_of(look->first_ticks, goroutine__parked_since(g));
		if (site->wait_class == WAIT_IO)
			goid_order__count(look->order, goroutine__goid(g));
	}
	goid_order__close(look->order);
	/* Collections are at most as far apart as the waits that they have noted. */
	look->gc_ns =
		age_histogram__widest_gap_ns(&waits, min_of((uint64_t)MAX_GC_NS, look->uptime_ns));
}

/*
 * The least that @g can have lived: since the longest wait of those created after it. Where nothing
 * was, its goid among all that were handed out is a guess, which no program should be accused by
 * but which may well excuse one: a quarter of it, since goroutines are not created evenly.
 */
static uint64_t least_life_ns(const struct look *look, const struct goroutine *g)
{
	uint64_t goid = goroutine__goid(g), max = max_of(look->tracker->max_goid, goid);
	double later = (double)(max - goid) / (double)max;
	uint64_t guess = (uint64_t)(later * (double)look->uptime_ns / FIRST_LOOK_UNEVEN);

	return max_of(guess, ticks__age_ns(goid_order__existed_at(look->order, goid), look->now));
}

/* Whether @g has been somewhere else in its life, or left this wait and came back. */
static bool has_moved(const struct look *look, const struct goroutine *g)
{
	uint64_t wait = ticks__age_ns(goroutine__parked_since(g), look->now);

	uint64_t before =
		min_of((uint64_t)FIRST_LOOK_BEFORE_NS, look->uptime_ns / FIRST_LOOK_BEFORE_PART);

	return (double)(wait + look->gc_ns + before) <
	       FIRST_LOOK_LIFE_SHARE * (double)least_life_ns(look, g);
}

static void note_stayed(const struct look *look, struct members *members, const struct goroutine *g)
{
	uint64_t goid = goroutine__goid(g), since = goroutine__parked_since(g);
	uint64_t wait_ns = ticks__age_ns(since, look->now);

	members->first_goid = members->stayed ? min_of(members->first_goid, goid) : goid;
	members->last_goid = max_of(members->last_goid, goid);
	members->oldest_ns = max_of(members->oldest_ns, wait_ns);
	members->stayed++;
	if (members->by_step)
		members->by_step[gc_steps__of(&look->steps, since)]++;
	if (since == look->first_ticks)
		members->since_first++;
	else if (members->waits)
		age_histogram__add(members->waits, wait_ns);
}

static void look_at_members(struct look *look)
{
	const struct goroutine *g;
	uint32_t handle = 0;

	while ((g = goroutine_table__next(look->tracker->goroutines, &handle))) {
		struct members *members = &look->members[goroutine__site(g)];
		uint64_t since = goroutine__parked_since(g);

		members->n++;
		if (!(g->flags & GOROUTINE_PARKED))
			continue;
		if (has_moved(look, g))
			members->moved_ticks =
				max_of(members->moved_ticks,
				       collections__bound(&look->tracker->collections, since,
							  look->tracker->parks_ticks));
		else
			note_stayed(look, members, g);
	}
}

/*
 * The first collection may come long after the process' start: the runtime only collects every two
 * minutes once there has been one (src/runtime/mgc.go gcTrigger.test). Members that the first two found
 * waiting had come at any time before the second, and have the end of the first. They are taken to have
 * come evenly from the process' start on; if that is not so, the rest does not go on in the same way.
 */
static void spread_first(const struct look *look, struct members *members)
{
	uint64_t before_ns = look->uptime_ns - min_of(look->uptime_ns, members->oldest_ns);
	uint64_t second =
		collections__bound(&look->tracker->collections, look->first_ticks, look->now);
	uint64_t least_ns =
		second < look->now ? ticks__age_ns(second, look->now) : members->oldest_ns;
	uint64_t span_ns = look->uptime_ns - min_of(look->uptime_ns, least_ns);

	for (uint64_t i = 0; i < members->since_first; i++)
		age_histogram__add(members->waits,
				   least_ns + (uint64_t)((double)span_ns * (double)i /
							 (double)members->since_first));
	if (members->since_first)
		members->oldest_ns += before_ns;
}

/* Members that came in each of @periods equal parts of the time since the first one did. */
static bool spread_out(const struct members *members, unsigned int periods, unsigned int *ret_with)
{
	double even = (double)members->stayed / periods;

	*ret_with = 0;
	for (unsigned int i = 0; i < periods; i++) {
		uint64_t from = members->oldest_ns * i / periods;
		uint64_t to = members->oldest_ns * (i + 1) / periods;
		double here = age_histogram__between(members->waits, from,
						     i + 1 == periods ? UINT64_MAX : to);

		if (here > (double)members->stayed * SUSPECT_PERIOD_MAX_SHARE)
			return false;
		*ret_with += here >= even * SUSPECT_PERIOD_MIN_SHARE;
	}
	return *ret_with >= max_of(GROWTH_MIN_PERIODS, periods - 1);
}

/*
 * Fewer came in the later half than in the earlier one, by more than two standard deviations and
 * what the distance of two collections can move from one half to the other.
 */
static bool slows_down(const struct look *look, const struct members *members)
{
	double later = age_histogram__between(members->waits, 0, members->oldest_ns / 2);
	double earlier = (double)members->stayed - later;
	double blurred = (double)members->stayed * (double)look->gc_ns / (double)members->oldest_ns;
	double fewer = earlier - later - blurred;

	return fewer > 0 && fewer * fewer > GROWTH_SIGMAS * GROWTH_SIGMAS * (double)members->stayed;
}

static bool goes_on(const struct look *look, const struct members *members)
{
	uint64_t usual_gap = members->oldest_ns / members->stayed;

	return age_histogram__youngest_ns(members->waits) <=
	       GROWTH_MAX_GAPS * usual_gap + look->gc_ns;
}

static bool came_one_by_one(const struct look *look, struct members *members,
			    unsigned int *ret_periods, unsigned int *ret_with)
{
	if (!members->waits || members->stayed < SUSPECT_MIN_ARRIVED ||
	    (double)members->stayed < (double)members->n * SUSPECT_MIN_SHARE ||
	    members->oldest_ns < SUSPECT_MIN_NS)
		return false;
	spread_first(look, members);
	*ret_periods =
		(unsigned int)min_of(members->oldest_ns / MAX_GC_NS, (uint64_t)SUSPECT_PERIODS);
	return (double)members->oldest_ns >= (double)look->uptime_ns * SUSPECT_MIN_LIFE_SHARE &&
	       spread_out(members, *ret_periods, ret_with) && !slows_down(look, members) &&
	       goes_on(look, members);
}

/* Very many in a process that is young: what a watch would call a leak after as long. */
static bool came_while_young(const struct look *look, const struct members *members,
			     struct first_look *first)
{
	struct gc_steps_rise rise;

	if (!members->waits || look->uptime_ns >= SUSPECT_MIN_NS ||
	    (double)members->stayed < (double)members->n * SUSPECT_MIN_SHARE ||
	    !gc_steps__rise(&look->steps, members->by_step, &rise) ||
	    rise.arrived < SUSPECT_YOUNG_ARRIVED || rise.span_ns < SUSPECT_YOUNG_NS ||
	    (double)rise.span_ns < (double)look->uptime_ns * SUSPECT_MIN_LIFE_SHARE)
		return false;
	first->arrived = rise.arrived;
	first->span_ns = rise.span_ns;
	first->periods = rise.periods;
	first->periods_with = rise.periods_with;
	return true;
}

static bool came_all_the_time(const struct look *look, struct members *members,
			      struct first_look *first)
{
	unsigned int periods, periods_with;

	if (!came_one_by_one(look, members, &periods, &periods_with))
		return false;
	first->arrived = members->stayed;
	first->span_ns = members->oldest_ns;
	first->periods = periods;
	first->periods_with = periods_with;
	return true;
}

static void conclude(const struct look *look, uint32_t index)
{
	struct site *site = site_table__at(look->tracker->sites, index);
	struct members *members = &look->members[index];

	site->first_look.moved_ticks = members->moved_ticks;
	if (!came_while_young(look, members, &site->first_look) &&
	    !came_all_the_time(look, members, &site->first_look))
		return;
	site->first_look.connections =
		goid_order__counted(look->order, members->first_goid, members->last_goid);
}

int first_look__take(struct tracker *tracker, uint64_t now_ticks)
{
	struct look look = {
		.tracker = tracker,
		.now = now_ticks,
		.uptime_ns = ticks__age_ns(tracker->process_ticks, now_ticks),
	};
	int err = look_begin(&look);

	if (!err) {
		order_all(&look);
		look_at_members(&look);
		for (uint32_t i = 0; i < site_table__end(tracker->sites); i++)
			conclude(&look, i);
	}
	look_end(&look);
	return err;
}
