// SPDX-License-Identifier: Apache-2.0
#include "base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/held.h"

enum source_kind {
	SOURCE_FREE,
	SOURCE_FD,
	SOURCE_TIMER,
	SOURCE_SIGNAL,
};

struct source {
	enum source_kind kind;
	int fd;
	loop_fn fn;
	loop_signal_fn signal_fn;
	void *ctx;
};

struct loop {
	int epoll_fd;
	bool stopped;
	loop_work_fn work;
	void *work_ctx;
	struct source sources[LOOP_MAX_SOURCES];
};

int loop__new(struct loop **ret_loop)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int err;

	if (!loop)
		return -ENOMEM;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		err = -errno;
		free(loop);
		return err;
	}
	*ret_loop = loop;
	return 0;
}

/* Timers and signals own their descriptor, plain descriptors are the caller's. */
static void source__release(struct loop *loop, struct source *source)
{
	if (source->kind == SOURCE_FREE)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	if (source->kind != SOURCE_FD)
		close(source->fd);
	memset(source, 0, sizeof(*source));
}

void loop__free(struct loop *loop)
{
	if (!loop)
		return;
	for (size_t i = 0; i < LOOP_MAX_SOURCES; i++)
		source__release(loop, &loop->sources[i]);
	close(loop->epoll_fd);
	free(loop);
}

static int add_source(struct loop *loop, const struct source *wanted)
{
	for (size_t i = 0; i < LOOP_MAX_SOURCES; i++) {
		struct source *source = &loop->sources[i];
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

		if (source->kind != SOURCE_FREE)
			continue;
		if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, wanted->fd, &event))
			return -errno;
		*source = *wanted;
		return 0;
	}
	return -ENOSPC;
}

int loop__add_fd(struct loop *loop, int fd, loop_fn fn, void *ctx)
{
	return add_source(loop,
			  &(struct source){.kind = SOURCE_FD, .fd = fd, .fn = fn, .ctx = ctx});
}

void loop__remove_fd(struct loop *loop, int fd)
{
	for (size_t i = 0; i < LOOP_MAX_SOURCES; i++) {
		if (loop->sources[i].kind == SOURCE_FD && loop->sources[i].fd == fd)
			source__release(loop, &loop->sources[i]);
	}
}

static struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / NSEC_PER_SEC),
				 .tv_nsec = (long)(ns % NSEC_PER_SEC)};
}

static int set_time(int fd, uint64_t first_ns, uint64_t interval_ns)
{
	/* An all-zero it_value would disarm the timer. */
	struct itimerspec spec = {.it_value = to_timespec(max_of(first_ns, (uint64_t)1)),
				  .it_interval = to_timespec(interval_ns)};

	return timerfd_settime(fd, 0, &spec, NULL) ? -errno : 0;
}

int loop__add_timer(struct loop *loop, uint64_t first_ns, uint64_t interval_ns, loop_fn fn,
		    void *ctx)
{
	int fd, err;

	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	err = set_time(fd, first_ns, interval_ns);
	if (!err)
		err = add_source(
			loop,
			&(struct source){.kind = SOURCE_TIMER, .fd = fd, .fn = fn, .ctx = ctx});
	if (err)
		close(fd);
	return err;
}

int loop__set_timer(struct loop *loop, uint64_t first_ns, uint64_t interval_ns, loop_fn fn,
		    void *ctx)
{
	for (size_t i = 0; i < LOOP_MAX_SOURCES; i++) {
		const struct source *source = &loop->sources[i];

		if (source->kind == SOURCE_TIMER && source->fn == fn && source->ctx == ctx)
			return set_time(source->fd, first_ns, interval_ns);
	}
	return loop__add_timer(loop, first_ns, interval_ns, fn, ctx);
}

int loop__add_signals(struct loop *loop, const sigset_t *signals, loop_signal_fn fn, void *ctx)
{
	int fd, err;

	if (sigprocmask(SIG_BLOCK, signals, NULL))
		return -errno;
	fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	err = add_source(
		loop,
		&(struct source){.kind = SOURCE_SIGNAL, .fd = fd, .signal_fn = fn, .ctx = ctx});
	if (err)
		close(fd);
	return err;
}

void loop__set_work(struct loop *loop, loop_work_fn fn, void *ctx)
{
	loop->work = fn;
	loop->work_ctx = ctx;
}

static void dispatch_signals(const struct source *source)
{
	struct signalfd_siginfo info;

	while (read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		source->signal_fn(source->ctx, (int)info.ssi_signo);
}

static void dispatch(const struct source *source)
{
	uint64_t expirations;

	switch (source->kind) {
	case SOURCE_FREE: /* removed by an earlier callback of the same turn */
		break;
	case SOURCE_TIMER:
		if (read(source->fd, &expirations, sizeof(expirations)) == sizeof(expirations))
			source->fn(source->ctx);
		break;
	case SOURCE_SIGNAL:
		dispatch_signals(source);
		break;
	case SOURCE_FD:
		source->fn(source->ctx);
		break;
	}
}

int loop__run(struct loop *loop)
{
	struct epoll_event events[LOOP_MAX_SOURCES];

	while (!loop->stopped) {
		int n;

		held__by(HELD_BY_NOTHING);
		n = epoll_wait(loop->epoll_fd, events, LOOP_MAX_SOURCES, loop->work ? 0 : -1);
		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n && !loop->stopped; i++) {
			held__by(HELD_BY_OTHERS);
			dispatch(events[i].data.ptr);
		}
		held__by(HELD_BY_OTHERS);
		if (!loop->stopped && loop->work && !loop->work(loop->work_ctx))
			loop->work = NULL;
	}
	return 0;
}

void loop__stop(struct loop *loop)
{
	loop->stopped = true;
}
