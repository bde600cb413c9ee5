// SPDX-License-Identifier: Apache-2.0
#include "base/thread.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>

static void *run(void *ctx)
{
	pthread_sigmask(SIG_BLOCK, NULL, ctx);
	return ctx;
}

static void start(size_t stack_bytes)
{
	sigset_t in_thread, before, after;
	pthread_t thread;
	void *returned;

	pthread_sigmask(SIG_BLOCK, NULL, &before);
	cr_assert_eq(thread__start(&thread, stack_bytes, run, &in_thread), 0);
	cr_assert_eq(pthread_join(thread, &returned), 0);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	cr_expect_eq(returned, &in_thread);
	cr_expect(sigismember(&in_thread, SIGTERM) && sigismember(&in_thread, SIGHUP));
	cr_expect_eq(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}

Test(thread, begins_with_all_signals_blocked)
{
	start(0);
	start(64u << 10);
}

Test(thread, one_for_which_there_is_no_memory)
{
	pthread_t thread;

	cr_expect_lt(thread__start(&thread, SIZE_MAX / 2, run, NULL), 0);
}
