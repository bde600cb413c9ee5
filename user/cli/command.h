/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_COMMAND_H
#define GLEAKD_CLI_COMMAND_H

/* How commands end: what is logged, and the program's exit code (README.md has the table). */
#include "base/failure.h"

/* The command line, or the config file, is wrong. */
#define EXIT_CODE_USAGE 2
/* With --error-exitcode: nothing was found, and nothing could have been. */
#define EXIT_CODE_NOT_JUDGED 5

/* command__failed - log @failure, or the errno's own words without any. Returns the exit code of @err. */
int command__failed(int err, const struct failure *failure);

/*
 * command__wrote - the exit code of a command that has written @what ("the list") to stdout, with this
 * result. A reader that leaves early, as in `gleakd list | head -1`, is no failure.
 */
int command__wrote(int err, const char *what);

#endif /* GLEAKD_CLI_COMMAND_H */
