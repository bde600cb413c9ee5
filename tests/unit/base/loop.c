// SPDX-License-Identifier: Apache-2.0
#include "base/loop.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

#include "base/clock.h"

struct record {
	struct loop *loop;
	int fd;
	int reads, ticks, slices, signals;
	int last_signal;
};

static void on_fd(void *ctx)
{
	struct record *record = ctx;
	char byte;

	cr_assert_eq(read(record->fd, &byte, 1), 1);
	if (++record->reads == 3)
		loop__stop(record->loop);
}

Test(loop, calls_back_for_every_readable_byte)
{
	struct record record = {0};
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	record.fd = fds[0];
	cr_assert_eq(write(fds[1], "abc", 3), 3);
	cr_assert_eq(loop__new(&record.loop), 0);
	cr_assert_eq(loop__add_fd(record.loop, fds[0], on_fd, &record), 0);
	cr_assert_eq(loop__run(record.loop), 0);
	cr_assert_eq(record.reads, 3);
	loop__free(record.loop);
	close(fds[0]);
	close(fds[1]);
}

static void on_tick(void *ctx)
{
	struct record *record = ctx;

	if (++record->ticks == 5)
		loop__stop(record->loop);
}

Test(loop, timer_repeats_no_earlier_than_asked)
{
	struct record record = {0};
	uint64_t begin = clock__monotonic_ns();

	cr_assert_eq(loop__new(&record.loop), 0);
	cr_assert_eq(loop__add_timer(record.loop, 0, 2 * NSEC_PER_MSEC, on_tick, &record), 0);
	cr_assert_eq(loop__run(record.loop), 0);
	cr_assert_eq(record.ticks, 5);
	cr_assert_geq(clock__monotonic_ns() - begin, 4 * 2 * NSEC_PER_MSEC);
	loop__free(record.loop);
}

Test(loop, a_timer_gets_another_time)
{
	struct record record = {0};

	cr_assert_eq(loop__new(&record.loop), 0);
	/* Days away; then it is set, five times in a row, as one timer. */
	for (uint64_t i = 5; i > 0; i--)
		cr_assert_eq(loop__set_timer(record.loop, i * 24 * 3600 * NSEC_PER_SEC, 0, on_tick,
					     &record),
			     0);
	cr_assert_eq(loop__set_timer(record.loop, 1, NSEC_PER_MSEC, on_tick, &record), 0);
	cr_assert_eq(loop__run(record.loop), 0);
	cr_expect_eq(record.ticks, 5);
	loop__free(record.loop);
}

Test(loop, setting_a_timer_takes_no_room_again)
{
	struct record record = {0};

	cr_assert_eq(loop__new(&record.loop), 0);
	for (int i = 0; i <= LOOP_MAX_SOURCES; i++)
		cr_expect_eq(loop__set_timer(record.loop, NSEC_PER_SEC, 0, on_tick, &record), 0);
	loop__free(record.loop);
}

static bool slice(void *ctx)
{
	struct record *record = ctx;

	return ++record->slices < 7;
}

Test(loop, work_runs_until_done_and_not_after)
{
	struct record record = {0};

	cr_assert_eq(loop__new(&record.loop), 0);
	loop__set_work(record.loop, slice, &record);
	cr_assert_eq(loop__add_timer(record.loop, NSEC_PER_MSEC, NSEC_PER_MSEC, on_tick, &record),
		     0);
	cr_assert_eq(loop__run(record.loop), 0);
	cr_assert_eq(record.slices, 7);
	loop__free(record.loop);
}

static void on_signal(void *ctx, int signal)
{
	struct record *record = ctx;

	record->signals++;
	record->last_signal = signal;
	loop__stop(record->loop);
}

Test(loop, signals_arrive_as_calls)
{
	struct record record = {0};
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	cr_assert_eq(loop__new(&record.loop), 0);
	cr_assert_eq(loop__add_signals(record.loop, &signals, on_signal, &record), 0);
	cr_assert_eq(raise(SIGUSR1), 0);
	cr_assert_eq(loop__run(record.loop), 0);
	cr_assert_eq(record.signals, 1);
	cr_assert_eq(record.last_signal, SIGUSR1);
	loop__free(record.loop);
}

Test(loop, refuses_more_sources_than_it_has_room_for)
{
	struct record record = {0};
	int err = 0;

	cr_assert_eq(loop__new(&record.loop), 0);
	for (int i = 0; i < LOOP_MAX_SOURCES && !err; i++)
		err = loop__add_timer(record.loop, NSEC_PER_SEC, 0, on_tick, &record);
	cr_assert_eq(err, 0);
	cr_assert_eq(loop__add_timer(record.loop, NSEC_PER_SEC, 0, on_tick, &record), -ENOSPC);
	loop__free(record.loop);
	loop__free(NULL);
}
