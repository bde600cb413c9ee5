/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_ROUNDS_EXIT_H
#define GLEAKD_CLI_ROUNDS_EXIT_H

#include "cli/rounds.h"

/*
 * rounds_exit__code - the program's exit code (README.md has the table) after a run that ended with @err, and
 * why, logged where it is not plain: first what failed, then what was found, then what could not be written,
 * and at last that nothing could be judged.
 */
int rounds_exit__code(const struct rounds *rounds, int err);

#endif /* GLEAKD_CLI_ROUNDS_EXIT_H */
