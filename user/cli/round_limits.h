/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_ROUND_LIMITS_H
#define GLEAKD_CLI_ROUND_LIMITS_H

/* What may be done between two rounds, how often, and what it may cost. */
#include "cli/rounds.h"

/* round_limits__set - by the options; @mode: the most that is attached to a target. */
void round_limits__set(struct rounds *rounds, enum probe_mode mode);

/*
 * round_limits__may_wait - whether to do now what may be held up until a deadline
 * (host/access_guard.h), as to look at a process: no report waits for it, neither one whose round
 * is under way nor the next one that is due.
 */
bool round_limits__may_wait(struct rounds *rounds, uint64_t now_ns);

#endif /* GLEAKD_CLI_ROUND_LIMITS_H */
