// SPDX-License-Identifier: Apache-2.0
#include "track/departed.h"

#include <criterion/criterion.h>

Test(departed, remembers_the_latest)
{
	static struct departed departed;
	unsigned int remembered = 0;

	for (uint64_t goid = 1; goid <= 100000; goid++)
		departed__add(&departed, goid, goid * 2, DEPARTED_ORPHAN);
	cr_expect_eq(departed__find(&departed, 100000)->ticks, 200000);
	cr_expect_eq(departed__find(&departed, 100000)->flags, DEPARTED_ORPHAN);
	cr_expect_null(departed__find(&departed, 1));
	cr_expect_null(departed__find(&departed, 100001));
	/* Of the latest quarter of its size hardly any are forgotten. */
	for (uint64_t goid = 100000; goid > 100000 - 512; goid--)
		remembered += departed__find(&departed, goid) != NULL;
	cr_expect_geq(remembered, 500);
}

Test(departed, time_and_flags_keep_their_width)
{
	static struct departed departed;
	const uint64_t max = (1ULL << 40) - 1;

	departed__add(&departed, UINT64_MAX, max, DEPARTED_SWEPT | DEPARTED_REPAIR);
	cr_expect_eq(departed__find(&departed, UINT64_MAX)->ticks, max);
	cr_expect_eq(departed__find(&departed, UINT64_MAX)->flags,
		     DEPARTED_SWEPT | DEPARTED_REPAIR);
}
