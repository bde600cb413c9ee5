/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_PROVE_H
#define GLEAKD_CLI_PROVE_H

/* `gleakd prove`: what a process leaks for certain, by one consistent picture of its memory. */
#include "cli/named.h"
#include "cli/options.h"

/* command__prove - the processes @named, one after the other. Returns the exit code. */
int command__prove(const struct options *options, const struct named *named);

#endif /* GLEAKD_CLI_PROVE_H */
