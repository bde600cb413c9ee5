// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "cli/options_table.h"

#define HELP_COLUMN 24
#define HELP_WIDTH  80

/* Words of @text, further lines from @indent on; the line is at @column. */
static void write_wrapped(FILE *out, const char *text, int indent, int column)
{
	while (*text) {
		int length = (int)strcspn(text, " ");

		if (column > indent && column + 1 + length > HELP_WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		}
		column += fprintf(out, "%s%.*s", column > indent ? " " : "", length, text);
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void write_option(FILE *out, const struct option_spec *spec)
{
	char text[512];
	int column;

	column = spec->short_name ? fprintf(out, "  -%c, ", spec->short_name) :
				    fprintf(out, "      ");
	column += fprintf(out, "--%s", spec->name);
	if (option_spec__takes_value(spec))
		column += fprintf(out, " %s", spec->metavar);
	/* At least two blanks between an option and its text. */
	if (column + 2 > HELP_COLUMN)
		column = fprintf(out, "\n") - 1;
	fprintf(out, "%*s", HELP_COLUMN - column, "");
	if (spec->pid_fallback)
		snprintf(text, sizeof(text), "%s (default %s; with --pid %s)", spec->help,
			 spec->fallback, spec->pid_fallback);
	else if (spec->fallback)
		snprintf(text, sizeof(text), "%s (default %s)", spec->help, spec->fallback);
	else
		snprintf(text, sizeof(text), "%s", spec->help);
	write_wrapped(out, text, HELP_COLUMN, HELP_COLUMN);
}

static void write_commands(FILE *out)
{
	fputs("\nCommands:\n", out);
	for (int c = 0; c < COMMAND_COUNT; c++) {
		if (*commands[c].name)
			fprintf(out, "  %-*s%s\n", HELP_COLUMN - 2, commands[c].name,
				commands[c].summary);
	}
}

void options__write_help(FILE *out, enum command command)
{
	const char *name = commands[command].name;

	fprintf(out, "Usage: gleakd %s%s%s\n", name, *name ? " " : "", commands[command].usage);
	if (command == COMMAND_WATCH)
		fputs("       gleakd COMMAND [options]\n", out);
	fputc('\n', out);
	write_wrapped(out, commands[command].about, 0, 0);
	if (command == COMMAND_WATCH)
		write_commands(out);
	fputs("\nOptions:\n", out);
	for (size_t i = 0; i < n_option_specs; i++) {
		if (option_spec__is_listed(&option_specs[i], command))
			write_option(out, &option_specs[i]);
	}
	fputc('\n', out);
	if (command == COMMAND_WATCH)
		fputs("TIME is 30s, 5m, 1h30m, 1.5s, or plain seconds; PERCENT 1% or 0.5%; SIZE\n"
		      "512M or 2G.\n",
		      out);
	fputs("Exit status: 0 ok, 1 failure, 2 usage, 3 target or kernel not supported,\n"
	      "4 not permitted.\n",
	      out);
	if (command == COMMAND_WATCH)
		fputs("N of --error-exitcode tells findings from failures when it is above 4.\n",
		      out);
}
