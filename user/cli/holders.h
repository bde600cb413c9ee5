/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_HOLDERS_H
#define GLEAKD_CLI_HOLDERS_H

/* `gleakd holders`: what leads to an object, or to what goroutines wait on. */
#include "cli/named.h"
#include "cli/options.h"

/* command__check_holders - what is asked about is said, and once: 0, or EXIT_CODE_USAGE after a message. */
int command__check_holders(const struct options *options);

/* command__holders - in the processes @named. Returns the exit code. */
int command__holders(const struct options *options, const struct named *named);

#endif /* GLEAKD_CLI_HOLDERS_H */
