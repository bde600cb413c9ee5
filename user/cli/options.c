// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"

struct command_spec {
	const char *name;    /* "": what gleakd does without a command */
	const char *usage;   /* what follows that */
	const char *summary; /* for the list of commands */
	const char *about;
};

static const struct command_spec commands[COMMAND_COUNT] = {
	[COMMAND_WATCH] =
		{
			.name = "",
			.usage = "--pid N [options]",
			.about = "Watches a running Go process from outside and finds the "
				 "goroutines it leaks. The process needs no preparation and is "
				 "neither stopped nor changed.",
		},
	[COMMAND_LIST] =
		{
			.name = "list",
			.usage = "[options]",
			.summary = "the Go processes of this host, and which can be watched",
			.about = "Lists the Go processes of this host with their goroutines, Go "
				 "version, module and kind of build, and says which of them gleakd "
				 "can watch. Needs no privilege for your own processes, unless the "
				 "kernel restricts that.",
		},
};

#define WATCH (1u << COMMAND_WATCH)
#define LIST  (1u << COMMAND_LIST)
#define EVERY (WATCH | LIST)

enum option_type {
	OPTION_FLAG,	 /* bool: given or not */
	OPTION_COUNT,	 /* unsigned int: how many times given */
	OPTION_PID,	 /* pid_t */
	OPTION_DURATION, /* uint64_t nanoseconds */
	OPTION_CHOICE,	 /* enum: index of the word */
	OPTION_SIZE,	 /* uint32_t, a power of two */
};

struct option_spec {
	const char *name;
	char short_name; /* 0: none */
	enum option_type type;
	unsigned int commands;	    /* that take it, 1 << COMMAND_* */
	size_t offset;		    /* in struct options */
	uint64_t min, max;	    /* of a number or duration */
	const char *const *choices; /* NULL-terminated, in the order of the enum */
	const char *fallback;	    /* value when not given, as one would type it; NULL: zero */
	const char *metavar;
	const char *help;
	bool hidden;
};

static const char *const color_words[] = {"auto", "always", "never", NULL};
static const char *const mode_words[] = {"auto", "full", "lifecycle", "census", NULL};

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* include/linux/threads.h: PID_MAX_LIMIT on 64 bits. */
#define PID_LIMIT (4ULL << 20)

#define FIELD(name) offsetof(struct options, name)

static const struct option_spec specs[] = {
	{"pid", 'p', OPTION_PID, WATCH, FIELD(pid), .min = 1, .max = PID_LIMIT, .metavar = "N",
	 .help = "the Go process to watch"},
	{"min-age", 0, OPTION_DURATION, WATCH, FIELD(min_age_ns), .min = 100 * NSEC_PER_MSEC,
	 .max = DAY, .fallback = "10s", .metavar = "TIME",
	 .help = "a goroutine counts as staying once it has been parked this long"},
	{"interval", 0, OPTION_DURATION, WATCH, FIELD(interval_ns), .min = 100 * NSEC_PER_MSEC,
	 .max = HOUR, .fallback = "2s", .metavar = "TIME",
	 .help = "time from one census and report to the next"},
	{"duration", 0, OPTION_DURATION, WATCH, FIELD(duration_ns), .min = 100 * NSEC_PER_MSEC,
	 .max = 365 * DAY, .metavar = "TIME",
	 .help = "end after this time (default: when interrupted)"},
	{"once", 0, OPTION_FLAG, WATCH, FIELD(once), .help = "one census, one report, then end"},
	{"goroutines", 0, OPTION_FLAG, WATCH, FIELD(goroutines),
	 .help = "with --once: every goroutine, as the runtime's own dump lists them"},
	{"mode", 0, OPTION_CHOICE, WATCH, FIELD(mode), .choices = mode_words, .fallback = "auto",
	 .metavar = "MODE",
	 .help = "what to attach: full (creation, exit, park), lifecycle (creation, exit), "
		 "census (nothing), auto (the best that works)"},
	{"json", 0, OPTION_FLAG, WATCH, FIELD(json),
	 .help = "one JSON object per line and interval (docs/schema.md)"},
	{"json", 0, OPTION_FLAG, LIST, FIELD(json), .help = "one JSON object (docs/schema.md)"},
	{"verbose", 'v', OPTION_COUNT, WATCH, FIELD(verbose),
	 .help = "whole park stacks; twice: what gleakd itself is doing"},
	{"verbose", 'v', OPTION_COUNT, LIST, FIELD(verbose),
	 .help = "the path of each executable, too"},
	{"all", 0, OPTION_FLAG, WATCH, FIELD(all), .help = "every site, not only the first few"},
	{"color", 0, OPTION_CHOICE, EVERY, FIELD(color), .choices = color_words, .fallback = "auto",
	 .metavar = "WHEN", .help = "auto (on a terminal, unless NO_COLOR is set), always, never"},
	{"ring-bytes", 0, OPTION_SIZE, WATCH, FIELD(ring_bytes), .min = 4096, .max = 1ULL << 30,
	 .metavar = "N", .help = "size of the ring buffer, a power of two", .hidden = true},
	{"help", 'h', OPTION_FLAG, EVERY, FIELD(help), .help = "this text"},
	{"version", 'V', OPTION_FLAG, EVERY, FIELD(version), .help = "the version"},
};

