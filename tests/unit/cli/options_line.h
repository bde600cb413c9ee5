/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_OPTIONS_LINE_H
#define GLEAKD_TESTS_OPTIONS_LINE_H

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/options.h"

#define MAX_ARGS 80

/* What follows "gleakd", split at blanks; "''" stands for an empty argument. Options point into it until the next. */
static inline int parse(const char *line, struct options *options, struct failure *failure)
{
	static char copy[512], *argv[MAX_ARGS + 2] = {(char *)"gleakd"};
	char *rest = NULL;
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &rest); word && argc <= MAX_ARGS;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
	argv[argc] = NULL;
	return options__parse(argc, argv, options, failure);
}

static inline struct options accept(const char *line)
{
	struct options options;
	struct failure failure = {""};

	cr_assert_eq(parse(line, &options, &failure), 0, "%s: %s", line, failure.text);
	return options;
}

static inline void check_refused(const char *line, const char *message)
{
	struct options options, before;
	struct failure failure = {""};

	memset(&options, 0x5a, sizeof(options));
	before = options;
	cr_expect_eq(parse(line, &options, &failure), -EINVAL, "%s", line);
	cr_expect_str_eq(failure.text, message);
	cr_expect_arr_eq(&options, &before, sizeof(options), "%s left something behind", line);
}

#endif /* GLEAKD_TESTS_OPTIONS_LINE_H */
