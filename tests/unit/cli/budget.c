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
