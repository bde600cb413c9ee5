// SPDX-License-Identifier: Apache-2.0
#include "track/collections.h"

#include <criterion/criterion.h>

#include "track/ticks.h"

static uint64_t at(double seconds)
{
	return ticks__of((uint64_t)(seconds * 1e9));
}

Test(collections, a_wait_began_before_the_end_of_the_next)
{
	struct collections collections = {0};

	cr_expect_eq(collections__bound(&collections, at(10), at(100)), at(100), "none is known");
	collections__note(&collections, at(50));
	collections__note(&collections, at(10));
	collections__note(&collections, at(30));
	collections__note(&collections, at(30));
	cr_expect_eq(collections.n, 3u);
	cr_expect_eq(collections__bound(&collections, at(10), at(100)), at(30));
	cr_expect_eq(collections__bound(&collections, at(30), at(100)), at(50));
	cr_expect_eq(collections__bound(&collections, at(50), at(100)), at(100), "it goes on");
	cr_expect_eq(collections__bound(&collections, at(10), at(20)), at(20), "read before that");
	cr_expect_eq(collections__bound(&collections, 0, at(100)), at(10));
}

Test(collections, the_same_end_told_twice_is_no_later_one)
{
	struct collections collections = {0};

	collections__note(&collections, at(10));
	collections__note(&collections, at(10.4));
	cr_expect_eq(collections__bound(&collections, at(10), at(100)), at(100));
	collections__note(&collections, at(11.1));
	cr_expect_eq(collections__bound(&collections, at(10), at(100)), at(11.1));
}

Test(collections, of_too_many_some_are_forgotten_and_bounds_stay_true)
{
	const unsigned int n = 10 * COLLECTIONS_MAX;

	for (int backwards = 0; backwards < 2; backwards++) {
		struct collections collections = {0};

		for (unsigned int i = 1; i <= n; i++)
			collections__note(&collections, at(2.0 * (backwards ? n + 1 - i : i)));
		cr_assert_leq(collections.n, COLLECTIONS_MAX);
		for (unsigned int i = 1; i < n; i++) {
			uint64_t bound = collections__bound(&collections, at(2.0 * i), at(1e6));

			cr_assert_geq(bound, at(2.0 * i + 2), "%u", i);
			cr_assert_leq(bound, at(2.0 * i + 2 + 3 * 2.0 * n / (COLLECTIONS_MAX / 2)),
				      "%u", i);
		}
	}
}
