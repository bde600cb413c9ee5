/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_FOLLOWER_H
#define GLEAKD_SESSION_FOLLOWER_H

/*
 * All Go processes of the host as targets of a session: connects the kernel's process events, the
 * discovery that decides, and the session that watches.
 */
#include "base/common.h"
#include "base/failure.h"
#include "discover/discovery.h"
#include "session/session.h"

struct follower;

struct follower_options {
	const char *proc_root;
	uint64_t min_process_age_ns;
	size_t max_targets;
	/* As in discovery: "kind:glob", or a glob of comm or base name of exe. */
	const char *const *only, *const *exclude;
	size_t n_only, n_exclude;
	bool sweeps_only; /* one look at what is there: process events are of no use */
};

/*
 * follower__new - @session must outlive it. Without process events, which are tried for, /proc alone
 * tells; the reason is in words for the log then. Errors: -ENOMEM, -EINVAL a bad pattern.
 */
int follower__new(const struct follower_options *options, struct session *session,
		  struct follower **ret_follower, struct failure *failure) __must_check;
void follower__free(struct follower *follower);

/*
 * follower__take_over - after a change of what is followed: the session's targets that this follower
 * finds again stay as they are; once it has settled, it lets go of the others.
 */
void follower__take_over(struct follower *follower);

/* follower__no_events - why process events are missing; NULL when they flow. */
const char *follower__no_events(const struct follower *follower);

/* follower__fd - readable when events are waiting; -1 without them. */
int follower__fd(const struct follower *follower);

/* follower__consume - take the events that are waiting; about once a second, and when readable. */
void follower__consume(struct follower *follower);

/* follower__sweep - look through /proc: at the start and every FOLLOWER_SWEEP_NS or so. */
#define FOLLOWER_SWEEP_NS	(30 * NSEC_PER_SEC)
#define FOLLOWER_SWEEP_ALONE_NS (5 * NSEC_PER_SEC) /* without events */
int follower__sweep(struct follower *follower) __must_check;

/* follower__step - a slice of what is due, attaching included; true: more is due at once. */
bool follower__step(struct follower *follower);

/* follower__due - whether follower__step() has something to do at @now_ns. */
bool follower__due(const struct follower *follower, uint64_t now_ns);

/* follower__settled - every process that the first sweep found has been looked at. */
bool follower__settled(const struct follower *follower);

/* follower__check_targets - let go of targets that ended or run another program. */
void follower__check_targets(struct follower *follower);

/* follower__pause - no more targets from now on, or again. */
void follower__pause(struct follower *follower, bool paused);

/* follower__limit_looks - what looking at new processes of one user may take of a processor; 0: no limit. */
void follower__limit_looks(struct follower *follower, double share);

void follower__counts(const struct follower *follower, struct discovery_counts *ret_counts);
/* follower__events_lost - process events that found no room in their ring. */
uint64_t follower__events_lost(const struct follower *follower);

#endif /* GLEAKD_SESSION_FOLLOWER_H */
