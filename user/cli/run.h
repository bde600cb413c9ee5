/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_RUN_H
#define GLEAKD_CLI_RUN_H

/* `gleakd run -- PROGRAM`: starts a program, watches it from its first goroutine on, and says how both ended. */
#include "cli/options.h"

/* command__run - in one process, which becomes two (cli/workers.h), as their arguments. Returns the exit code. */
int command__run(const struct options *options, int argc, char **argv);

#endif /* GLEAKD_CLI_RUN_H */
