// SPDX-License-Identifier: Apache-2.0
/* What the heap shows, in the policy. */
#include <criterion/criterion.h>

#include "track/verdict.h"

#define SECOND NSEC_PER_SEC
#define MINUTE (60 * NSEC_PER_SEC)

static struct age_histogram none_aged;
static struct length_histogram none_ended;

/* Three receivers, for ten minutes: nothing but the heap speaks against them. */
static struct evidence waiting(void)
{
	return (struct evidence){
		.wait_class = WAIT_CHAN_RECEIVE,
		.goroutines = 3,
		.parked = 3,
		.parked_min_age = 3,
		.parked_long = 3,
		.parked_before = 3,
		.oldest_park_ns = 10 * MINUTE,
		.park_ages = &none_aged,
		.ended_parks = &none_ended,
		.ended_lives = &none_ended,
		.connections = &none_aged,
		.quiet_ns = UINT64_MAX,
		.moved_ns = UINT64_MAX,
		.min_age_ns = 10 * SECOND,
		.watched_ns = 10 * MINUTE,
		.trend = {.samples = 60,
			  .span_ns = 10 * MINUTE,
			  .first = 3,
			  .last = 3,
			  .steady = true},
		.alarm_age_ns = UINT64_MAX,
	};
}

Test(verdict_proof, what_nothing_leads_to_is_an_alarm_whatever_its_number)
{
	struct evidence e = waiting();
	struct judgement judgement;

	verdict__of(&e, &judgement);
	cr_expect_eq(judgement.verdict, VERDICT_IDLE);
	e.proof = (struct site_proof){.level = PROOF_CONFIRMED, .goroutines = 1};
	verdict__of(&e, &judgement);
	cr_expect_eq(judgement.verdict, VERDICT_STUCK);
	cr_expect_gt(judgement.confidence, 0.98);
	cr_expect_str_eq(judgement.why[0], "1 of 3 wait for what nothing leads to any more: "
					   "several scans of its heap confirm it");
	e.proof.level = PROOF_PROVEN;
	verdict__of(&e, &judgement);
	cr_expect_str_eq(judgement.why[0], "1 of 3 wait for what nothing leads to any more: one "
					   "consistent picture of the process proves it");
}

Test(verdict_proof, what_nothing_leads_to_and_grows_is_leaking_before_growth_alone_would_tell)
{
	struct evidence e = waiting();
	struct judgement judgement;

	e.came = 3;
	e.came_first_ns = 100 * SECOND;
	e.came_last_ns = 90 * SECOND;
	verdict__of(&e, &judgement);
	cr_expect_neq(judgement.verdict, VERDICT_LEAKING);
	e.proof = (struct site_proof){.level = PROOF_CONFIRMED, .goroutines = 3};
	verdict__of(&e, &judgement);
	cr_expect_eq(judgement.verdict, VERDICT_LEAKING);
}

static enum verdict verdict_of(const struct evidence *e)
{
	struct judgement judgement;

	verdict__of(e, &judgement);
	return judgement.verdict;
}

Test(verdict_proof, the_trend_does_not_turn_a_leak_into_a_fixed_set_and_back)
{
	struct evidence e = waiting();

	e.proof = (struct site_proof){.level = PROOF_CONFIRMED, .goroutines = 3};
	e.trend = (struct trend){.samples = 5,
				 .span_ns = 10 * SECOND,
				 .first = 1,
				 .last = 3,
				 .per_minute = 12,
				 .rise = 2,
				 .steady = true};
	cr_expect_eq(verdict_of(&e), VERDICT_STUCK);
	e.came = 3;
	e.came_first_ns = 1000 * SECOND;
	e.came_last_ns = 998 * SECOND;
	cr_expect_eq(verdict_of(&e), VERDICT_STUCK, "all came at once");
	e.came_last_ns = 600 * SECOND;
	cr_expect_eq(verdict_of(&e), VERDICT_LEAKING);
	e.trend.steady = false;
	e.trend.per_minute = 0;
	cr_expect_eq(verdict_of(&e), VERDICT_LEAKING);
	e.came = 2;
	cr_expect_eq(verdict_of(&e), VERDICT_STUCK, "two may be chance");
	e.came = 3;
	e.parked_min_age = 7;
	cr_expect_eq(verdict_of(&e), VERDICT_STUCK, "most can be woken");
}

Test(verdict_proof, a_leak_that_has_stopped_is_a_fixed_set_an_hour_later)
{
	struct evidence e = waiting();

	e.proof = (struct site_proof){.level = PROOF_CONFIRMED, .goroutines = 3};
	e.came = 3;
	e.came_first_ns = 5000 * SECOND;
	e.came_last_ns = 3600 * SECOND;
	cr_expect_eq(verdict_of(&e), VERDICT_LEAKING);
	e.came_last_ns++;
	cr_expect_eq(verdict_of(&e), VERDICT_STUCK);
	/* One every two hours: the next one is not late yet. */
	e.came_first_ns = 22 * 3600 * SECOND;
	e.came_last_ns = 6 * 3600 * SECOND;
	cr_expect_eq(verdict_of(&e), VERDICT_LEAKING);
}

Test(verdict_proof, the_runtimes_own_are_never_accused_by_the_heap)
{
	struct evidence e = waiting();
	struct judgement judgement;

	e.exempt = true;
	e.proof = (struct site_proof){.level = PROOF_PROVEN, .goroutines = 3};
	verdict__of(&e, &judgement);
	cr_expect_eq(judgement.verdict, VERDICT_IDLE);
}
