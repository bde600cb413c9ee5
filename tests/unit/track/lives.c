// SPDX-License-Identifier: Apache-2.0
/* Goroutines one by one: each life and each long park is told of once. */
#include "track/lives.h"

#include "steps.h"

#define MAX_TOLD 64

/* To a tick. */
#define expect_time(ns, seconds)                                                                \
	cr_expect((ns) <= AT(seconds) && AT(seconds) - (ns) < 1 << 18, "%lu is not %g s", (ns), \
		  (double)(seconds))

struct told {
	size_t n_lives, n_parks;
	struct tracker_life lives[MAX_TOLD];
	struct tracker_park parks[MAX_TOLD];
};

static void take_life(void *ctx, const struct tracker_life *life)
{
	struct told *told = ctx;

	cr_assert_lt(told->n_lives, MAX_TOLD);
	told->lives[told->n_lives++] = *life;
}

static void take_park(void *ctx, const struct tracker_park *park)
{
	struct told *told = ctx;

	cr_assert_lt(told->n_parks, MAX_TOLD);
	told->parks[told->n_parks++] = *park;
}

static struct tracker *observed_tracker(struct told *told)
{
	struct tracker *t = tracker_for_test(true);
	const struct tracker_observer observer = {
		.life = take_life,
		.park = take_park,
		.long_park_ns = NSEC_PER_SEC,
		.ctx = told,
	};

	*told = (struct told){0};
	tracker__observe(t, &observer);
	return t;
}

Test(lives, from_creation_to_exit)
{
	struct told told;
	struct tracker *t = observed_tracker(&told);

	created(t, 5, 1);
	cr_expect_eq(told.n_lives, 0);
	exited(t, 5, 4);
	exited(t, 5, 4);
	cr_assert_eq(told.n_lives, 1);
	cr_expect_eq(told.lives[0].goid, 5);
	cr_expect_eq(told.lives[0].at.creation_pc, GO_PC);
	cr_expect_eq(told.lives[0].at.start_pc, START_PC);
	cr_expect(told.lives[0].created);
	cr_expect_not(told.lives[0].told);
	expect_time(told.lives[0].begin_ns, 1);
	expect_time(told.lives[0].end_ns, 4);
	tracker__free(t);
}

Test(lives, one_that_a_census_does_not_see_any_more_has_ended)
{
	struct told told;
	struct tracker *t = observed_tracker(&told);

	census(t, 7, 9, 1);
	census(t, 0, 0, 3);
	cr_assert_eq(told.n_lives, 1);
	cr_expect_eq(told.lives[0].goid, 7);
	cr_expect_eq(told.lives[0].at.place, 9);
	cr_expect_not(told.lives[0].created);
	expect_time(told.lives[0].end_ns, 3);
	tracker__free(t);
}

Test(lives, those_that_exist_are_told_of_once_or_when_all_are_asked_for)
{
	struct told told;
	struct tracker *t = observed_tracker(&told);

	created(t, 11, 1);
	census(t, 11, 9, 2);
	tracker__tell_alive(t, false);
	cr_assert_eq(told.n_lives, 1);
	cr_expect_eq(told.lives[0].end_ns, 0);
	expect_time(told.lives[0].parked_since_ns, 2);
	tracker__tell_alive(t, false);
	cr_expect_eq(told.n_lives, 1);
	tracker__tell_alive(t, true);
	cr_assert_eq(told.n_lives, 2);
	cr_expect(told.lives[1].told);
	exited(t, 11, 5);
	cr_assert_eq(told.n_lives, 3);
	cr_expect(told.lives[2].told);
	expect_time(told.lives[2].begin_ns, 1);
	expect_time(told.lives[2].end_ns, 5);
	tracker__free(t);
}

Test(lives, long_parks_alone_are_told_of)
{
	struct told told;
	struct tracker *t = observed_tracker(&told);

	created(t, 13, 1);
	parked(t, 13, 2);
	parked(t, 13, 2.5);
	cr_expect_eq(told.n_parks, 0);
	parked(t, 13, 5);
	cr_assert_eq(told.n_parks, 1);
	cr_expect_eq(told.parks[0].goid, 13);
	expect_time(told.parks[0].begin_ns, 2.5);
	expect_time(told.parks[0].end_ns, 5);
	exited(t, 13, 9);
	cr_assert_eq(told.n_parks, 2);
	expect_time(told.parks[1].end_ns, 9);
	tracker__free(t);
}

Test(lives, of_the_runtimes_own_nobody_is_told)
{
	struct told told;
	struct tracker *t = observed_tracker(&told);

	tracker__created(t, 3, GO_PC, SYSTEM_START_PC, AT(1));
	parked(t, 3, 2);
	tracker__tell_alive(t, true);
	exited(t, 3, 9);
	cr_expect_eq(told.n_lives, 0);
	cr_expect_eq(told.n_parks, 0);
	tracker__free(t);
}
