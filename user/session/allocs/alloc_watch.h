/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_ALLOCS_ALLOC_WATCH_H
#define GLEAKD_SESSION_ALLOCS_ALLOC_WATCH_H

/* Watches the allocations of targets: the probes, the ring buffer, and when what is attached. */
#include "session/allocs/target_allocs.h"

struct alloc_watch;

struct alloc_watch_options {
	bool exact;   /* each allocation, all the time, whatever it costs */
	bool samples; /* of programs that sample themselves, those samples */
	bool who; /* goroutines and labels are told apart; a watch without end has no room for that */
	double max_overhead; /* share of the target's CPU time; 0: no limit */
	/*
	 * Of what all of a target's probes may cost it, the part that these have at least, and what the others leave;
	 * 0: they have @max_overhead, and so where there is no limit.
	 */
	double part;
	/* Of objects that are followed: as in struct alloc_follow_options. */
	uint64_t period_ns, min_window_ns;
};

/*
 * alloc_watch__new - load the program and measure what a hit costs. Errors: as kernel__check() and
 * alloc_probes__new().
 */
int alloc_watch__new(const struct alloc_watch_options *options, struct alloc_watch **ret_watch,
		     struct failure *failure) __must_check;
/* alloc_watch__free - after its targets were freed or removed. NULL is fine. */
void alloc_watch__free(struct alloc_watch *watch);

bool alloc_watch__uprobe_multi(const struct alloc_watch *watch);

/*
 * alloc_watch__add - watch @target, from the next tick on. What speaks against it is no error: the figures say it.
 * Errors: -ENOMEM, -ESRCH.
 */
int alloc_watch__add(struct alloc_watch *watch, struct target *target,
		     struct failure *failure) __must_check;

/* alloc_watch__second - once a second, where they share it with others. */
void alloc_watch__second(struct alloc_watch *watch);

/* alloc_watch__remove - detach from @target and forget it; nothing happens when it is not watched. */
void alloc_watch__remove(struct alloc_watch *watch, struct target *target);

/* alloc_watch__ring_fd - readable when the ring is filling up. */
int alloc_watch__ring_fd(const struct alloc_watch *watch);

/* alloc_watch__tick - drain the ring, open and close windows. Returns after how many ns it is to be called again. */
uint64_t alloc_watch__tick(struct alloc_watch *watch);

/*
 * alloc_watch__rest - the same; with @rests no windows on each allocation are open from now on, until it is called with
 * false.
 */
uint64_t alloc_watch__rest(struct alloc_watch *watch, bool rests);

/*
 * alloc_watch__forecast - what watching all of a target's allocations will do to it: how many there are a
 * second, by a fifth of a second, and how many times slower it will get. Errors: -ENODATA nothing is known.
 */
int alloc_watch__forecast(const struct alloc_watch *watch, const struct target *target,
			  double *ret_per_second, double *ret_slowdown) __must_check;

/* alloc_watch__settle - what is in the ring and the windows so far becomes figures. */
void alloc_watch__settle(struct alloc_watch *watch);

#endif /* GLEAKD_SESSION_ALLOCS_ALLOC_WATCH_H */
