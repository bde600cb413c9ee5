// SPDX-License-Identifier: Apache-2.0
#include "track/threads.h"

#include <criterion/criterion.h>

#define AT(seconds) ((1000 + (seconds)) * NSEC_PER_SEC)

Test(threads, rise_from_the_last_look_that_found_fewest)
{
	struct threads threads = {0};
	struct threads_rise rise;

	cr_expect_eq(threads__rise(&threads, 400, 0, AT(0)).over_ns, 0, "the first look");
	threads__note(&threads, 13, AT(0));
	threads__note(&threads, 12, AT(20));
	threads__note(&threads, 12, AT(60));
	threads__note(&threads, 200, AT(120));
	rise = threads__rise(&threads, 401, 2, AT(180));
	cr_expect_eq(rise.from, 12);
	cr_expect_eq(rise.to, 401);
	cr_expect_eq(rise.over_ns, 120 * NSEC_PER_SEC);
}

Test(threads, a_few_more_are_no_rise)
{
	struct threads threads = {0};

	threads__note(&threads, 12, AT(0));
	cr_expect_eq(threads__rise(&threads, 12 + THREADS_MIN_RISE - 1, 0, AT(1)).over_ns, 0);
	cr_expect_neq(threads__rise(&threads, 12 + THREADS_MIN_RISE, 0, AT(1)).over_ns, 0);
	threads__note(&threads, 101, AT(1000));
	cr_expect_eq(threads__rise(&threads, 201, 0, AT(1001)).over_ns, 0, "less than twice");
	cr_expect_neq(threads__rise(&threads, 202, 0, AT(1001)).over_ns, 0);
}

Test(threads, one_for_each_processor_is_no_rise)
{
	struct threads threads = {0};

	threads__note(&threads, 5, AT(0));
	cr_expect_eq(threads__rise(&threads, 70, 64, AT(1)).over_ns, 0);
	cr_expect_eq(threads__rise(&threads, 128, 64, AT(1)).from, 5);
}

Test(threads, what_is_long_ago_is_forgotten)
{
	struct threads threads = {0};

	threads__note(&threads, 12, AT(0));
	for (uint64_t i = 1; i <= 130; i++)
		threads__note(&threads, 300, AT(i * 5));
	cr_expect_eq(threads__rise(&threads, 300, 0, AT(655)).over_ns, 0,
		     "there have been so many");
	cr_expect_eq(threads__rise(&threads, 613, 0, AT(655)).from, 300);
}
