// SPDX-License-Identifier: Apache-2.0
#include "track/goid_clock.h"

#include <criterion/criterion.h>

Test(goid_clock, knows_nothing_without_points)
{
	struct goid_clock clock = {0};

	cr_expect_eq(goid_clock__created_at(&clock, 5, 77), 77);
}

Test(goid_clock, tells_the_time_between_its_points)
{
	struct goid_clock clock = {0};

	goid_clock__add(&clock, 100, 1000);
	goid_clock__add(&clock, 200, 3000);
	goid_clock__add(&clock, 1200, 4000);
	cr_expect_eq(goid_clock__created_at(&clock, 1, 9000), 1000, "older than the watch");
	cr_expect_eq(goid_clock__created_at(&clock, 100, 9000), 1000);
	cr_expect_eq(goid_clock__created_at(&clock, 150, 9000), 2000);
	cr_expect_eq(goid_clock__created_at(&clock, 700, 9000), 3500);
	cr_expect_eq(goid_clock__created_at(&clock, 1200, 9000), 4000);
	cr_expect_eq(goid_clock__created_at(&clock, 1201, 9000), 9000);
}

Test(goid_clock, goes_forward_only)
{
	struct goid_clock clock = {0};

	goid_clock__add(&clock, 100, 1000);
	goid_clock__add(&clock, 100, 2000);
	goid_clock__add(&clock, 200, 1000);
	goid_clock__add(&clock, 50, 5000);
	cr_expect_eq(clock.n, 1);
}

Test(goid_clock, stays_bounded_and_in_order)
{
	struct goid_clock clock = {0};

	for (uint64_t i = 1; i <= 100003; i++)
		goid_clock__add(&clock, i * 3, i * 5);
	cr_assert_leq(clock.n, GOID_CLOCK_POINTS);
	cr_assert_geq(clock.n, GOID_CLOCK_POINTS / 2);
	for (uint32_t i = 1; i < clock.n; i++) {
		cr_assert_gt(clock.points[i].goid, clock.points[i - 1].goid);
		cr_assert_gt(clock.points[i].ticks, clock.points[i - 1].ticks);
	}
	cr_expect_eq(clock.points[0].goid, 3);
	cr_expect_eq(clock.points[clock.n - 1].goid, 300009);
	/* It ran evenly: whatever was thinned out, the time between is right. */
	cr_expect_eq(goid_clock__created_at(&clock, 150000, 0), 250000);
}
