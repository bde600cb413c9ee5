// SPDX-License-Identifier: Apache-2.0
#include "track/departed.h"

#include <criterion/criterion.h>

static struct departed *departed;

static void set_up(void)
{
	cr_assert_eq(departed__new(&departed), 0);
}

static void tear_down(void)
{
	departed__free(departed);
}

TestSuite(departed, .init = set_up, .fini = tear_down);

static unsigned int remembered(uint64_t first, uint64_t last)
{
	unsigned int n = 0;

	for (uint64_t goid = first; goid <= last; goid++)
		n += departed__find(departed, goid) != NULL;
	return n;
}

Test(departed, remembers_the_latest)
{
	for (uint64_t goid = 1; goid <= 100000; goid++)
		departed__add(departed, goid, goid * 2, DEPARTED_ORPHAN);
	cr_expect_eq(departed__find(departed, 100000)->ticks, 200000);
	cr_expect_eq(departed__find(departed, 100000)->flags, DEPARTED_ORPHAN);
	cr_expect_null(departed__find(departed, 1));
	cr_expect_null(departed__find(departed, 100001));
	/* Of the latest quarter of its size hardly any are forgotten. */
	cr_expect_geq(remembered(100000 - 511, 100000), 500);
}

Test(departed, keeps_what_is_not_old)
{
	/* Five thousand at once: it grows while they come, and keeps nearly all of the latest. */
	for (uint64_t goid = 1; goid <= 5000; goid++)
		departed__add(departed, goid, 7, 0);
	cr_expect_geq(remembered(1, 5000), 3500);
	cr_expect_geq(remembered(4001, 5000), 980);
	cr_expect_eq(departed__find(departed, 5000)->ticks, 7);
}

Test(departed, forgets_what_is_old)
{
	const uint64_t slow = DEPARTED_KEEP_TICKS;

	/* One at a time, each old when the next one goes: nothing makes it grow. */
	for (uint64_t goid = 1; goid <= 5000; goid++)
		departed__add(departed, goid, goid * slow, 0);
	cr_expect_leq(remembered(1, 5000), DEPARTED_MIN_SETS * DEPARTED_WAYS);
	cr_expect_not_null(departed__find(departed, 5000));
}

Test(departed, time_and_flags_keep_their_width)
{
	const uint64_t max = (1ULL << 40) - 1;

	departed__add(departed, UINT64_MAX, max, DEPARTED_SWEPT | DEPARTED_REPAIR);
	cr_expect_eq(departed__find(departed, UINT64_MAX)->ticks, max);
	cr_expect_eq(departed__find(departed, UINT64_MAX)->flags, DEPARTED_SWEPT | DEPARTED_REPAIR);
}
