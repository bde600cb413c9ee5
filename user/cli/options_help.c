// SPDX-License-Identifier: Apache-2.0
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/options_table.h"
#include "output/text/legend.h"

#define HELP_COLUMN    26
#define COMMAND_COLUMN 14
#define EXAMPLE_COLUMN 30
#define HELP_WIDTH     80
#define HELP_SIZE      512

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

/* What an example does is in a column of its own: behind a blank it would read as one more argument. */
static void write_examples(FILE *out, const struct command_spec *command)
{
	int column = EXAMPLE_COLUMN - 4;

	for (size_t i = 0; i < COMMAND_EXAMPLES && command->examples[i].typed; i++)
		column = max_of(column, (int)strlen(command->examples[i].typed));
	fputs("Examples:\n", out);
	for (size_t i = 0; i < COMMAND_EXAMPLES && command->examples[i].typed; i++) {
		if (*command->examples[i].does)
			fprintf(out, "  %-*s  %s\n", column, command->examples[i].typed,
				command->examples[i].does);
		else
			fprintf(out, "  %s\n", command->examples[i].typed);
	}
	fputc('\n', out);
}

static void write_usage(FILE *out, enum command command)
{
	const struct command_spec *spec = &commands[command];

	if (command == COMMAND_WATCH)
		fprintf(out, "Usage: gleakd %s\n       gleakd COMMAND [options]\n", spec->usage);
	else
		fprintf(out, "Usage: gleakd %s%s%s\n", spec->name, *spec->usage ? " " : "",
			spec->usage);
}

static void write_words(FILE *out)
{
	fputs("\nWords:\n", out);
	for (size_t i = 0; i < n_legend_words; i++) {
		fprintf(out, "  %-*s", COMMAND_COLUMN - 2, legend_words[i].word);
		write_wrapped(out, legend_words[i].meaning, COMMAND_COLUMN, COMMAND_COLUMN);
	}
}

static void write_commands(FILE *out)
{
	fputs("Commands:\n", out);
	for (int c = 0; c < COMMAND_COUNT; c++)
		fprintf(out, "  %-*s%s\n", COMMAND_COLUMN - 2, commands[c].name,
			commands[c].summary);
}

void options__write_commands(FILE *out)
{
	fputs("Usage: gleakd COMMAND [options]\n\n", out);
	write_commands(out);
	fputs("\n'gleakd help COMMAND' tells more of each.\n", out);
}

static const char *help_of(const struct option_spec *spec, bool brief, char *text, size_t size)
{
	if (brief && spec->brief)
		return spec->brief;
	if (spec->pid_fallback && spec->fallback)
		snprintf(text, size, "%s (default %s; for chosen processes %s)", spec->help,
			 spec->fallback, spec->pid_fallback);
	else if (spec->fallback || spec->pid_fallback)
		snprintf(text, size, "%s (default %s)", spec->help,
			 spec->fallback ? spec->fallback : spec->pid_fallback);
	else
		snprintf(text, size, "%s", spec->help);
	return text;
}

static void write_option(FILE *out, const struct option_spec *spec, bool brief)
{
	char text[HELP_SIZE];
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
	write_wrapped(out, help_of(spec, brief, text, sizeof(text)), HELP_COLUMN, HELP_COLUMN);
}

#define ANY_PART UINT_MAX

/* The options of @command that have some of @flags, or none of the two that this is about. */
static void write_part(FILE *out, enum command command, const char *title, unsigned int flags)
{
	const unsigned int about = OPTION_FOR_HOST | OPTION_FOR_PID;

	fprintf(out, "\n%s:\n", title);
	for (size_t i = 0; i < n_option_specs; i++) {
		if (option_spec__is_listed(&option_specs[i], command) &&
		    (flags == ANY_PART || (option_specs[i].flags & about) == flags))
			write_option(out, &option_specs[i], false);
	}
}

/* What is said in few words anyway, but for what everybody knows; of watching the most used. */
static bool is_brief(const struct option_spec *spec, enum command command)
{
	char text[HELP_SIZE];

	if (spec->brief)
		return true;
	if (command == COMMAND_WATCH || spec->short_name == 'h' || spec->short_name == 'V')
		return false;
	return strlen(help_of(spec, true, text, sizeof(text))) < HELP_WIDTH - HELP_COLUMN;
}

static void write_brief_options(FILE *out, enum command command)
{
	size_t shown = 0;

	for (size_t i = 0; i < n_option_specs; i++) {
		if (!option_spec__is_listed(&option_specs[i], command) ||
		    !is_brief(&option_specs[i], command))
			continue;
		if (!shown++)
			fprintf(out, "\nOptions, of which 'gleakd help %s' lists all:\n",
				commands[command].name);
		write_option(out, &option_specs[i], true);
	}
}

/* "Commands: watch, list, ..." */
static void write_command_names(FILE *out)
{
	char names[HELP_SIZE];
	size_t n = 0;

	for (int c = 0; c < COMMAND_COUNT; c++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", c ? ", " : "",
				      commands[c].name);
	fputs("\nCommands, which 'gleakd help' explains:\n  ", out);
	write_wrapped(out, names, 2, 2);
}

/* On the smallest screen that people have: 80 by 24. */
static void write_brief(FILE *out, enum command command)
{
	write_examples(out, &commands[command]);
	write_usage(out, command);
	if (command == COMMAND_WATCH)
		write_command_names(out);
	else
		fprintf(out, "       %s\n", commands[command].summary);
	write_brief_options(out, command);
}

static void write_whole(FILE *out, enum command command)
{
	bool watch = command == COMMAND_WATCH;

	write_examples(out, &commands[command]);
	write_usage(out, command);
	fputc('\n', out);
	write_wrapped(out, commands[command].about, 0, 0);
	if (watch) {
		fputc('\n', out);
		write_commands(out);
	}
	write_part(out, command, "Options", watch ? 0 : ANY_PART);
	if (watch) {
		write_part(out, command, "For all processes of the host", OPTION_FOR_HOST);
		write_part(out, command, "For one process, or those that are named",
			   OPTION_FOR_PID);
		fputs("\nTIME is 30s, 5m, 1h30m, 1.5s, or plain seconds; PERCENT 1% or 0.5%; SIZE\n"
		      "512M or 2G.\n",
		      out);
		write_words(out);
	}
	fputs("\nExit status: 0 ok, 1 failure, 2 usage, 3 target or kernel not supported,\n"
	      "4 not permitted",
	      out);
	fputs(watch ? ", 5 nothing could be judged (with --error-exitcode).\n" : ".\n", out);
}

void options__write_help(FILE *out, enum command command, bool brief)
{
	if (brief)
		write_brief(out, command);
	else
		write_whole(out, command);
}
