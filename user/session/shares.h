/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_SHARES_H
#define GLEAKD_SESSION_SHARES_H

/*
 * What gleakd itself may use, divided among the users whose processes it watches: nobody's processes may
 * keep those of others from being watched as they should. A user is who host/owner.h says; a container
 * whose root is root of the host counts as one. What else is root's is the host's own, each process by itself.
 */
#include "base/common.h"
#include "session/session.h"

#define SHARES_HOST 0 /* the host's own */

struct share {
	uint64_t owner;
	double used;
	bool over; /* more than its share */
};

/* shares__owner - whose @target is; SHARES_HOST. */
uint64_t shares__owner(const struct target *target);

/*
 * shares__judge - fill in who is over when @total is there for all: what somebody does not need is divided
 * among the others, first among owners, then among what is an owner's (max-min fairness). Nobody is over
 * when all together use no more than @total.
 */
void shares__judge(struct share *shares, size_t n, double total);

/*
 * shares__keep_memory - often: targets take in no more goroutines, stacks and sites while their owner has
 * more than half of @max_memory (bytes; 0: no limit), or while @full, all of it being in use. Not the
 * host's own for the first reason. Both are counted as refused.
 */
void shares__keep_memory(struct session *session, uint64_t max_memory, bool full);

/*
 * shares__slow_down - gleakd used more than @max_cpu (a share of a core) for the last @elapsed_ns, or
 * much less: targets whose censuses took more than their share of it are looked at half as often, down to
 * each SHARES_MAX_STRETCH'th round, or twice as often again. Returns how many were slowed down.
 */
size_t shares__slow_down(struct session *session, double max_cpu, uint64_t elapsed_ns);
void shares__speed_up(struct session *session);
#define SHARES_MAX_STRETCH 32

#endif /* GLEAKD_SESSION_SHARES_H */
