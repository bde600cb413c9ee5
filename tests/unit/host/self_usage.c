// SPDX-License-Identifier: Apache-2.0
#include "host/self_usage.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "base/clock.h"

/* A host that came up at 1700000000.7 by its clock. */
#define BOOT_NS (1700000000ULL * NSEC_PER_SEC + 700 * NSEC_PER_MSEC)

static uint64_t started(uint64_t ticks, uint64_t up_ns)
{
	return process__start_seconds_at(ticks, BOOT_NS + up_ns, up_ns);
}

Test(self_usage, a_start_is_the_same_at_every_moment)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);

	for (uint64_t ms = 100000; ms < 102000; ms += 50) {
		uint64_t up = ms * NSEC_PER_MSEC;

		cr_expect_eq(started(100 * hz, up), 1700000100, "%llu ms after boot",
			     (unsigned long long)ms);
		cr_expect_eq(started(99 * hz + hz / 2, up), 1700000100);
		cr_expect_eq(started(0, up), 1700000000);
	}
}

Test(self_usage, clocks_that_make_no_sense)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);

	/* A clock that was never set: since 1970 less time has passed than since boot. */
	cr_expect_eq(process__start_seconds_at(0, 5 * NSEC_PER_SEC, 9 * NSEC_PER_SEC), 0);
	/* Started in the future, or so /proc says: now. */
	cr_expect_eq(started(1000 * hz, NSEC_PER_SEC), 1700000001);
	cr_expect_eq(started(UINT64_MAX, NSEC_PER_SEC), 1700000001);
}

Test(self_usage, tells_of_this_process)
{
	struct self_usage usage = self_usage__read("/proc");
	uint64_t now = clock__realtime_ns() / NSEC_PER_SEC;

	cr_expect_gt(usage.resident_bytes, 100000);
	cr_expect_geq(now + 1, usage.start_time_seconds);
	cr_expect_lt(now - usage.start_time_seconds, 300);
	cr_expect_eq(self_usage__read("/proc").start_time_seconds, usage.start_time_seconds);
	cr_expect_eq(self_usage__read("/no/such/folder").resident_bytes, 0);
}
