/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_ROUND_LIMITS_H
#define GLEAKD_CLI_ROUND_LIMITS_H

/* What may be done between two rounds, how often, and what it may cost. */
#include "cli/rounds.h"

/* round_limits__set - by the options; @mode: the most that is attached to a target. */
void round_limits__set(struct rounds *rounds, enum probe_mode mode);

#endif /* GLEAKD_CLI_ROUND_LIMITS_H */
