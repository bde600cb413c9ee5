// SPDX-License-Identifier: Apache-2.0
#include "broker/watch.h"

#include <criterion/criterion.h>
#include <sys/syscall.h>

static struct worker_watch watch;

static unsigned int offset; /* that is read at */

static enum worker_state look(char state, uint64_t cpu_seconds, long call, uint64_t requests)
{
	const struct worker_doing doing = {
		.state = state,
		.call = {.number = call, .args = {3, 0, 0x7ffd, offset}},
		.cpu_ns = cpu_seconds * NSEC_PER_SEC,
		.requests = requests,
	};

	return worker_watch__look(&watch, &doing);
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

Test(broker_watch, also_before_it_has_used_a_processor)
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
	const uint64_t enough = WORKER_SPIN_SECONDS;

	cr_expect_eq(look('R', 11, SYS_futex, 3), WORKER_WORKS);
	cr_expect_eq(look('R', 11 + enough - 1, SYS_futex, 3), WORKER_WORKS);
	cr_expect_eq(look('R', 11 + enough, SYS_futex, 4), WORKER_WORKS, "it has asked");
	cr_expect_eq(look('R', 11 + 2 * enough, SYS_futex, 4), WORKER_SPINS);
}

Test(broker_watch, what_the_kernel_does_not_tell_is_no_reason)
{
	const struct worker_doing nothing = {.call = {.number = -1}};

	for (int i = 0; i < 10; i++)
		cr_expect_eq(worker_watch__look(&watch, &nothing), WORKER_WORKS);
}
