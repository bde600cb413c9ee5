/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_REPORT_H
#define GLEAKD_CLI_REPORT_H

/* `gleakd report`: shows a recording, or a report in JSON. */
#include "cli/options.h"

/* command__report - in the format that is asked for, to stdout or a file. Returns the exit code. */
int command__report(const struct options *options);

#endif /* GLEAKD_CLI_REPORT_H */
