// SPDX-License-Identifier: Apache-2.0
#include "track/history.h"

#include <criterion/criterion.h>

#include "track/ticks.h"

#define SECOND NSEC_PER_SEC

static void add(struct history *history, uint64_t second, uint32_t goroutines)
{
	const struct history_sample sample = {
		.ticks = ticks__of(second * SECOND),
		.goroutines = goroutines,
		.arrivals = 3,
		.departures = 2,
	};

	history__add(history, &sample);
}

Test(history, needs_three_samples)
{
	struct history history = {0};
	struct trend trend;

	add(&history, 1, 10);
	add(&history, 2, 20);
	history__trend(&history, 0, &trend);
	cr_expect_eq(trend.samples, 0);
	cr_expect_eq(trend.per_minute, 0);
	add(&history, 3, 30);
	history__trend(&history, 0, &trend);
	cr_expect_eq(trend.samples, 3);
	cr_expect_float_eq(trend.per_minute, 600, 3);
	cr_expect(trend.steady);
	cr_expect_float_eq(trend.rise, 20, 1e-9);
}

Test(history, stays_bounded_and_covers_all_of_the_past)
{
	struct history history = {0};
	struct trend trend;
	uint64_t arrivals = 0;

	for (uint32_t s = 1; s <= 100000; s++) {
		add(&history, s, s);
		cr_assert_leq(history.count, HISTORY_SAMPLES);
	}
	cr_expect_eq(history.tiers[0]->count, HISTORY_TIER_SAMPLES);
	cr_expect_eq(history.tiers[1]->count, 27);
	for (uint32_t i = 0; i < history.count; i++) {
		arrivals += history.samples[i].arrivals;
		if (i)
			cr_assert_gt(history.samples[i].ticks, history.samples[i - 1].ticks);
	}
	cr_expect_eq(arrivals, 300000);
	for (uint32_t i = 0; i < 30; i++)
		cr_expect_eq(history.samples[history.count - 1 - i].goroutines, 100000 - i);
	history__trend(&history, 0, &trend);
	cr_expect_eq(history.samples[0].goroutines, 1);
	cr_expect_gt(trend.span_ns, 99990 * SECOND);
	cr_expect_float_eq(trend.per_minute, 60, 1);
	history__clear(&history);
	cr_expect_eq(history.count, 0);
}

Test(history, tiers_hold_the_last_value_and_all_flows_of_each_step)
{
	struct history history = {0};
	const struct history_tier *minutes, *hours;

	for (uint32_t s = 1; s <= 3 * 3600 + 60; s++)
		add(&history, s, s);
	minutes = history.tiers[0];
	hours = history.tiers[1];
	cr_assert_eq(minutes->count, HISTORY_TIER_SAMPLES);
	cr_assert_eq(hours->count, 3);
	cr_expect_null(history.tiers[2], "no day is over");
	for (uint32_t i = 0; i < minutes->count; i++) {
		/* Ticks are rounded down: a second next to the border may fall to either side. */
		cr_expect_float_eq((double)minutes->samples[i].arrivals, 180, 3);
		if (i)
			cr_expect_float_eq((double)minutes->samples[i].goroutines -
						   minutes->samples[i - 1].goroutines,
					   60, 1);
	}
	cr_expect_float_eq((double)hours->samples[1].arrivals, 3 * 3600, 3);
	cr_expect_float_eq((double)hours->samples[1].departures, 2 * 3600, 2);
	history__clear(&history);
}

Test(history, points_cover_all_of_the_past)
{
	struct history history = {0};
	struct history_sample points[24];
	uint64_t arrivals = 0;
	size_t n;

	cr_expect_eq(history__points(&history, points, 24), 0);
	for (uint32_t s = 10; s <= 200000; s += 10)
		add(&history, s, s);
	n = history__points(&history, points, 24);
	cr_assert_eq(n, 24);
	for (size_t i = 0; i < n; i++) {
		arrivals += points[i].arrivals;
		if (i)
			cr_expect_gt(points[i].ticks, points[i - 1].ticks);
	}
	cr_expect_leq(points[0].goroutines, 3600);
	cr_expect_eq(points[n - 1].goroutines, 200000);
	/* Where a coarse tier meets a finer one, flows of less than a step are told twice. */
	cr_expect_geq(arrivals, 60000 - 3 * 360);
	cr_expect_leq(arrivals, 60000 + 2 * 3 * 360, "%lu", arrivals);
	cr_expect_eq(history__points(&history, points, 1), 1);
	cr_expect_eq(points[0].goroutines, 200000);
	history__clear(&history);
}

Test(history, a_copy_is_independent)
{
	struct history history = {0}, copy = {0};

	for (uint32_t s = 1; s <= 601; s++)
		add(&history, s, s);
	history__copy(&copy, &history);
	history__clear(&history);
	cr_assert_not_null(copy.tiers[0]);
	cr_expect_eq(copy.tiers[0]->count, 10);
	cr_expect_eq(copy.samples[copy.count - 1].goroutines, 601);
	history__clear(&copy);
}

Test(history, rise_between_two_times)
{
	struct history history = {0};

	cr_expect_eq(history__rise(&history, 0, ticks__of(9 * SECOND)), 0);
	for (uint32_t s = 1; s <= 30; s++)
		add(&history, s, s <= 20 ? s * 2 : 40 - s);
	cr_expect_eq(history__rise(&history, ticks__of(5 * SECOND), ticks__of(15 * SECOND)), 20);
	cr_expect_eq(history__rise(&history, 0, ticks__of(20 * SECOND)), 38);
	cr_expect_eq(history__rise(&history, ticks__of(20 * SECOND), ticks__of(30 * SECOND)), 0,
		     "it fell");
}

Test(history, slope_bears_outliers)
{
	struct history history = {0};
	struct trend trend;

	for (uint32_t s = 1; s <= 40; s++)
		add(&history, s, s % 10 == 3 ? 5000 : 100);
	history__trend(&history, 0, &trend);
	cr_expect_eq(trend.per_minute, 0);
	cr_expect_eq(trend.rise, 0);
}

Test(history, window_leaves_the_rest_out)
{
	struct history history = {0};
	struct trend trend;

	for (uint32_t s = 1; s <= 20; s++)
		add(&history, s, 1000 - s * 10);
	for (uint32_t s = 21; s <= 40; s++)
		add(&history, s, s * 10);
	history__trend(&history, ticks__of(21 * SECOND), &trend);
	cr_expect_eq(trend.samples, 20);
	cr_expect_float_eq(trend.per_minute, 600, 3);
	history__trend(&history, 0, &trend);
	cr_expect_not(trend.steady);
}

Test(history, same_time_replaces)
{
	struct history history = {0};

	add(&history, 1, 10);
	add(&history, 1, 12);
	cr_expect_eq(history.count, 1);
	cr_expect_eq(history.samples[0].goroutines, 12);
	cr_expect_eq(history.samples[0].arrivals, 6);
}
