/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_NAMED_H
#define GLEAKD_CLI_NAMED_H

/* The processes that the command line names, by number or by anything a user may call them. */
#include <sys/types.h>

#include "cli/options.h"

struct named {
	size_t n;
	pid_t pids[OPTION_LIST_MAX]; /* each once, in the order of the command line */
};

/*
 * named__resolve - the pids that @list means. 0, or the program's exit code after a message on stderr:
 * EXIT_CODE_USAGE for a name that no Go process has, or that several have, which are then listed with
 * the commands that choose one.
 */
int named__resolve(const struct option_list *list, struct named *ret_named);

#endif /* GLEAKD_CLI_NAMED_H */
