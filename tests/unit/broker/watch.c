// SPDX-License-Identifier: Apache-2.0
#include "broker/watch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/syscall.h>

#define TICKS 100

static struct worker_watch watch;

static unsigned int offset; /* that is read at */

static enum worker_state look(char state, unsigned int ticks, long call, uint64_t requests)
{
	char stat[256], text[64];

	snprintf(stat, sizeof(stat), "17 (a) R 1) %c 1 2 3 4 5 6 7 8 9 10 %u %u 0 0 20 0 1", state,
		 ticks, ticks);
	snprintf(text, sizeof(text), "%ld 0x3 0x0 0x7ffd 0x%x 0x7f00", call, offset);
	return worker_watch__look(&watch, stat, text, requests, TICKS);
}

Test(broker_watch, who_waits_for_requests_to_do_works)
{
	for (int i = 0; i < 100; i++)
		cr_expect_eq(look('S', 7, SYS_epoll_pwait, 3), WORKER_WORKS);
}

Test(broker_watch, a_file_that_does_not_come_is_noticed)
{
	for (int i = 0; i < WORKER_STUCK_SECONDS; i++)
		cr_expect_eq(look('S', 7, SYS_pread64, 3), WORKER_WORKS);
	cr_expect_eq(look('S', 7, SYS_pread64, 3), WORKER_IS_STUCK);
	watch = (struct worker_watch){.seconds = 0};
	for (int i = 0; i < WORKER_STUCK_SECONDS; i++)
		cr_expect_eq(look('D', 7, SYS_openat, 3), WORKER_WORKS);
	cr_expect_eq(look('D', 7, SYS_openat, 3), WORKER_IS_STUCK);
}

Test(broker_watch, also_before_it_has_used_a_tick)
{
	for (int i = 0; i < WORKER_STUCK_SECONDS; i++)
		cr_expect_eq(look('S', 0, SYS_pread64, 3), WORKER_WORKS);
	cr_expect_eq(look('S', 0, SYS_pread64, 3), WORKER_IS_STUCK);
}

Test(broker_watch, one_that_reads_a_long_file_works)
{
	for (offset = 0; offset < 100; offset++)
		cr_expect_eq(look('D', 7, SYS_pread64, 3), WORKER_WORKS);
	offset = 0;
}

Test(broker_watch, one_that_asks_in_between_works)
{
	for (uint64_t i = 0; i < 100; i++)
		cr_expect_eq(look('D', 7, SYS_pread64, i / 3), WORKER_WORKS);
	for (int i = 0; i < 100; i++)
		cr_expect_eq(look(i % 3 ? 'D' : 'S', 7, SYS_epoll_pwait, 50), WORKER_WORKS);
}

Test(broker_watch, a_circle_is_noticed)
{
	unsigned int enough = WORKER_SPIN_SECONDS * TICKS / 2;

	cr_expect_eq(look('R', 11, SYS_futex, 3), WORKER_WORKS);
	cr_expect_eq(look('R', 11 + enough - 1, SYS_futex, 3), WORKER_WORKS);
	cr_expect_eq(look('R', 11 + enough, SYS_futex, 4), WORKER_WORKS, "it has asked");
	cr_expect_eq(look('R', 11 + 2 * enough, SYS_futex, 4), WORKER_SPINS);
}

Test(broker_watch, what_the_kernel_does_not_tell_is_no_reason)
{
	for (int i = 0; i < 10; i++) {
		cr_expect_eq(worker_watch__look(&watch, "", "", 3, TICKS), WORKER_WORKS);
		cr_expect_eq(worker_watch__look(&watch, "17 (gleakd)", "running", 3, TICKS),
			     WORKER_WORKS);
	}
}
