/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_WATCH_H
#define GLEAKD_CLI_WATCH_H

/* `gleakd NAME` and `gleakd --pid N`: processes that were named, until the last of them has ended. */
#include "cli/named.h"
#include "cli/options.h"

/*
 * command__watch - watch them until interrupted, until all have ended, or for --duration. Returns the
 * program's exit code, as rounds__close().
 */
int command__watch(const struct options *options, const struct named *named);

#endif /* GLEAKD_CLI_WATCH_H */
