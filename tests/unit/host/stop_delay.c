// SPDX-License-Identifier: Apache-2.0
#include "host/stop_delay.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/pids.h"

static size_t threads_here(void)
{
	pid_t *tids;
	size_t n;

	cr_assert_eq(pids__read("/proc/self/task", &tids, &n), 0);
	free(tids);
	return n;
}

Test(stop_delay, busy_threads_notice_and_end)
{
	uint64_t begin_ns = clock__monotonic_ns(), delay_ns;
	size_t before = threads_here();

	delay_ns = stop_delay__measure();
	cr_expect_gt(delay_ns, 0);
	cr_expect_lt(delay_ns, clock__monotonic_ns() - begin_ns, "it has waited for all of them");
	cr_expect_eq(threads_here(), before);
}
