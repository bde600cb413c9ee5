/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_OPTIONS_REFERENCE_H
#define GLEAKD_CLI_OPTIONS_REFERENCE_H

/*
 * Man pages and completions from the table of options. They are checked in, so that nothing has to
 * run what was built for another machine; `make reference` writes them anew, a unit test compares.
 */
#include <stdio.h>

#include "base/common.h"

/*
 * man__write - a copy of @in, a page in mdoc(7), where a line of its own
 *
 *	@options COMMAND [any|host|pid]@  is a list of what COMMAND takes: of all options, of those for
 *					  any processes, for all of the host alone, or for named ones
 *					  alone
 *	@keys@				  is a list of what may stand in the config file
 *	@commands@			  is a list of the commands
 *
 * -EINVAL for any other line that begins with '@', or the error of reading or writing.
 */
int man__write(FILE *in, FILE *out) __must_check;

/* Each 0, or the error of writing. */
int completion__write_bash(FILE *out) __must_check;
int completion__write_zsh(FILE *out) __must_check;
int completion__write_fish(FILE *out) __must_check;

#endif /* GLEAKD_CLI_OPTIONS_REFERENCE_H */
