// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <criterion/criterion.h>

static void check(uint64_t ns, const char *expected)
{
	char text[CLOCK_RFC3339_SIZE];

	clock__rfc3339(ns, text);
	cr_expect_str_eq(text, expected);
}

Test(clock, rfc3339)
{
	check(0, "1970-01-01T00:00:00.000Z");
	check(1767323045ULL * NSEC_PER_SEC + 678999999, "2026-01-02T03:04:05.678Z");
	/* date -u -d @951782400: a leap day that the century rule allows */
	check(951782400ULL * NSEC_PER_SEC, "2000-02-29T00:00:00.000Z");
	check(4294967296ULL * NSEC_PER_SEC - 1, "2106-02-07T06:28:15.999Z");
	check(UINT64_MAX, "2554-07-21T23:34:33.709Z");
}

Test(clock, monotonic_time_does_not_go_back)
{
	uint64_t before = clock__monotonic_ns();

	cr_expect_geq(clock__monotonic_ns(), before);
	cr_expect_gt(clock__realtime_ns(), 1700000000ULL * NSEC_PER_SEC);
}

Test(clock, thread_time_counts_work)
{
	uint64_t before = clock__thread_cpu_ns();
	volatile uint64_t x = 0;

	while (clock__thread_cpu_ns() == before)
		x++;
	cr_expect_gt(clock__thread_cpu_ns(), before);
}

Test(clock, offset_of_a_time_namespace)
{
	/* As fs/proc/base.c prints them. */
	cr_expect_eq(
		clock__offset("monotonic           0         0\nboottime            0         0\n"),
		0);
	cr_expect_eq(
		clock__offset("monotonic       50000         7\nboottime       100000         0\n"),
		50000 * (int64_t)NSEC_PER_SEC + 7);
	cr_expect_eq(
		clock__offset("monotonic         -60 500000000\nboottime          -60         0\n"),
		-60 * (int64_t)NSEC_PER_SEC + 500000000);
}

Test(clock, offset_that_is_none)
{
	const char *const bad[] = {"",
				   "boottime 5 0\n",
				   "monotonic",
				   "monotonic 5",
				   "monotonic x 0",
				   "monotonic 5 -1",
				   "monotonic 5 1000000000",
				   "monotonic 9223372036854775807 0",
				   "monotonic -9223372036854775808 0"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(clock__offset(bad[i]), 0, "'%s'", bad[i]);
}
