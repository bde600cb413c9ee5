/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_ALLOCS_SAMPLE_TURNS_H
#define GLEAKD_SESSION_ALLOCS_SAMPLE_TURNS_H

/*
 * Whose memory samples are read when: one target at a time, in turn, as often as its history wants to
 * know; and so seldom that all readings together take no more than a small share of a processor.
 */
#include "session/allocs/target_samples.h"
#include "session/session.h"
#include "session/turns.h"

struct sample_turns {
	/* Set by whoever owns it. */
	struct target_samples_options options;
	uint64_t min_process_age_ns; /* what fills at its start is left alone */
	double max_share;	     /* of a processor; 0: SAMPLE_TURNS_SHARE */
	/* For sample_turns.c. */
	struct turns turns;
};

#define SAMPLE_TURNS_SHARE 0.01
/* A target without samples, or whose samples cannot be read, is asked so often whether it has some. */
#define SAMPLE_TURNS_RETRY_NS (60 * NSEC_PER_SEC)

/*
 * sample_turns__step - go on with the reading under way, or begin the next that is due, for about
 * @budget_ns. True: there is more to do right now.
 */
bool sample_turns__step(struct sample_turns *turns, const struct session *session,
			uint64_t budget_ns, uint64_t now_ns);

#endif /* GLEAKD_SESSION_ALLOCS_SAMPLE_TURNS_H */
