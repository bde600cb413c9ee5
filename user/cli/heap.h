/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_HEAP_H
#define GLEAKD_CLI_HEAP_H

/* `gleakd heap`: what the memory of a process consists of, by scans of its heap while it runs. */
#include "cli/named.h"
#include "cli/options.h"

/* command__heap - the processes @named, one after the other. Returns the exit code. */
int command__heap(const struct options *options, const struct named *named);

#endif /* GLEAKD_CLI_HEAP_H */
