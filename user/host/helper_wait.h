/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_HELPER_WAIT_H
#define GLEAKD_HOST_HELPER_WAIT_H

/*
 * How long an answer of somebody else's is waited for, who is to blame only for time in which it could have worked: on
 * a host that is short of processors neither it nor whoever waits comes to its turn in time. Pure.
 */
#include "base/common.h"

/* How often is looked. */
#define HELPER_WAIT_STEP_NS (100 * NSEC_PER_MSEC)

/* Of the process that is waited for. */
struct helper_progress {
	char state; /* as process__state() says it */
	/* on a processor, and ready but without one, so far; 0: not known */
	uint64_t cpu_ns, starved_ns;
};

struct helper_wait {
	uint64_t left_ns; /* of what it may take */
	uint64_t most_ns; /* of all time */
	struct helper_progress last;
};

/*
 * helper_wait__step - @passed_ns after the last look, or after the beginning; whoever asks meant to look after
 * HELPER_WAIT_STEP_NS, and what is longer is nobody's doing but the host's. Returns whether to go on.
 */
bool helper_wait__step(struct helper_wait *wait, const struct helper_progress *now,
		       uint64_t passed_ns);

#endif /* GLEAKD_HOST_HELPER_WAIT_H */
