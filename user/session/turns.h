/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_TURNS_H
#define GLEAKD_SESSION_TURNS_H

/*
 * Long work on many things, in slices: on one at a time, in turn, and so seldom that all of it takes no more
 * than a share of a processor. What the things are only the owner knows; they may go away in between.
 *
 * Pure: time is given.
 */
#include "base/common.h"

struct turns_ops {
	size_t (*count)(void *ctx);
	void *(*get)(void *ctx, size_t index);
	bool (*is_due)(void *ctx, void *thing, uint64_t now_ns);
	/* 0, or a negative error; whether there is something to go on with says is_under_way(). */
	int (*start)(void *ctx, void *thing);
	bool (*is_under_way)(void *ctx, void *thing);
	/* Whether it may go on now. NULL: always. */
	bool (*may_go_on)(void *ctx, void *thing);
	int (*step)(void *ctx, void *thing, uint64_t budget_ns); /* 1: there is more; 0; an error */
	/* With what start() or step() returned last. Returns the processor time that it has taken. */
	uint64_t (*ended)(void *ctx, void *thing, int err, uint64_t now_ns);
};

struct turns {
	/* Set by whoever owns it. */
	double share;	       /* of a processor, above 0 */
	uint64_t ask_again_ns; /* when none was due they are asked again after that */
	/* For turns.c. */
	void *current; /* what is under way, if it is still there; NULL: nothing */
	size_t next;   /* to be asked first */
	uint64_t pause_end_ns, idle_until_ns; /* nothing begins before */
};

/*
 * turns__step - go on with what is under way, or begin what is due next, for about @budget_ns. True: there
 * is more to do right now.
 */
bool turns__step(struct turns *turns, const struct turns_ops *ops, void *ctx, uint64_t budget_ns,
		 uint64_t now_ns);

#endif /* GLEAKD_SESSION_TURNS_H */
