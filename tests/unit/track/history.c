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
