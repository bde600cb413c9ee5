/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_DAEMON_H
#define GLEAKD_CLI_DAEMON_H

#include "cli/options.h"

/*
 * command__daemon - gleakd without --pid: all Go processes of the host, until it is told to end. On SIGHUP
 * the command line @argv is read again, and the config file with it.
 */
int command__daemon(const struct options *options, int argc, char **argv);

#endif /* GLEAKD_CLI_DAEMON_H */
