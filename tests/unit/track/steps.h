/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_TRACK_STEPS_H
#define GLEAKD_TESTS_TRACK_STEPS_H

/* What happens to one goroutine, a step at a time. */
#include "track/tracker.h"

#include <criterion/criterion.h>

#include "world.h"

#define AT(seconds) (WORLD_START + (uint64_t)((seconds)*1e9))
#define GO_PC	    0x1001
#define START_PC    0x1000
#define OTHER_START 0x2000

/* Short forms, all times in seconds since the attach. */
static inline void created(struct tracker *t, uint64_t goid, double at)
{
	tracker__created(t, goid, GO_PC, START_PC, AT(at));
}

static inline void exited(struct tracker *t, uint64_t goid, double at)
{
	tracker__exited(t, goid, AT(at));
}

static inline void parked(struct tracker *t, uint64_t goid, double at)
{
	tracker__parked(t, goid, AT(at));
}

static inline struct tracker_sighting sighting(uint64_t goid, uint32_t stack, double at)
{
	return (struct tracker_sighting){
		.goid = goid,
		.creation_pc = GO_PC,
		.start_pc = START_PC,
		.read_at_ns = AT(at),
		.stack_id = stack,
		.place = stack,
		.wait_reason = WAIT_CHAN_SEND,
		.parked = stack != 0,
	};
}

static inline uint32_t seen(struct tracker *t, uint64_t goid, uint32_t stack, double at)
{
	const struct tracker_sighting s = sighting(goid, stack, at);

	return tracker__census_seen(t, &s);
}

/* A census that sees one goroutine, or none with goid 0. */
static inline uint32_t census(struct tracker *t, uint64_t goid, uint32_t stack, double at)
{
	uint32_t handle = 0;

	tracker__census_begin(t, AT(at));
	if (goid)
		handle = seen(t, goid, stack, at);
	tracker__census_end(t, AT(at));
	return handle;
}

static inline void expect_totals(struct tracker *t, uint64_t alive, uint64_t n_created,
				 uint64_t n_exited, uint64_t repaired, const char *when)
{
	struct tracker_totals totals = totals_of(t);

	cr_expect_eq(totals.alive, alive, "%s: alive %lu", when, totals.alive);
	cr_expect_eq(totals.created, n_created, "%s: created %lu", when, totals.created);
	cr_expect_eq(totals.exited, n_exited, "%s: exited %lu", when, totals.exited);
	cr_expect_eq(totals.repaired, repaired, "%s: repaired %lu", when, totals.repaired);
}

static inline double park_age(struct tracker *t, uint32_t stack, double now)
{
	struct site_view view = {0};

	cr_assert(view_of(t, START_PC, stack, AT(now), &view));
	return (double)view.oldest_park_ns / 1e9;
}

#endif /* GLEAKD_TESTS_TRACK_STEPS_H */
