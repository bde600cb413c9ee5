// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options_table.h"

/* getopt's value for option_specs[i]: apart from all characters. */
#define LONG_BASE 256

/* Of COMMAND_RUN when something was found, unless --error-exitcode says otherwise. */
#define RUN_EXIT_CODE 10

/* --- usage errors --------------------------------------------------------------------------------- */

/* Whether another command takes this option. */
static bool is_elsewhere(const char *name)
{
	for (size_t i = 0; i < n_option_specs; i++) {
		if (strcmp(option_specs[i].name, name) == 0)
			return true;
	}
	return false;
}

/* @argument as typed: "--intervall=5". getopt reports ambiguous beginnings in the same way. */
static int refuse_long(const char *argument, enum command command, struct failure *failure)
{
	int length = (int)min_of(strcspn(argument, "="), (size_t)80);
	char name[81];
	const char *meant;

	snprintf(name, sizeof(name), "%.*s", length - 2, argument + 2);
	if (is_elsewhere(name))
		return failure__set(failure, -EINVAL,
				    "option %.*s is not one of gleakd %s; --help lists those",
				    length, argument, commands[command].name);
	meant = option_spec__nearest(name, command, 0);
	if (meant)
		return failure__set(failure, -EINVAL, "unknown option %.*s; did you mean --%s?",
				    length, argument, meant);
	return failure__set(failure, -EINVAL,
			    "unknown or ambiguous option %.*s; --help lists the options", length,
			    argument);
}

static int refuse_word(const char *word, enum command command, struct failure *failure)
{
	return failure__set(failure, -EINVAL,
			    "unexpected argument '%.80s'; gleakd %s takes %s, --help lists them",
			    word, commands[command].name,
			    commands[command].max_words ? "fewer" : "options only");
}

