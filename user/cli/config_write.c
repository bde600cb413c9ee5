// SPDX-License-Identifier: Apache-2.0
/* Options as a config file. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/stream.h"
#include "base/text.h"
#include "cli/config.h"
#include "cli/options_table.h"

#define COMMENT_WIDTH 80

/* Comments in lines that begin with "# ". */
static void write_comment(FILE *out, const char *text)
{
	int column = 0;

	while (*text) {
		int length = (int)strcspn(text, " ");

		if (column && column + 1 + length > COMMENT_WIDTH) {
			fputc('\n', out);
			column = 0;
		}
		column += fprintf(out, "%s%.*s", column ? " " : "# ", length, text);
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

/* Whether a reader would take something else from it as it is. */
static bool needs_quotes(const char *text)
{
	size_t length = strlen(text);

	if (!length || *text == '"' || text__is_blank(*text) || text__is_blank(text[length - 1]))
		return true;
	for (size_t i = 0; i < length; i++) {
		if (iscntrl((unsigned char)text[i]) ||
		    (text[i] == '#' && (!i || text__is_blank(text[i - 1]))))
			return true;
	}
	return false;
}

static void write_text(FILE *out, const char *text)
{
	if (!needs_quotes(text)) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (iscntrl((unsigned char)*text))
			fprintf(out, "\\x%02x", (unsigned char)*text);
		else
			fprintf(out, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
	}
	fputc('"', out);
}

/* All of it, unlike duration__format(): "1h1m1s". */
static void write_duration(FILE *out, uint64_t ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{"h", 3600 * NSEC_PER_SEC}, {"m", 60 * NSEC_PER_SEC}, {"s", NSEC_PER_SEC},
		{"ms", NSEC_PER_MSEC},	    {"us", NSEC_PER_USEC},    {"ns", 1},
	};

	if (!ns)
		fputs("0", out);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (ns / units[i].ns)
			fprintf(out, "%" PRIu64 "%s", ns / units[i].ns, units[i].name);
		ns %= units[i].ns;
	}
}

static void write_bytes(FILE *out, uint64_t bytes)
{
	static const char suffixes[] = "KMGT";
	size_t i = 0;

	while (bytes && bytes % 1024 == 0 && suffixes[i]) {
		bytes /= 1024;
		i++;
	}
	fprintf(out, "%" PRIu64 "%.1s", bytes, i ? &suffixes[i - 1] : "");
}

/* Up to four decimals, as many as it takes. */
static void write_percent(FILE *out, double share)
{
	uint64_t units = (uint64_t)(share * OPTION_PERCENT_UNITS + 0.5);
	int decimals = 4;
	uint64_t rest = units % 10000;

	fprintf(out, "%" PRIu64, units / 10000);
	while (decimals && rest % 10 == 0) {
		rest /= 10;
		decimals--;
	}
	if (decimals)
		fprintf(out, ".%0*" PRIu64, decimals, rest);
	fputc('%', out);
}

static void write_words(FILE *out, const struct option_spec *spec, unsigned int mask)
{
	bool first = true;

	for (unsigned int i = 0; spec->choices[i]; i++) {
		if (!(mask & 1u << i))
			continue;
		fprintf(out, "%s%s", first ? "" : ",", spec->choices[i]);
		first = false;
	}
}

static void write_value(FILE *out, const struct option_spec *spec, const void *field)
{
	switch (spec->type) {
	case OPTION_FLAG:
		fputs(*(const bool *)field ? "true" : "false", out);
		break;
	case OPTION_COUNT:
	case OPTION_NUMBER:
		fprintf(out, "%u", *(const unsigned int *)field);
		break;
	case OPTION_SIZE:
		fprintf(out, "%" PRIu32, *(const uint32_t *)field);
		break;
	case OPTION_DURATION:
		write_duration(out, *(const uint64_t *)field);
		break;
	case OPTION_BYTES:
		write_bytes(out, *(const uint64_t *)field);
		break;
	case OPTION_PERCENT:
		write_percent(out, *(const double *)field);
		break;
	case OPTION_CHOICE:
		fputs(spec->choices[*(const int *)field], out);
		break;
	case OPTION_WORDS:
		write_words(out, spec, *(const unsigned int *)field);
		break;
	case OPTION_STRING:
	case OPTION_PATH:
	case OPTION_TEXTFILE:
		write_text(out, *(const char *const *)field);
		break;
	case OPTION_PATTERNS: /* write_option() writes a line for each */
	case OPTION_TRIGGERS:
	case OPTION_PROCESSES: /* for the command line only */
	case OPTION_TEXTS:
		break;
	}
}

static bool is_text(const struct option_spec *spec)
{
	return spec->type == OPTION_STRING || spec->type == OPTION_PATH ||
	       spec->type == OPTION_TEXTFILE;
}

static void write_option(FILE *out, const struct option_spec *spec, const struct options *options)
{
	const void *field = (const char *)options + spec->offset;
	const struct option_list *list = field;

	fputc('\n', out);
	write_comment(out, spec->help);
	if (option_spec__is_list(spec)) {
		for (unsigned int i = 0; i < list->n; i++) {
			fprintf(out, "%s = ", spec->name);
			write_text(out, list->items[i]);
			fputc('\n', out);
		}
		if (!list->n)
			fprintf(out, "# %s = %s\n", spec->name, spec->metavar);
	} else if (is_text(spec) && !*(const char *const *)field) {
		fprintf(out, "# %s = %s\n", spec->name, spec->metavar);
	} else {
		fprintf(out, "%s = ", spec->name);
		write_value(out, spec, field);
		fputc('\n', out);
	}
}

int config__write(FILE *out, const struct options *options)
{
	fputs("# Configuration of gleakd: the options of its command line without the dashes.\n",
	      out);
	for (size_t i = 0; i < n_option_specs; i++) {
		const struct option_spec *spec = &option_specs[i];

		if (option_spec__belongs(spec, COMMAND_WATCH) && spec->flags & OPTION_IN_FILE &&
		    !(options->processes.n && spec->flags & OPTION_FOR_HOST))
			write_option(out, spec, options);
	}
	return stream__flush(out);
}
