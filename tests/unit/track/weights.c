// SPDX-License-Identifier: Apache-2.0
/* Confidence: that it is the sum that it says it is, and that evidence moves it the right way. */
#include <criterion/criterion.h>
#include <math.h>

#include "track/verdict.h"
#include "track/verdict_limits.h"

#define SECOND NSEC_PER_SEC

static struct evidence evidence(void)
{
	static const struct length_histogram nobody;

	return (struct evidence){
		.wait_class = WAIT_CHAN_RECEIVE,
		.goroutines = 60,
		.parked = 60,
		.parked_min_age = 50,
		.oldest_park_ns = 600 * SECOND,
		.ended_parks = &nobody,
		.ended_lives = &nobody,
		.quiet_ns = UINT64_MAX,
		.moved_ns = UINT64_MAX,
		.min_age_ns = 10 * SECOND,
		.trend = {.samples = 30, .rise = 50},
		.alarm_age_ns = UINT64_MAX,
	};
}

static const struct growth growth = {
	.stay_ns = 10 * SECOND,
	.window_ns = 50 * SECOND,
	.stayed = 50,
	.periods = 6,
	.periods_with = 6,
};

static double of_leak(const struct evidence *e, const struct growth *g)
{
	struct judgement judgement = {0};

	weights__of_leak(e, g, &judgement);
	return judgement.confidence;
}

Test(weights, the_confidence_is_their_sum)
{
	struct evidence e = evidence();
	struct judgement judgement = {0};
	double sum = 0;

	weights__of_leak(&e, &growth, &judgement);
	cr_assert_geq(judgement.n_weights, 4);
	for (size_t i = 0; i < judgement.n_weights; i++) {
		sum += judgement.weights[i].decibans;
		cr_expect_neq(judgement.weights[i].text[0], '\0');
		if (i)
			cr_expect_leq(fabs(judgement.weights[i].decibans),
				      fabs(judgement.weights[i - 1].decibans), "heaviest first");
	}
	cr_expect_float_eq(judgement.confidence, fmin(1 / (1 + pow(10, -sum / 10)), 0.99), 1e-9);
}

Test(weights, never_certain)
{
	struct evidence e = evidence();
	struct growth endless = growth;

	e.wait_class = WAIT_NIL_CHAN;
	endless.stayed = 1e6;
	endless.window_ns = 100000 * SECOND;
	cr_expect_float_eq(of_leak(&e, &endless), CONFIDENCE_MAX, 1e-9);
}

Test(weights, a_fresh_alarm_is_unsure_and_an_old_one_sure)
{
	struct evidence e = evidence();
	struct growth fresh = growth;

	fresh.window_ns = 16 * SECOND;
	fresh.stayed = 8;
	cr_expect_lt(of_leak(&e, &fresh), 0.9);
	cr_expect_gt(of_leak(&e, &fresh), 0.5);
	cr_expect_gt(of_leak(&e, &growth), 0.9);
}

/* Each piece of evidence against a leak lowers the confidence. */
Test(weights, what_speaks_against_a_leak)
{
	struct evidence base = evidence(), e;
	struct growth fresh = growth, g;
	double confidence;

	fresh.stayed = 12;
	fresh.window_ns = 20 * SECOND;
	confidence = of_leak(&base, &fresh);
	g = fresh;
	g.left = 1;
	cr_expect_lt(of_leak(&base, &g), confidence, "somebody left");
	g = fresh;
	g.of_lives = true;
	cr_expect_lt(of_leak(&base, &g), confidence, "they wake up");
	g = fresh;
	g.in_step = IN_STEP;
	cr_expect_lt(of_leak(&base, &g), confidence, "with connections");
	g = fresh;
	g.periods_with = 5;
	cr_expect_lt(of_leak(&base, &g), confidence, "not in every period");
	e = base;
	e.nature = NATURE_CONNECTION;
	cr_expect_lt(of_leak(&e, &fresh), confidence, "one per connection");
	e = base;
	e.objects = (struct site_objects){.looked_at = 12, .distinct = 1, .shared_by = 12};
	cr_expect_lt(of_leak(&e, &fresh), confidence, "a pool");
	e = base;
	e.objects = (struct site_objects){
		.looked_at = 12, .distinct = 24, .shared_by = 1, .with_timer = 12};
	cr_expect_lt(of_leak(&e, &fresh), confidence, "a timer");
	e = base;
	e.inexact = true;
	cr_expect_lt(of_leak(&e, &fresh), confidence, "losses");
}

Test(weights, what_speaks_for_a_leak)
{
	struct evidence base = evidence(), e;
	struct growth fresh = growth;
	double confidence;

	fresh.stayed = 12;
	fresh.window_ns = 20 * SECOND;
	confidence = of_leak(&base, &fresh);
	e = base;
	e.nature = NATURE_ABANDONED;
	cr_expect_gt(of_leak(&e, &fresh), confidence, "left unfinished");
	e = base;
	e.wait_class = WAIT_CHAN_SEND;
	cr_expect_gt(of_leak(&e, &fresh), confidence, "a send");
	e = base;
	e.objects = (struct site_objects){.looked_at = 12, .distinct = 12, .shared_by = 1};
	cr_expect_gt(of_leak(&e, &fresh), confidence, "each its own");
}

static double of_stuck(const struct evidence *e)
{
	struct judgement judgement = {0};

	weights__of_stuck(e, &judgement);
	return judgement.confidence;
}

Test(weights, stuck_by_reason_and_time)
{
	struct evidence e = evidence();
	double lock, lone;

	e.wait_class = WAIT_NIL_CHAN;
	cr_expect_gt(of_stuck(&e), 0.98);
	e.wait_class = WAIT_LOCK;
	e.oldest_park_ns = 60 * SECOND;
	lock = of_stuck(&e);
	e.oldest_park_ns = 600 * SECOND;
	cr_expect_gt(of_stuck(&e), lock + 0.1);
	e.wait_class = WAIT_CHAN_SEND;
	e.parked = 1;
	lone = of_stuck(&e);
	e.parked = 7;
	cr_expect_gt(of_stuck(&e), lone + 0.1);
}

Test(weights, a_rise_alone_is_worth_little)
{
	struct evidence e = evidence();
	struct judgement judgement = {0};

	weights__of_rise(&e, &judgement);
	cr_expect_lt(judgement.confidence, 0.5);
	cr_expect_gt(judgement.confidence, 0.05);
}
