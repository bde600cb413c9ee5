/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_WATCH_H
#define GLEAKD_CLI_WATCH_H

/* `gleakd --pid N`: watch one process until interrupted, its end, or the end of --duration. */
#include "cli/options.h"

/*
 * command__watch - returns the exit code of the program (design.md, exit codes): that of a failure, else
 * --error-exitcode when the last report shows what it is about.
 */
int command__watch(const struct options *options);

#endif /* GLEAKD_CLI_WATCH_H */
