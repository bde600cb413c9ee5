/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_TURNS_H
#define GLEAKD_SESSION_TURNS_H

/*
 * Long work on many targets, in slices: on one at a time, in turn, and so seldom that all of it takes no more
 * than a share of a processor. Targets may go away in between.
 *
 * Pure: time is given, and what a target is only the owner knows.
 */
#include "base/common.h"

struct target;

struct turns_ops {
	bool (*is_due)(void *ctx, struct target *target, uint64_t now_ns);
	/* 0, or a negative error; whether there is something to go on with says is_under_way(). */
	int (*start)(void *ctx, struct target *target);
	bool (*is_under_way)(const struct target *target);
	/* Whether it may go on now. NULL: always. */
	bool (*may_go_on)(const struct target *target);
	int (*step)(void *ctx, struct target *target,
		    uint64_t budget_ns); /* 1: there is more; 0; an error */
	/* With what start() or step() returned last. Returns the processor time that it has taken. */
	uint64_t (*ended)(void *ctx, struct target *target, int err, uint64_t now_ns);
};

struct turns {
	/* Set by whoever owns it. */
	double share;		/* of a processor, above 0 */
	uint64_t ask_again_ns;	/* when none was due they are asked again after that */
	uint64_t not_before_ns; /* nothing begins before */
	/* For turns.c. */
	const struct target *current; /* what is under way, if it is still there; NULL: nothing */
	size_t next;		      /* to be asked first */
	uint64_t pause_end_ns, idle_until_ns; /* likewise */
};

/* Whose turns they are, at this moment. */
struct turns_targets {
	struct target *const *targets;
	size_t n;
};

/*
 * turns__step - go on with what is under way, or begin what is due next, for about @budget_ns. True: there
 * is more to do right now.
 */
bool turns__step(struct turns *turns, const struct turns_ops *ops, void *ctx,
		 struct turns_targets of, uint64_t budget_ns, uint64_t now_ns);

#endif /* GLEAKD_SESSION_TURNS_H */
