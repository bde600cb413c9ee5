/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_LOOP_H
#define GLEAKD_BASE_LOOP_H

/*
 * One thread, one epoll: descriptors, timers (timerfd) and signals (signalfd), and background work
 * in slices while nothing else is due. Nothing polls and nothing sleeps.
 */
#include <signal.h>

#include "base/common.h"

struct loop;

typedef void (*loop_fn)(void *ctx);
typedef void (*loop_signal_fn)(void *ctx, int signal);
/* One slice of work; true while there is more. */
typedef bool (*loop_work_fn)(void *ctx);

#define LOOP_MAX_SOURCES 96 /* descriptors, timers and signals of one loop together */

int loop__new(struct loop **ret_loop) __must_check;
void loop__free(struct loop *loop);

/* loop__add_fd - call @fn whenever @fd is readable; the caller keeps the descriptor open. */
int loop__add_fd(struct loop *loop, int fd, loop_fn fn, void *ctx) __must_check;

/* loop__remove_fd - stop watching; unknown descriptors are ignored. */
void loop__remove_fd(struct loop *loop, int fd);

/*
 * loop__add_timer - call @fn after @first_ns, then every @interval_ns (0: once). Missed expiries
 * are delivered as one call.
 */
int loop__add_timer(struct loop *loop, uint64_t first_ns, uint64_t interval_ns, loop_fn fn,
		    void *ctx) __must_check;

/*
 * loop__set_timer - change time and interval of the timer that was added with @fn and @ctx, or add
 * it.
 */
int loop__set_timer(struct loop *loop, uint64_t first_ns, uint64_t interval_ns, loop_fn fn,
		    void *ctx) __must_check;

/* loop__add_signals - block @signals and deliver them through the loop. */
int loop__add_signals(struct loop *loop, const sigset_t *signals, loop_signal_fn fn,
		      void *ctx) __must_check;

/* loop__set_work - @fn runs one slice per turn until it returns false; ask again to resume. */
void loop__set_work(struct loop *loop, loop_work_fn fn, void *ctx);

/* loop__run - until loop__stop(). Returns 0 or -errno of epoll. */
int loop__run(struct loop *loop) __must_check;
void loop__stop(struct loop *loop);

#endif /* GLEAKD_BASE_LOOP_H */
