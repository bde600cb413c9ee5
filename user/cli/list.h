/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_LIST_H
#define GLEAKD_CLI_LIST_H

/* `gleakd list`: the Go processes of this host. */
#include "cli/options.h"

/* command__list - returns the exit code; 0 also when there is none. */
int command__list(const struct options *options);

#endif /* GLEAKD_CLI_LIST_H */