/* getopt's value for specs[i]: apart from all characters. */
#define LONG_BASE 256

static bool belongs(const struct option_spec *spec, enum command command)
{
	return spec->commands & 1u << command;
}

static bool takes_value(const struct option_spec *spec)
{
	return spec->type != OPTION_FLAG && spec->type != OPTION_COUNT;
}

/* --- values --------------------------------------------------------------------------------------- */

static int set_number(const struct option_spec *spec, const char *text, uint64_t *ret_number,
		      struct failure *failure)
{
	unsigned long long number;
	char *end;

	if (*text == '\0' || text[strspn(text, "0123456789")] != '\0')
		return failure__set(failure, -EINVAL, "--%s: '%.80s' is not a whole number",
				    spec->name, text);
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || number < spec->min || number > spec->max)
		return failure__set(failure, -EINVAL,
				    "--%s: '%.80s' is out of range, between %" PRIu64
				    " and %" PRIu64 " expected",
				    spec->name, text, spec->min, spec->max);
	if (spec->type == OPTION_SIZE && (number & (number - 1)) != 0)
		return failure__set(failure, -EINVAL, "--%s: '%.80s' is not a power of two",
				    spec->name, text);
	*ret_number = number;
	return 0;
}

static int set_duration(const struct option_spec *spec, const char *text, uint64_t *ret_ns,
			struct failure *failure)
{
	char min[DURATION_SIZE], max[DURATION_SIZE];
	uint64_t ns = 0;
	int err = duration__parse(text, &ns);

	if (err == -EINVAL)
		return failure__set(failure, -EINVAL,
				    "--%s: '%.80s' is not a duration; 30s, 5m, 1h30m or plain "
				    "seconds expected",
				    spec->name, text);
	if (!err && ns >= spec->min && ns <= spec->max) {
		*ret_ns = ns;
		return 0;
	}
	duration__format(spec->min, min);
	duration__format(spec->max, max);
	return failure__set(failure, -EINVAL, "--%s: '%.80s' is too %s, between %s and %s expected",
			    spec->name, text, !err && ns < spec->min ? "short" : "long", min, max);
}

/* "auto, always, never" */
static void list_choices(const char *const *choices, const char *separator, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; choices[i] && used < size; i++) {
		int n = snprintf(out + used, size - used, "%s%s", i ? separator : "", choices[i]);

		used += n > 0 ? (size_t)n : 0;
	}
}

static int set_choice(const struct option_spec *spec, const char *text, int *ret_index,
		      struct failure *failure)
{
	char words[128];

	for (int i = 0; spec->choices[i]; i++) {
		if (strcmp(spec->choices[i], text) == 0) {
			*ret_index = i;
			return 0;
		}
	}
	list_choices(spec->choices, ", ", words, sizeof(words));
	return failure__set(failure, -EINVAL, "--%s: '%.80s' is not one of %s", spec->name, text,
			    words);
}

