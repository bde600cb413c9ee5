// SPDX-License-Identifier: Apache-2.0
#include "base/held.h"

#include <criterion/criterion.h>

#include "base/clock.h"

static void pass(uint64_t ns)
{
	uint64_t until = clock__monotonic_ns() + ns;

	while (clock__monotonic_ns() < until)
		;
}

Test(held, the_longest_is_told_once)
{
	struct loop_hold held;

	held__by(HELD_BY_CENSUS);
	pass(5 * NSEC_PER_MSEC);
	held__by(HELD_BY_HEAP);
	held__by(HELD_BY_NOTHING);
	held = held__take();
	cr_expect_geq(held.ns, 5 * NSEC_PER_MSEC);
	cr_expect_eq(held.by, HELD_BY_CENSUS);
	held = held__take();
	cr_expect_eq(held.ns, 0);
	cr_expect_eq(held.by, HELD_BY_NOTHING);
}

Test(held, waiting_is_no_work)
{
	held__by(HELD_BY_NOTHING);
	pass(2 * NSEC_PER_MSEC);
	held__by(HELD_BY_EVENTS);
	held__by(HELD_BY_NOTHING);
	cr_expect_eq(held__take().by, HELD_BY_EVENTS);
}

Test(held, each_has_a_name)
{
	for (int by = 0; by < HELD_BY_COUNT; by++)
		cr_expect_not_null(held_by__name((enum held_by)by));
	cr_expect_str_eq(held_by__name(HELD_BY_COUNT), "others");
	cr_expect_str_eq(held_by__name(HELD_BY_CENSUS), "census");
}
