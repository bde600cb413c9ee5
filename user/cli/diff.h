/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_DIFF_H
#define GLEAKD_CLI_DIFF_H

/* `gleakd diff`: what is different in a recording, or a report in JSON, from an earlier one. */
#include "cli/options.h"

/* command__diff - returns the exit code: --error-exitcode when something is worse. */
int command__diff(const struct options *options);

#endif /* GLEAKD_CLI_DIFF_H */