static const struct option_spec *spec_of(int value, enum command command)
{
	for (size_t i = 0; i < n_option_specs; i++) {
		if (!option_spec__belongs(&option_specs[i], command))
			continue;
		if (value == LONG_BASE + (int)i || (value && value == option_specs[i].short_name))
			return &option_specs[i];
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

int options__set_fallbacks(struct options *options, struct failure *failure)
{
	for (size_t i = 0; i < n_option_specs; i++) {
		int err = 0;

		if (option_specs[i].fallback)
			err = option_spec__set(&option_specs[i], options, option_specs[i].fallback,
					       failure);
		if (err)
			return err;
	}
	return 0;
}

/*
 * A few processes can be looked at more often, and may bear more, than a whole host; and so can what
 * somebody sits in front of.
 */
static bool takes_pid_fallback(const struct options *options, const struct option_spec *spec)
{
	return spec->pid_fallback &&
	       (options->processes.n || (options->command == COMMAND_TOP &&
					 spec->offset == offsetof(struct options, interval_ns)));
}

static int set_pid_fallbacks(struct options *options, const struct options_given *given,
			     struct failure *failure)
{
	for (size_t i = 0; i < n_option_specs; i++) {
		const struct option_spec *spec = &option_specs[i];
		int err = 0;

		if (takes_pid_fallback(options, spec) && !given->at[i])
			err = option_spec__set(spec, options, spec->pid_fallback, failure);
		if (err)
			return err;
	}
	return 0;
}

static void fill_getopt(enum command command, struct option *longs, char *shorts)
{
	if (command == COMMAND_RUN)
		*shorts++ = '+'; /* what follows the program is the program's */
	*shorts++ = ':';	 /* tell a missing value from an unknown option */
	for (size_t i = 0; i < n_option_specs; i++) {
		if (!option_spec__belongs(&option_specs[i], command))
			continue;
		*longs++ = (struct option){
			.name = option_specs[i].name,
			.has_arg = option_spec__takes_value(&option_specs[i]) ? required_argument :
										no_argument,
			.val = LONG_BASE + (int)i,
		};
		if (!option_specs[i].short_name)
			continue;
		*shorts++ = option_specs[i].short_name;
		if (option_spec__takes_value(&option_specs[i]))
			*shorts++ = ':';
	}
	*shorts = '\0';
}

static bool is_given(const struct options_given *given, size_t offset)
{
	for (size_t i = 0; i < n_option_specs; i++) {
		if (given->at[i] && option_specs[i].offset == offset)
			return true;
	}
	return false;
}

/*
 * Lists and counts add up, but not over what the file says: they begin anew with the first that the
 * command line gives.
 */
static void forget(struct options *options, const struct option_spec *spec)
{
	void *field = (char *)options + spec->offset;

	if (option_spec__is_list(spec))
		((struct option_list *)field)->n = 0;
	else if (spec->type == OPTION_COUNT)
		*(unsigned int *)field = 0;
}

/* An argument that is no option: a process to watch, or what to help with. */
static int take_word(const char *word, struct options *options, struct options_given *given,
		     struct failure *failure)
{
	const struct option_spec *pid = option_spec__find("pid", options->command);
	unsigned int max = commands[options->command].max_words;
	enum command command;

	if (options->command == COMMAND_HELP) {
		if (options->topic)
			return refuse_word(word, options->command, failure);
		options->topic = word;
		return 0;
	}
	if (!pid && options->files.n < max) {
		options->files.items[options->files.n++] = word;
		return 0;
	}
	if (!pid)
		return refuse_word(word, options->command, failure);
	if (!options->command_named && command__find(word, &command))
		return failure__set(failure, -EINVAL,
				    "'%s' is a command and comes first: gleakd %s; a process of "
				    "that name is watched with --pid %s",
				    word, word, word);
	given->at[pid - option_specs] = true;
	return option_spec__set(pid, options, word, failure);
}

/* The rest of them. The program is watched as one that was named. */
static int take_program(int argc, char **argv, struct options *options, struct failure *failure)
{
	if (optind < argc && !argv[optind][0])
		return failure__set(failure, -EINVAL, "the name of the program is empty");
	options->program = optind < argc ? argv + optind : NULL;
	options->processes.n = optind < argc;
	options->processes.items[0] = optind < argc ? argv[optind] : NULL;
	return 0;
}

static int parse_arguments(int argc, char **argv, struct options *options,
			   struct options_given *given, struct failure *failure)
{
	struct option longs[OPTIONS_MAX + 1] = {0};
	char shorts[2 * OPTIONS_MAX + 3];
	int result, err;

	fill_getopt(options->command, longs, shorts);
	opterr = 0;
	optind = 0; /* getopt(3): glibc then starts afresh */
	while ((result = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_spec *spec = spec_of(result, options->command);

		if (result == '?' || result == ':' || !spec)
			return refuse(result, argv, options->command, failure);
		if (!given->at[spec - option_specs])
			forget(options, spec);
		err = option_spec__set(spec, options, optarg, failure);
		if (err)
			return err;
		given->at[spec - option_specs] = true;
		/* Who asks for help gets it, whatever else is wrong. */
		if (options->help || options->version)
			return 0;
	}
	if (options->command == COMMAND_RUN)
		return take_program(argc, argv, options, failure);
	for (err = 0; optind < argc && !err; optind++)
		err = take_word(argv[optind], options, given, failure);
	return err;
}

bool options__by_who(const struct options *options)
{
	return options->alloc_by == REPORT_ALLOC_BY_GOROUTINE ||
	       options->alloc_by == REPORT_ALLOC_BY_CREATION ||
	       options->alloc_by == REPORT_ALLOC_BY_LABEL;
}

/* Who allocates shows only while somebody watches; what a heap consists of is not told by a watch. */
static int check_heap(const struct options *options, struct failure *failure)
{
	bool who = options__by_who(options);

	if (options->command != COMMAND_HEAP && (options->alloc_by == REPORT_ALLOC_BY_SITE ||
						 options->alloc_by == REPORT_ALLOC_BY_HOLDER))
		return failure__set(
			failure, -EINVAL,
			"a watch tells allocations apart by goroutine, creation, label or "
			"type; for --by %s use 'gleakd heap'",
			report_alloc_by__name(options->alloc_by));
	if (options->command != COMMAND_HEAP || options->duration_ns || (!who && !options->exact))
		return 0;
	return failure__set(failure, -EINVAL,
			    "%s takes a --duration: allocations are watched for as long",
			    who ? "--by goroutine, creation or label" : "--exact");
}

static int check_resources(const struct options *options, struct failure *failure)
{
	if (options->command != COMMAND_RESOURCES || options->duration_ns ||
	    options->probe_opens != PROBE_OPENS_ALWAYS)
		return 0;
	return failure__set(failure, -EINVAL,
			    "--probe-opens=always takes a --duration: who opens things is watched "
			    "for as long");
}

/* What is about all processes means nothing for one, and the other way round. */
static int check_mode(const struct options *options, const struct options_given *given,
		      struct failure *failure)
{
	unsigned int wrong = options->processes.n ? OPTION_FOR_HOST : OPTION_FOR_PID;

	if (options->command != COMMAND_WATCH && options->command != COMMAND_TOP)
		return 0;
	for (size_t i = 0; i < n_option_specs; i++) {
		if (!given->at[i] || !(option_specs[i].flags & wrong))
			continue;
		if (options->processes.n)
			return failure__set(
				failure, -EINVAL,
				"--%s is about all processes of the host; leave it or the "
				"process '%.80s' out",
				option_specs[i].name, options->processes.items[0]);
		return failure__set(failure, -EINVAL, "--%s is about one process: add --pid N",
				    option_specs[i].name);
	}
	return 0;
}

/* What one format has and others have not. */
static int check_formats(const struct options *options, struct failure *failure)
{
	if (options->memory && options->format != FORMAT_PPROF && options->format != FORMAT_FOLDED)
		return failure__set(
			failure, -EINVAL,
			"--memory is about --format pprof and folded: the others tell of "
			"goroutines and of memory");
	if (options->contention && (options->format != FORMAT_PPROF || options->memory))
		return failure__set(
			failure, -EINVAL,
			"--contention is about --format pprof, and not of memory: add that "
			"format, and -o FILE");
	if (options->with_trace && options->format != FORMAT_PERFETTO)
		return failure__set(
			failure, -EINVAL,
			"--with-trace is about --format perfetto: add that, and -o FILE");
	if (options->explain && options->format != FORMAT_TEXT)
		return failure__set(
			failure, -EINVAL,
			"--explain and --format exclude each other: the one shows a site, "
			"the other all there are");
	return 0;
}

/* Options that make no sense together. */
static int check_together(const struct options *options, const struct options_given *given,
			  struct failure *failure)
{
	int err;

	if (options->goroutines && !options->once)
		return failure__set(failure, -EINVAL,
				    "--goroutines lists what one census finds: add --once");
	if (options->once && options->duration_ns)
		return failure__set(failure, -EINVAL,
				    "--once and --duration exclude each other: one census takes "
				    "no time to choose");
	if (options->explain && options->json)
		return failure__set(failure, -EINVAL,
				    "--explain and --json exclude each other: --json tells all of "
				    "every site");
	if (options->explain && options->goroutines)
		return failure__set(failure, -EINVAL,
				    "--explain and --goroutines exclude each other: one shows a "
				    "site, the other all goroutines");
	if (is_given(given, offsetof(struct options, fail_on)) && !options->error_exitcode)
		return failure__set(failure, -EINVAL,
				    "--fail-on says what --error-exitcode is about: add "
				    "--error-exitcode N");
	if (options->triggers.n && !options->evidence)
		return failure__set(
			failure, -EINVAL,
			"--trigger says what --evidence is kept of: add --evidence DIR");
	err = check_formats(options, failure);
	if (!err)
		err = check_heap(options, failure);
	if (!err)
		err = check_resources(options, failure);
	return err ? err : check_mode(options, given, failure);
}

int options__parse_over(int argc, char **argv, struct options *options,
			const struct options_given *in_file, struct failure *failure)
{
	struct options_given given = {{false}}, either = *in_file;
	int skip, err;

	options->command_named = argc > 1 && command__find(argv[1], &options->command);
	skip = options->command_named ? 1 : 0;
	err = parse_arguments(argc - skip, argv + skip, options, &given, failure);
	if (err || options->help || options->version)
		return err;
	for (size_t i = 0; i < n_option_specs; i++)
		either.at[i] |= given.at[i];
	err = set_pid_fallbacks(options, &either, failure);
	/* Whoever runs a program under gleakd wants to know. */
	if (options->command == COMMAND_RUN && !options->error_exitcode)
		options->error_exitcode = RUN_EXIT_CODE;
	/* The same by two names. */
	if (!err && options->command != COMMAND_REPORT)
		options->json |= options->format == FORMAT_JSON;
	return err ? err : check_together(options, &given, failure);
}

int options__parse(int argc, char **argv, struct options *ret_options, struct failure *failure)
{
	static const struct options_given nothing;
	struct options options = {0};
	int err = options__set_fallbacks(&options, failure);

	if (!err)
		err = options__parse_over(argc, argv, &options, &nothing, failure);
	if (err)
		return err;
	*ret_options = options;
	return 0;
}

void options__free(struct options *options)
{
	free(options->file_text);
	options->file_text = NULL;
}
