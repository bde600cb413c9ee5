// SPDX-License-Identifier: Apache-2.0
#include "track/histograms.h"

#include <criterion/criterion.h>
#include <math.h>

#define SECOND NSEC_PER_SEC

Test(ages, every_age_is_in_the_range_it_is_looked_for)
{
	const uint64_t unit = 1ULL << AGE_UNIT_SHIFT;

	for (uint64_t age = 0; age < 1000 * unit; age += unit / 3) {
		struct age_histogram ages = {0};

		age_histogram__add(&ages, age);
		/* Within a unit or an eighth. */
		cr_assert_float_eq(age_histogram__between(&ages,
							  age - min_of(age, max_of(unit, age / 8)),
							  age + max_of(unit, age / 8)),
				   1, 1e-9, "%llu", (unsigned long long)age);
		cr_assert_leq(age_histogram__youngest_ns(&ages), age);
		cr_assert_geq(age_histogram__youngest_ns(&ages) + max_of(unit, age / 8), age);
	}
}

Test(ages, ranges_add_up)
{
	struct age_histogram ages = {0};
	double sum = 0;

	for (uint64_t s = 0; s < 5000; s++)
		age_histogram__add(&ages, s * SECOND / 7);
	for (uint64_t from = 0; from < 800 * SECOND; from += 3 * SECOND)
		sum += age_histogram__between(&ages, from, from + 3 * SECOND);
	cr_expect_float_eq(sum, 5000, 1e-6);
	cr_expect_float_eq(age_histogram__between(&ages, 100 * SECOND, 200 * SECOND), 700, 20);
	cr_expect_eq(age_histogram__between(&ages, 200 * SECOND, 100 * SECOND), 0);
}

Test(ages, extremes)
{
	struct age_histogram ages = {0};

	cr_expect_eq(age_histogram__youngest_ns(&ages), UINT64_MAX);
	age_histogram__add(&ages, UINT64_MAX);
	cr_expect_eq(age_histogram__between(&ages, 0, UINT64_MAX), 1);
	cr_expect_eq(age_histogram__between(&ages, UINT64_MAX, UINT64_MAX), 0);
}

Test(lengths, are_counted_at_their_age_or_more)
{
	struct length_histogram lengths = {0};

	for (uint64_t s = 1; s <= 100; s++)
		length_histogram__add(&lengths, s * SECOND);
	cr_expect_eq(length_histogram__at_least(&lengths, 0), 100);
	/* Never fewer than there were; more only out of the same octave. */
	for (uint64_t s = 1; s <= 100; s++) {
		cr_expect_geq(length_histogram__at_least(&lengths, s * SECOND), 101 - s);
		cr_expect_leq(length_histogram__at_least(&lengths, s * SECOND), 101 - s / 2);
	}
	cr_expect_eq(length_histogram__at_least(&lengths, 1000 * SECOND), 0);
	length_histogram__halve(&lengths);
	cr_expect_leq(length_histogram__at_least(&lengths, 0), 50);
	length_histogram__add(&lengths, UINT64_MAX);
	cr_expect_eq(length_histogram__at_least(&lengths, UINT64_MAX), 1);
}

Test(lengths, do_not_wrap)
{
	struct length_histogram lengths = {0};

	lengths.bins[0] = UINT32_MAX;
	length_histogram__add(&lengths, 0);
	cr_expect_eq(lengths.bins[0], UINT32_MAX);
}

/* Never less than it is, and at most by the two steps that it lies between more. */
Test(ages, the_widest_gap)
{
	struct age_histogram ages = {0};

	cr_expect_eq(age_histogram__widest_gap_ns(&ages, 100 * NSEC_PER_SEC), 100 * NSEC_PER_SEC);
	for (uint64_t ms = 0; ms < 40000; ms += 100)
		age_histogram__add(&ages, ms * NSEC_PER_MSEC);
	cr_expect_lt(age_histogram__widest_gap_ns(&ages, 39 * NSEC_PER_SEC), 8 * NSEC_PER_SEC);
	age_histogram__add(&ages, 60 * NSEC_PER_SEC);
	cr_expect_float_eq(age_histogram__widest_gap_ns(&ages, 70 * NSEC_PER_SEC) / 1e9, 24, 4);
	cr_expect_float_eq(age_histogram__widest_gap_ns(&ages, 100 * NSEC_PER_SEC) / 1e9, 42, 2.5);
}