/* Sets the field of @spec; @text is NULL for options without a value. */
static int set_value(struct options *options, const struct option_spec *spec, const char *text,
		     struct failure *failure)
{
	void *field = (char *)options + spec->offset;
	uint64_t number = 0;
	int err = 0;

	switch (spec->type) {
	case OPTION_FLAG:
		*(bool *)field = true;
		break;
	case OPTION_COUNT:
		++*(unsigned int *)field;
		break;
	case OPTION_PID:
		err = set_number(spec, text, &number, failure);
		*(pid_t *)field = (pid_t)number;
		break;
	case OPTION_SIZE:
		err = set_number(spec, text, &number, failure);
		*(uint32_t *)field = (uint32_t)number;
		break;
	case OPTION_DURATION:
		err = set_duration(spec, text, field, failure);
		break;
	case OPTION_CHOICE:
		/* Enums are as wide as int here; all of their values are words of the table. */
		err = set_choice(spec, text, field, failure);
		break;
	}
	return err;
}

/* --- usage errors --------------------------------------------------------------------------------- */

#define NAME_MAX_LEN 32

/* Levenshtein's distance; both at most NAME_MAX_LEN long. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1];
	size_t b_len = strlen(b);

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
			size_t shorter = min_of(row[j], row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = min_of(replaced, shorter);
		}
	}
	return row[b_len];
}

/* The option of @command that was most likely meant; NULL when none is near. */
static const char *nearest(const char *name, enum command command)
{
	const char *best = NULL;
	size_t best_distance = 3; /* two slips of the finger */

	if (strlen(name) > NAME_MAX_LEN)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		size_t d = best_distance;

		if (belongs(&specs[i], command) && !specs[i].hidden)
			d = distance(name, specs[i].name);

		if (d < best_distance) {
			best_distance = d;
			best = specs[i].name;
		}
	}
	return best;
}

/* Whether another command takes this option. */
static bool is_elsewhere(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		if (strcmp(specs[i].name, name) == 0)
			return true;
	}
	return false;
}

/* @argument as typed: "--intervall=5". getopt reports ambiguous beginnings in the same way. */
static int refuse_long(const char *argument, enum command command, struct failure *failure)
{
	int length = (int)min_of(strcspn(argument, "="), (size_t)80);
	char name[NAME_MAX_LEN + 2];
	const char *meant;

	snprintf(name, sizeof(name), "%.*s", length - 2, argument + 2);
	if (is_elsewhere(name))
		return failure__set(failure, -EINVAL,
				    "option %.*s is not one of gleakd %s; --help lists those",
				    length, argument, commands[command].name);
	meant = nearest(name, command);
	if (meant)
		return failure__set(failure, -EINVAL, "unknown option %.*s; did you mean --%s?",
				    length, argument, meant);
	return failure__set(failure, -EINVAL,
			    "unknown or ambiguous option %.*s; --help lists the options", length,
			    argument);
}

static int refuse_positional(const char *argument, enum command command, struct failure *failure)
{
	const char *name = commands[command].name;

	if (command == COMMAND_WATCH && *argument &&
	    argument[strspn(argument, "0123456789")] == '\0')
		return failure__set(failure, -EINVAL,
				    "unexpected argument '%.80s'; did you mean --pid %.80s?",
				    argument, argument);
	return failure__set(failure, -EINVAL,
			    "unexpected argument '%.80s'; gleakd%s%s takes options only, --help "
			    "lists them",
			    argument, *name ? " " : "", name);
}

static const struct option_spec *spec_of(int value, enum command command)
{
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		if (!belongs(&specs[i], command))
			continue;
		if (value == LONG_BASE + (int)i || (value && value == specs[i].short_name))
			return &specs[i];
	}
	return NULL;
}

/* What getopt did not like: '?' or, for a value that is missing, ':'. */
static int refuse(int result, char **argv, enum command command, struct failure *failure)
{
	const struct option_spec *spec = spec_of(optopt, command);

	if (result == ':' && spec)
		return failure__set(failure, -EINVAL, "--%s: a value (%s) is missing", spec->name,
				    spec->metavar);
	if (spec)
		return failure__set(failure, -EINVAL, "--%s takes no value", spec->name);
	if (optopt)
		return failure__set(failure, -EINVAL,
				    "unknown option -%c; --help lists the options",
				    optopt > ' ' && optopt < 0x7f ? optopt : '?');
	return refuse_long(argv[optind - 1], command, failure);
}

