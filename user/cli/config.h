/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_CONFIG_H
#define GLEAKD_CLI_CONFIG_H

/*
 * The config file: options of the table, one a line, as "name = value" without the dashes. A flag is
 * true or false, a pattern may be given several times. '#' at the beginning of a line or after a
 * blank begins a comment. A value that has such, or blanks at its ends, stands in double quotes;
 * there \\, \" and \xHH stand for a backslash, a quote and any byte but 0.
 */
#include <stdio.h>

#include "cli/options.h"

#define CONFIG_MAX_BYTES  (1u << 20)
#define CONFIG_MAX_LINES  4096
#define CONFIG_MAX_ERRORS 20

/* Everything that is wrong, not only the first of it. */
struct config_errors {
	unsigned int n; /* of which text has the first CONFIG_MAX_ERRORS */
	char text[CONFIG_MAX_ERRORS][700];
};

/* config_errors__log - one message each, and how many more there are. */
void config_errors__log(const struct config_errors *errors);

struct options_given;

/*
 * config__parse - @options from @text, which is changed and has to stay as long as they are in use.
 * What the file names is marked in @given. -EINVAL when a line is wrong: see @errors; @options is
 * then in no good state.
 */
int config__parse(char *text, size_t length, const char *path, struct options *options,
		  struct options_given *given, struct config_errors *errors) __must_check;

/*
 * config__read - the same from file @path; the text belongs to @options, which must not have any
 * yet. For root the file has to be one that only root can write: -EPERM. Else -EINVAL, -E2BIG, or
 * as open(2) and read(2); in words in @errors.
 */
int config__read(const char *path, struct options *options, struct options_given *given,
		 struct config_errors *errors) __must_check;

/*
 * config__load - options from the command line and, behind it, the config file: the one of --config
 * or, without --pid, @usual if it exists. May be called again with the same arguments, when the file
 * has changed. -EINVAL is a usage error; @ret_options stays untouched on any error. What is returned
 * is given back with options__free().
 */
int config__load(int argc, char **argv, const char *usual, struct options *ret_options,
		 struct config_errors *errors) __must_check;

/* config__write - @options as a config file that means the same; 0, or the error of writing. */
int config__write(FILE *out, const struct options *options) __must_check;

#endif /* GLEAKD_CLI_CONFIG_H */
