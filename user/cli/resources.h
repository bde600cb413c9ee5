/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_RESOURCES_H
#define GLEAKD_CLI_RESOURCES_H

/* `gleakd resources`: what processes have opened and not closed. */
#include "cli/named.h"
#include "cli/options.h"

/* command__resources - of the processes @named. Returns the exit code. */
int command__resources(const struct options *options, const struct named *named);

#endif /* GLEAKD_CLI_RESOURCES_H */