/* --- parsing -------------------------------------------------------------------------------------- */

static int set_fallbacks(struct options *options, struct failure *failure)
{
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		int err = 0;

		if (specs[i].fallback)
			err = set_value(options, &specs[i], specs[i].fallback, failure);
		if (err)
			return err;
	}
	return 0;
}

static void fill_getopt(enum command command, struct option *longs, char *shorts)
{
	*shorts++ = ':'; /* tell a missing value from an unknown option */
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		if (!belongs(&specs[i], command))
			continue;
		*longs++ = (struct option){
			.name = specs[i].name,
			.has_arg = takes_value(&specs[i]) ? required_argument : no_argument,
			.val = LONG_BASE + (int)i,
		};
		if (!specs[i].short_name)
			continue;
		*shorts++ = specs[i].short_name;
		if (takes_value(&specs[i]))
			*shorts++ = ':';
	}
	*shorts = '\0';
}

/* The command @word names, COMMAND_WATCH when it is an option, or something to complain of later. */
static int find_command(const char *word, enum command *ret_command, struct failure *failure)
{
	*ret_command = COMMAND_WATCH;
	if (!word || !isalpha((unsigned char)word[0]))
		return 0;
	for (int c = 0; c < COMMAND_COUNT; c++) {
		if (strcmp(word, commands[c].name) == 0) {
			*ret_command = (enum command)c;
			return 0;
		}
	}
	return failure__set(failure, -EINVAL,
			    "unknown command '%.80s'; there is 'list', or none to watch a process: "
			    "gleakd --pid N",
			    word);
}

static int parse_arguments(int argc, char **argv, struct options *options, struct failure *failure)
{
	struct option longs[ARRAY_SIZE(specs) + 1] = {0};
	char shorts[2 * ARRAY_SIZE(specs) + 2];
	int result, err;

	fill_getopt(options->command, longs, shorts);
	opterr = 0;
	optind = 0; /* getopt(3): glibc then starts afresh */
	while ((result = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_spec *spec = spec_of(result, options->command);

		if (result == '?' || result == ':' || !spec)
			return refuse(result, argv, options->command, failure);
		err = set_value(options, spec, optarg, failure);
		if (err)
			return err;
		/* Who asks for help gets it, whatever else is wrong. */
		if (options->help || options->version)
			return 0;
	}
	return optind < argc ? refuse_positional(argv[optind], options->command, failure) : 0;
}

int options__parse(int argc, char **argv, struct options *ret_options, struct failure *failure)
{
	struct options options = {0};
	int err = find_command(argc > 1 ? argv[1] : NULL, &options.command, failure);
	int skip = options.command == COMMAND_WATCH ? 0 : 1;

	if (!err)
		err = set_fallbacks(&options, failure);
	if (!err)
		err = parse_arguments(argc - skip, argv + skip, &options, failure);
	if (err)
		return err;
	if (options.goroutines && !options.once)
		return failure__set(failure, -EINVAL,
				    "--goroutines lists what one census finds: add --once");
	if (options.once && options.duration_ns)
		return failure__set(failure, -EINVAL,
				    "--once and --duration exclude each other: one census takes "
				    "no time to choose");
	*ret_options = options;
	return 0;
}

/* --- help ----------------------------------------------------------------------------------------- */

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
	if (takes_value(spec))
		column += fprintf(out, " %s", spec->metavar);
	fprintf(out, "%*s", HELP_COLUMN - column, "");
	if (spec->fallback)
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
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		if (belongs(&specs[i], command) && !specs[i].hidden)
			write_option(out, &specs[i]);
	}
	fputc('\n', out);
	if (command == COMMAND_WATCH)
		fputs("TIME is 30s, 5m, 1h30m, 1.5s, or plain seconds.\n", out);
	fputs("Exit status: 0 ok, 1 failure, 2 usage, 3 target or kernel not supported,\n"
	      "4 not permitted.\n",
	      out);
}
