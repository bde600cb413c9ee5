/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_DISCOVERY_H
#define GLEAKD_DISCOVER_DISCOVERY_H

/*
 * Which processes of the host are followed. Told of processes that execute a program and that end
 * (host/process_events) and looking through /proc now and then, which finds what was not told; it
 * decides, and leaves the attaching to its caller. Reads /proc and executables; the clock is given.
 *
 * A host may start thousands of processes a second, nearly none of them Go programs. So nothing is
 * looked at before it has lived for a while; then its executable is identified, which opens
 * nothing; and only a file that was never seen before is opened, for a few reads. The same goes for
 * the libraries of what is no Go program (discover/runtimes.h), which come later as well: a sweep
 * compares how much code each process has mapped with what it was, and where that changed which.
 *
 * All times are CLOCK_MONOTONIC.
 */
#include "base/common.h"
#include "base/failure.h"
#include "host/cgroup.h"
#include "host/process.h"
#include "discover/exe_cache.h"
#include "discover/selection.h"

struct discovery;

enum discovery_state {
	DISCOVERY_ATTACHED,
	DISCOVERY_UNSUPPORTED, /* a Go program that cannot be watched */
	DISCOVERY_FAILED,      /* could not be attached; will be tried again */
	DISCOVERY_PAUSED,      /* no room for now; will be tried again */
	DISCOVERY_STATES,
};

struct discovery_ops {
	/*
	 * Watch all Go runtimes of @pid. 0; 1 when some could not be watched but may be another time;
	 * or, when there is none:
	 *	-ENOEXEC, -EOPNOTSUPP	cannot be watched: nor can others that run the same file, which
	 *				is that of discovery__image(); found in the file's bytes alone
	 *	-ENOTRECOVERABLE	cannot be watched, for what its memory showed: others may be
	 *	-ENOSPC			no room: tried again, with ever longer breaks
	 *	-ESRCH			it has ended
	 *	anything else		tried again, with ever longer breaks (1 s to 5 min)
	 */
	int (*attach)(void *ctx, pid_t pid, const struct process_origin *origin,
		      struct failure *failure);
	/*
	 * What @pid, which is attached, has mapped is not what it was: watch runtimes that came since.
	 * 1 when some could not be but may be another time. May be NULL.
	 */
	int (*refresh)(void *ctx, pid_t pid);
	/* It has ended, or runs another program: what attach() made is of no use any more. */
	void (*detach)(void *ctx, pid_t pid);
	/*
	 * A Go program that is to be followed has come into this state; @reason why it is not
	 * attached, in words, "" else. For the log: once per change, not per attempt. May be NULL.
	 */
	void (*changed)(void *ctx, pid_t pid, enum discovery_state state, const char *reason);
};

struct discovery_options {
	const char *proc_root;
	pid_t self;		 /* never followed */
	uint64_t min_age_ns;	 /* processes younger than that are not looked at */
	size_t max_targets;	 /* attached at one time; 0: no limit of our own */
	size_t max_processes;	 /* remembered; 0: 65,536 */
	struct exe_cache *files; /* what is known of files, borrowed; NULL: an own one */
	uint64_t (*boottime)(
		void); /* NULL: process_id__boottime_ns; ages of processes count in it */
	/* What looking has used of a processor; NULL: clock__thread_cpu_ns(). */
	uint64_t (*cpu)(void);
	/* How long a look takes; NULL: clock__monotonic_ns(). */
	uint64_t (*clock)(void);
	struct selection_options select;
};

#define DISCOVERY_DEFAULT_MIN_AGE (2 * NSEC_PER_SEC)

struct discovery_counts {
	uint64_t seen;		 /* processes heard of or found */
	uint64_t rejected;	 /* of these no Go programs, or not wanted */
	uint64_t found_by_sweep; /* of these not told of (the first sweep's do not count) */
	uint64_t refused;	 /* not remembered, too many at one time; each time it was met */
	uint64_t looked_at;    /* executables identified in order to judge; sweeps do so as well */
	uint64_t opened;       /* executables and libraries opened and read */
	uint64_t not_readable; /* may not be looked at; unprivileged: kernel threads too */
	uint64_t may_block;    /* executables left alone: on a file system in user space */
	uint64_t attach_attempts, attach_failures;
	uint64_t files, files_evicted;	   /* remembered now; forgotten for want of room */
	uint64_t candidates;		   /* now: not looked at yet */
	uint64_t states[DISCOVERY_STATES]; /* now */
};

/* discovery__new - everything in @options is copied. Errors: as selection__new(). */
int discovery__new(const struct discovery_options *options, const struct discovery_ops *ops,
		   void *ctx, struct discovery **ret_discovery,
		   struct failure *failure) __must_check;

/* discovery__free - calls no operation: the caller knows what it has attached. NULL is fine. */
void discovery__free(struct discovery *discovery);

/*
 * discovery__exec / _exit - an event, with its time. An exit may come early, late, twice, or never;
 * what is attached is only detached when /proc says the same. For a target that turned out to be
 * gone or to run another program these may be called as well.
 */
void discovery__exec(struct discovery *discovery, pid_t pid, uint64_t time_ns);
void discovery__exit(struct discovery *discovery, pid_t pid, uint64_t time_ns);

/*
 * discovery__sweep - look through /proc: notes which processes are new or gone. Opens no executable
 * and attaches nothing; that is done by the ticks that follow. Consume waiting events before. The
 * first one is the beginning. Errors: those of reading the directory.
 */
int discovery__sweep(struct discovery *discovery, uint64_t now_ns) __must_check;

/*
 * discovery__tick - do what is due: one attach at most, or some dozens of looks. True when more is
 * due: come again soon.
 */
bool discovery__tick(struct discovery *discovery, uint64_t now_ns);

/*
 * discovery__image - which file @pid ran when it was decided to attach it, for the attach: what is found
 * out about another file must not be kept of this one. NULL: not known.
 */
const struct exe_file *discovery__image(const struct discovery *discovery, pid_t pid);

/* discovery__next_ns - when the next tick has something to do; UINT64_MAX: nothing is planned. */
uint64_t discovery__next_ns(const struct discovery *discovery);

/*
 * discovery__limit_looks - what looking at processes of one user may take of a processor; root's do not count. Who has
 * more of them waits for his own (look_shares.h). 0: no limit.
 */
void discovery__limit_looks(struct discovery *discovery, double share);

void discovery__counts(const struct discovery *discovery, struct discovery_counts *ret_counts);

#endif /* GLEAKD_DISCOVER_DISCOVERY_H */
