/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_WORKERS_H
#define GLEAKD_CLI_WORKERS_H

/* Runs a command in a worker, with the files that the options name (broker/run.h). */
#include "cli/options.h"

/*
 * workers__run - @run is given @options, in a process without privileges. @argc, @argv: what the options
 * were read from, and are again on SIGHUP. Returns the exit code, in both processes.
 */
int workers__run(const struct options *options, int argc, char **argv,
		 int (*run)(const struct options *options));

#endif /* GLEAKD_CLI_WORKERS_H */
