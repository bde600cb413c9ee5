// SPDX-License-Identifier: Apache-2.0
/* The table of options as parts of man pages, in mdoc(7). */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/stream.h"
#include "cli/options_reference.h"
#include "cli/options_table.h"

/* Of a template; longer ones are no template. */
#define MAX_LINE 1024

/* mandoc -T lint: STYLE: input text line longer than 80 bytes. */
#define SOURCE_WIDTH 78

/* One byte: dashes as typed, nothing that the formatter takes for its own. Returns what it wrote. */
static int write_byte(FILE *out, char byte)
{
	const char *escape = byte == '\\' ? "e" : byte == '-' ? "-" : NULL;

	return escape ? fprintf(out, "\\%s", escape) : fprintf(out, "%c", byte);
}

static void write_text(FILE *out, const char *text)
{
	for (; *text; text++)
		write_byte(out, *text);
}

/* @text, a word, at @column. Returns the column behind it, on this line or a new one. */
static int write_word(FILE *out, const char *text, size_t length, int column)
{
	/* Escapes take one byte more each; a dash in every third would be many. */
	if (column && column + 1 + (int)(length + length / 3) > SOURCE_WIDTH) {
		fputc('\n', out);
		column = 0;
	}
	if (column)
		column += fprintf(out, " ");
	else if (*text == '.' || *text == '\'')
		column += fprintf(out, "\\&"); /* not a request */
	for (size_t i = 0; i < length; i++)
		column += write_byte(out, text[i]);
	return column;
}

/* A help text as a sentence, in lines that mdoc(7) does not find too long. */
static void write_sentence(FILE *out, const char *text)
{
	char first[32];
	size_t length = strcspn(text, " ");
	int column;

	snprintf(first, sizeof(first), "%.*s", (int)length, text);
	first[0] = (char)toupper((unsigned char)first[0]);
	column = write_word(out, first, strlen(first), 0);
	for (text += length; *text; text += length) {
		text += strspn(text, " ");
		length = strcspn(text, " ");
		column = write_word(out, text, length, column);
	}
	fputs(".\n", out);
}

static void write_default(FILE *out, const struct option_spec *spec)
{
	const char *fallback = spec->fallback ? spec->fallback : spec->pid_fallback;

	if (!fallback)
		return;
	fputs("The default is\n.Ql ", out);
	write_text(out, fallback);
	if (spec->fallback && spec->pid_fallback) {
		fputs(" ,\nwith\n.Fl -pid\nit is\n.Ql ", out);
		write_text(out, spec->pid_fallback);
	}
	fputs(" .\n", out);
}

static void write_option(FILE *out, const struct option_spec *spec)
{
	fputs(".It ", out);
	if (spec->short_name)
		fprintf(out, "Fl %c , ", spec->short_name);
	fprintf(out, "Fl -%s", spec->name);
	if (option_spec__takes_value(spec))
		fprintf(out, " Ar %s", spec->metavar);
	fputc('\n', out);
	write_sentence(out, spec->help);
	write_default(out, spec);
}

enum part {
	PART_ALL,
	PART_ANY,  /* for all processes of the host, and for those that are named */
	PART_HOST, /* for all of the host alone */
	PART_PID,  /* for those that are named alone */
};

static bool is_in_part(const struct option_spec *spec, enum part part)
{
	switch (part) {
	case PART_ALL:
		return true;
	case PART_ANY:
		return !(spec->flags & (OPTION_FOR_HOST | OPTION_FOR_PID));
	case PART_HOST:
		return spec->flags & OPTION_FOR_HOST;
	case PART_PID:
		return spec->flags & OPTION_FOR_PID;
	}
	return false;
}

static void write_options(FILE *out, enum command command, enum part part)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < n_option_specs; i++) {
		if (option_spec__is_listed(&option_specs[i], command) &&
		    is_in_part(&option_specs[i], part))
			write_option(out, &option_specs[i]);
	}
	fputs(".El\n", out);
}

static void write_key(FILE *out, const struct option_spec *spec)
{
	fprintf(out, ".It Ic %s No = ", spec->name);
	if (spec->type == OPTION_FLAG)
		fputs("Cm true | false\n", out);
	else
		fprintf(out, "Ar %s\n", spec->type == OPTION_COUNT ? "N" : spec->metavar);
	write_sentence(out, spec->help);
	if (spec->type == OPTION_COUNT)
		fprintf(out, "A number from 0 to %u.\n", (unsigned int)spec->max);
	if (option_spec__is_list(spec))
		fputs("May be given several times.\n", out);
	write_default(out, spec);
}

static void write_keys(FILE *out)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < n_option_specs; i++) {
		if (option_spec__is_listed(&option_specs[i], COMMAND_WATCH) &&
		    option_specs[i].flags & OPTION_IN_FILE)
			write_key(out, &option_specs[i]);
	}
	fputs(".El\n", out);
}

static void write_commands(FILE *out)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (int c = 0; c < COMMAND_COUNT; c++) {
		fprintf(out, ".It Ic %s\n", commands[c].name);
		write_sentence(out, commands[c].summary);
		if (commands[c].has_page)
			fprintf(out, "See\n.Xr gleakd-%s 8 .\n", commands[c].name);
	}
	fputs(".El\n", out);
}

/* "@options watch host@" */
static int write_mark(FILE *out, const char *mark)
{
	static const char *const parts[] = {"", " any", " host", " pid"};
	char wanted[64];

	if (strcmp(mark, "@keys@") == 0)
		write_keys(out);
	else if (strcmp(mark, "@commands@") == 0)
		write_commands(out);
	else
		goto options;
	return 0;
options:
	for (int c = 0; c < COMMAND_COUNT; c++) {
		for (size_t p = 0; p < ARRAY_SIZE(parts); p++) {
			snprintf(wanted, sizeof(wanted), "@options %s%s@", commands[c].name,
				 parts[p]);
			if (strcmp(mark, wanted) == 0) {
				write_options(out, (enum command)c, (enum part)p);
				return 0;
			}
		}
	}
	return -EINVAL;
}

int man__write(FILE *in, FILE *out)
{
	char line[MAX_LINE];

	while (fgets(line, sizeof(line), in)) {
		int err = 0;

		if (line[0] == '@') {
			line[strcspn(line, "\n")] = '\0';
			err = write_mark(out, line);
		} else {
			fputs(line, out);
		}
		if (err)
			return err;
	}
	return ferror(in) ? -EIO : stream__flush(out);
}
