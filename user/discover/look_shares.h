/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_LOOK_SHARES_H
#define GLEAKD_DISCOVER_LOOK_SHARES_H

/*
 * What looking at new processes may take of a processor, for each user: who starts one program after the other that
 * has to be read pays for that with his own processes' turns and not with those of others. What is the host's own
 * does not wait. All zero: nobody does. Pure.
 */
#include <sys/types.h>

#include "base/common.h"

/* Users whose turns are known at one time; of more, those are forgotten whose next one comes first. */
#define LOOK_SHARES_MAX 256

struct look_shares {
	double share; /* of one processor, for each; 0: no limit */
	struct look_share {
		uid_t owner;	  /* as host/owner.h has it */
		uint64_t next_ns; /* nobody of his is looked at before */
		uint64_t last_ns; /* the last turn that was given to one who waits */
		uint64_t held_ns; /* nor before that: one of his has held up whoever looked */
		uint64_t gap_ns;  /* between two of them, by what was paid before */
	} all[LOOK_SHARES_MAX];
	size_t n;
};

/* look_shares__limit - from now on; nobody has paid anything yet. */
void look_shares__limit(struct look_shares *shares, double share);

/*
 * look_shares__turn - when a process of @owner may be looked at, which could be now: not after @now_ns, or when it is
 * to be asked again. Each gets a turn of its own, and none waits for more than LOOK_SHARES_WAIT_NS.
 */
uint64_t look_shares__turn(struct look_shares *shares, uid_t owner, uint64_t now_ns);
#define LOOK_SHARES_WAIT_NS (60 * NSEC_PER_SEC)

/*
 * look_shares__hold - a process of @owner has held up whoever looked, so others come first: his have their turn from
 * @until_ns on, also where there is no limit.
 */
void look_shares__hold(struct look_shares *shares, uid_t owner, uint64_t until_ns);

/* look_shares__any - somebody may have to wait. */
static inline bool look_shares__any(const struct look_shares *shares)
{
	return shares->share > 0 || shares->n > 0;
}

/* look_shares__pay - a look at a process of @owner took @cpu_ns of a processor. */
void look_shares__pay(struct look_shares *shares, uid_t owner, uint64_t cpu_ns, uint64_t now_ns);

#endif /* GLEAKD_DISCOVER_LOOK_SHARES_H */
