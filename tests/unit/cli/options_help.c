// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options_table.h"

/* Of the smallest terminal that people have; the prompt that follows takes one of 24. */
#define SCREEN_LINES 23

Test(options_help, help_names_every_option_and_fits_80_columns)
{
	static const char *const names[] = {
		"-p, --pid N|NAME",
		"--min-age TIME",
		"--interval TIME",
		"--duration TIME",
		"--once",
		"--mode MODE",
		"--json",
		"-v, --verbose",
		"--all",
		"--color WHEN",
		"-h, --help",
		"-V, --version",
		"10s; for chosen processes 2s)",
		"Commands:",
		"--explain SITE",
		"--allow FILE",
		"--state FILE",
		"--fail-on WORDS",
		"leaking,stuck)",
		"--json-schema",
		"--error-exitcode N",
	};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	cr_assert_not_null(out);
	options__write_help(out, COMMAND_WATCH, false);
	fclose(out);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		cr_expect_not_null(strstr(text, names[i]), "%s", names[i]);
	cr_expect_null(strstr(text, "ring-bytes"));
	cr_expect(strncmp(text, "Examples:\n", 10) == 0);
	for (char *line = text; *line; line += strcspn(line, "\n") + 1)
		cr_expect_leq(strcspn(line, "\n"), 80, "%.90s", line);
	free(text);
}

Test(options_help, a_command_that_was_meant)
{
	cr_expect_str_eq(command__nearest("lst"), "list");
	cr_expect_null(command__nearest("LIST"));
	cr_expect_str_eq(command__nearest("docter"), "doctor");
	cr_expect_str_eq(command__nearest("verison"), "version");
	cr_expect_null(command__nearest("shop"));
	cr_expect_null(command__nearest("a-name-that-is-longer-than-any-command-there-is"));
}

/* Whether there is a line with that in a column of its own. */
static bool shows(const char *text, const char *typed)
{
	const char *end;

	for (const char *at = text; (at = strstr(at, typed)); at = end) {
		end = at + strlen(typed);
		if (at - text >= 3 && !strncmp(at - 3, "\n  ", 3) &&
		    (*end == '\n' || !strncmp(end, "  ", 2)))
			return true;
	}
	return false;
}

Test(options_help, short_help_begins_with_an_example_and_fits_a_screen)
{
	for (int c = 0; c < COMMAND_COUNT; c++) {
		char *text = NULL, first[80];
		size_t size = 0, lines = 0;
		FILE *out = open_memstream(&text, &size);

		cr_assert_not_null(out);
		options__write_help(out, (enum command)c, true);
		fclose(out);
		snprintf(first, sizeof(first), "Examples:\n  %s", commands[c].examples[0].typed);
		cr_expect(strncmp(text, first, strlen(first)) == 0, "%s: %.60s", commands[c].name,
			  text);
		cr_expect_null(strstr(text, "(null)"), "%s: %s", commands[c].name, text);
		for (size_t i = 0; i < COMMAND_EXAMPLES && commands[c].examples[i].typed; i++) {
			cr_expect(shows(text, commands[c].examples[i].typed),
				  "%s: what '%s' does reads as an argument", commands[c].name,
				  commands[c].examples[i].typed);
		}
		for (char *line = text; *line; line += strcspn(line, "\n") + 1, lines++)
			cr_expect_leq(strcspn(line, "\n"), 80, "%.90s", line);
		cr_expect_leq(lines, SCREEN_LINES, "%s: %zu lines", commands[c].name, lines);
		free(text);
	}
}

Test(options_help, help_of_a_command_shows_its_options_only)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	cr_assert_not_null(out);
	options__write_help(out, COMMAND_LIST, false);
	fclose(out);
	cr_expect_not_null(strstr(text, "Usage: gleakd list [options]\n"));
	cr_expect_not_null(strstr(text, "--json "));
	cr_expect_null(strstr(text, "--pid"));
	cr_expect_null(strstr(text, "--interval"));
	for (char *line = text; *line; line += strcspn(line, "\n") + 1)
		cr_expect_leq(strcspn(line, "\n"), 80, "%.90s", line);
	free(text);
}
