/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_RECORD_H
#define GLEAKD_CLI_RECORD_H

/* `gleakd record`: watches processes that were named and keeps what happens in a file. */
#include "cli/named.h"
#include "cli/options.h"

/* command__record - until interrupted, until all have ended, or for --duration. Returns the exit code. */
int command__record(const struct options *options, const struct named *named);

#endif /* GLEAKD_CLI_RECORD_H */
