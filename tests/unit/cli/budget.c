// SPDX-License-Identifier: Apache-2.0
#include "cli/budget.h"

#include <criterion/criterion.h>

#define START  (1000 * NSEC_PER_SEC)
#define MINUTE (60 * NSEC_PER_SEC)

static struct budget budget_of(double max_cpu)
{
	return (struct budget){.max_cpu = max_cpu, .started_ns = START};
}

/* Of two percent of a minute three quarters are 0.9 s. */
Test(budget, most_of_the_first_minute_is_there_at_once)
{
	const struct budget budget = budget_of(0.02);

	cr_expect_eq(budget__held_until(&budget, 0.89, START), 0);
	cr_expect_eq(budget__held_until(&budget, 0.89, START + MINUTE - 1), 0);
	cr_expect_eq(budget__held_until(&budget, 0.91, START + 1), START + MINUTE);
	cr_expect_eq(budget__held_until(&budget, 7, START + MINUTE / 2), START + MINUTE);
}

Test(budget, then_pauses_are_as_long_as_the_work_asks_for)
{
	struct budget budget = budget_of(0.02);
	uint64_t now = START + MINUTE, held;

	budget.begun_seconds = 0.9;
	held = budget__held_until(&budget, 0.915, now);
	cr_expect_geq(held, now + NSEC_PER_SEC - NSEC_PER_MSEC);
	cr_expect_leq(held, now + NSEC_PER_SEC + NSEC_PER_MSEC);
	cr_expect_eq(budget__held_until(&budget, 0.9, now), now);
	/* Whatever took that long, it is gone on with soon. */
	cr_expect_eq(budget__held_until(&budget, 97, now), now + 5 * NSEC_PER_SEC);
}

Test(budget, without_a_limit_nothing_waits)
{
	struct budget budget = budget_of(0);

	cr_expect_eq(budget__hold(&budget, START), 0);
}

/* --- over it --------------------------------------------------------------------------------------- */

Test(budget, users_new_processes_wait_before_everybody_does)
{
	struct budget budget = budget_of(0.02);

	cr_expect_eq(budget__looks_share(&budget), 0);
	budget.paced = true;
	cr_expect_float_eq(budget__looks_share(&budget), 0.005, 1e-9);
}

/* Of two percent of a minute 1.14 s, in which rounds come first. */
Test(budget, what_can_wait_is_paid_from_what_rounds_leave)
{
	struct budget budget = budget_of(0.02);

	cr_expect_eq(budget__wait_of(&budget, 1.13, 10 * NSEC_PER_SEC, START), 0);
	cr_expect_eq(budget__wait_of(&budget, 1.15, 10 * NSEC_PER_SEC, START + MINUTE / 4),
		     MINUTE / 4 * 3);
	/* Three rounds in half a minute. */
	budget.round_seconds = 0.05;
	cr_expect_eq(budget__wait_of(&budget, 0.98, 10 * NSEC_PER_SEC, START + MINUTE / 2), 0);
	cr_expect_eq(budget__wait_of(&budget, 1.0, 10 * NSEC_PER_SEC, START + MINUTE / 2),
		     MINUTE / 2);
	/* No more is kept for them than 0.33 s. */
	budget.round_seconds = 5;
	cr_expect_eq(budget__wait_of(&budget, 0.8, 10 * NSEC_PER_SEC, START + MINUTE / 2), 0);
	cr_expect_eq(budget__wait_of(&budget, 0.82, 10 * NSEC_PER_SEC, START + MINUTE / 2),
		     MINUTE / 2);
}

Test(budget, what_was_too_much_is_paid_back_in_the_next_minute)
{
	struct budget budget = budget_of(0.02);
	uint64_t now = START + MINUTE;

	cr_expect_gt(budget__wait_of(&budget, 2, 10 * NSEC_PER_SEC, START + 1), 0);
	/* 2 of 1.2 s: 0.8 s of the next are gone, and 0.34 are left. */
	cr_expect_eq(budget__wait_of(&budget, 2, 10 * NSEC_PER_SEC, now), 0);
	cr_expect_eq(budget__wait_of(&budget, 2.33, 10 * NSEC_PER_SEC, now + 1), 0);
	cr_expect_gt(budget__wait_of(&budget, 2.35, 10 * NSEC_PER_SEC, now + 1), 0);
	/* What was left is not there the next time. */
	now += MINUTE;
	cr_expect_eq(budget__wait_of(&budget, 2.35, 10 * NSEC_PER_SEC, now), 0);
	cr_expect_gt(budget__wait_of(&budget, 3.5, 10 * NSEC_PER_SEC, now + 1), 0);
}

Test(budget, where_nothing_is_left_something_begins_every_two_minutes)
{
	struct budget budget = budget_of(0.02);
	int begun = 0;

	for (uint64_t second = 1; second <= 600; second++)
		begun += !budget__wait_of(&budget, (double)second, 10 * NSEC_PER_SEC,
					  START + second * NSEC_PER_SEC);
	cr_expect_geq(begun, 4 * 10);
	cr_expect_leq(begun, 5 * 11 + 1);
}
