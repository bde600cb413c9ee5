/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_RESOURCES_OPEN_WATCH_H
#define GLEAKD_SESSION_RESOURCES_OPEN_WATCH_H

/*
 * Watches who opens files, contexts, timers, ... in targets: the probes, the ring buffer, and when they are attached,
 * which is for windows within a budget, and only while somebody wants to know.
 */
#include "session/resources/target_openings.h"

#define OPEN_MAX_TARGETS 32

struct open_watch;

struct open_watch_options {
	bool always; /* from the beginning to the end; else while it is not known who opens what grows */
	double max_overhead; /* share of the target's CPU time; 0: no limit */
	/*
	 * Beside other probes: of what all may cost a target, unless that has no limit. Then nothing comes first on a
	 * processor for the sake of its windows. 0: there are no others.
	 */
	double part;
};

/*
 * open_watch__new - load the program and measure what a hit costs. Errors: as kernel__check() and
 * alloc_probes__new().
 */
int open_watch__new(const struct open_watch_options *options, struct open_watch **ret_watch,
		    struct failure *failure) __must_check;
/* open_watch__free - after its targets were freed. NULL is fine. */
void open_watch__free(struct open_watch *watch);

bool open_watch__uprobe_multi(const struct open_watch *watch);

/* open_watch__ring_fd - readable when the ring is filling up. */
int open_watch__ring_fd(const struct open_watch *watch);

/*
 * open_watch__add - watch @target, when target_openings__want() asks for it. What speaks against it is no error:
 * target_openings__get() says it. Beyond OPEN_MAX_TARGETS nobody is. Errors: -ENOMEM.
 */
int open_watch__add(struct open_watch *watch, struct target *target,
		    struct failure *failure) __must_check;

/*
 * open_watch__tick - drain the ring, open and close windows. Returns after how many ns it is to be called again; 0: not
 * before somebody wants to know more.
 */
uint64_t open_watch__tick(struct open_watch *watch);

#endif /* GLEAKD_SESSION_RESOURCES_OPEN_WATCH_H */
