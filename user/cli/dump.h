/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_DUMP_H
#define GLEAKD_CLI_DUMP_H

/* `gleakd dump`: the goroutines of processes, by one census of each. */
#include "cli/named.h"
#include "cli/options.h"

/* command__dump - the processes @named. Returns the exit code. */
int command__dump(const struct options *options, const struct named *named);

#endif /* GLEAKD_CLI_DUMP_H */
