// SPDX-License-Identifier: Apache-2.0
/* Whether goroutines of a young process came evenly, as the collections that found them tell. */
#include "track/gc_steps.h"

#include <criterion/criterion.h>

#include "track/ticks.h"

#define SECOND ticks__of(NSEC_PER_SEC)

static const double collections[] = {2, 4, 8, 16, 32};

/* A process that is 60 seconds old, and was collected whenever its heap had doubled. */
static void make(struct gc_steps *steps)
{
	gc_steps__begin(steps, 1000 * SECOND, 60 * SECOND);
	for (size_t i = ARRAY_SIZE(collections); i-- > 0;) {
		uint64_t at = 940 * SECOND + (uint64_t)(collections[i] * (double)SECOND);

		gc_steps__note(steps, at);
		gc_steps__note(steps, at);
	}
}

Test(gc_steps, collections_are_told_once_and_in_order)
{
	struct gc_steps steps;

	make(&steps);
	cr_assert_eq(steps.n, 5);
	for (size_t i = 1; i < 5; i++)
		cr_expect_lt(steps.ticks[i - 1], steps.ticks[i]);
	cr_expect_eq(gc_steps__of(&steps, 0), 0);
	cr_expect_eq(gc_steps__of(&steps, steps.ticks[3]), 3);
	cr_expect_eq(gc_steps__of(&steps, steps.ticks[3] - 1), 2);
	cr_expect_eq(gc_steps__of(&steps, 999 * SECOND), 4, "what no collection has noted");
	gc_steps__note(&steps, 999 * SECOND + SECOND / 2);
	cr_expect_eq(steps.n, 5, "that is when it was read");
}

Test(gc_steps, as_many_as_the_steps_are_long)
{
	/* 4 to 8 s, 8 to 16, 16 to 32, 32 to 60: a hundred a second. */
	const uint32_t counts[] = {17, 400, 800, 1600, 2800};
	struct gc_steps steps;
	struct gc_steps_rise rise;

	make(&steps);
	cr_assert(gc_steps__rise(&steps, counts, &rise));
	cr_expect_eq(rise.arrived, 5600);
	cr_expect_eq(rise.span_ns / NSEC_PER_SEC, 55);
	cr_expect_eq(rise.periods, 4);
	cr_expect_eq(rise.periods_with, 4);
}

Test(gc_steps, not_what_comes_in_a_burst_slows_down_or_has_stopped)
{
	static const struct {
		const char *what;
		uint32_t counts[5];
		bool rises;
	} cases[] = {
		{"one step with few", {0, 400, 390, 1600, 2800}, true},
		{"two of them", {0, 150, 300, 1600, 2800}, false},
		{"all at the start", {5000, 3, 3, 3, 3}, false},
		{"most at once", {0, 400, 800, 9000, 2800}, false},
		{"it has stopped", {0, 400, 800, 1600, 0}, false},
		{"it slows down", {0, 800, 1000, 1200, 600}, false},
		{"the connections of clients that start one after another",
		 {0, 0, 0, 1000, 0},
		 false},
		{"nobody", {0}, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gc_steps steps;
		struct gc_steps_rise rise;

		make(&steps);
		cr_expect_eq(gc_steps__rise(&steps, cases[i].counts, &rise) && rise.arrived,
			     cases[i].rises, "%s", cases[i].what);
	}
}

Test(gc_steps, too_few_collections_say_nothing)
{
	const uint32_t counts[GC_STEPS_MAX] = {0, 1000, 1000, 1000};
	struct gc_steps steps;
	struct gc_steps_rise rise;

	gc_steps__begin(&steps, 1000 * SECOND, 60 * SECOND);
	cr_expect_not(gc_steps__rise(&steps, counts, &rise), "none at all");
	for (unsigned int i = 1; i <= 4; i++)
		gc_steps__note(&steps, 940 * SECOND + i * 10 * SECOND);
	cr_expect_not(gc_steps__rise(&steps, counts, &rise), "three steps");
	for (unsigned int i = 0; i < GC_STEPS_MAX; i++)
		gc_steps__note(&steps, 900 * SECOND + i * SECOND);
	cr_expect(steps.too_many);
	cr_expect_not(gc_steps__rise(&steps, counts, &rise), "not all are known");
}

Test(gc_steps, steps_that_are_very_short_are_one_with_the_next)
{
	const uint32_t counts[] = {0, 80, 700, 5, 1200, 1200, 5};
	struct gc_steps steps;
	struct gc_steps_rise rise;

	gc_steps__begin(&steps, 1000 * SECOND, 60 * SECOND);
	gc_steps__note(&steps, 941 * SECOND);
	gc_steps__note(&steps, 950 * SECOND);
	gc_steps__note(&steps, 951 * SECOND);
	gc_steps__note(&steps, 961 * SECOND);
	gc_steps__note(&steps, 961 * SECOND + 20);
	gc_steps__note(&steps, 975 * SECOND);
	gc_steps__note(&steps, 989 * SECOND);
	cr_expect_not(gc_steps__rise(&steps, counts, &rise), "none came of late");
	cr_assert_eq(steps.n, 7);
	cr_expect(
		gc_steps__rise(&steps, (const uint32_t[]){0, 80, 700, 5, 1200, 1200, 950}, &rise));
	cr_expect_eq(rise.periods, 4, "%u", rise.periods);
}
