// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/stream.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/daemon.h"
#include "cli/diff.h"
#include "cli/doctor.h"
#include "cli/dump.h"
#include "cli/heap.h"
#include "cli/holders.h"
#include "cli/list.h"
#include "cli/named.h"
#include "cli/options_table.h"
#include "cli/prove.h"
#include "cli/record.h"
#include "cli/report.h"
#include "cli/resources.h"
#include "cli/run.h"
#include "cli/top.h"
#include "cli/watch.h"
#include "cli/workers.h"
#include "output/json/schema.h"
#include "output/site_pattern.h"
#include "version.h"

/* Bytes from which on a block has pages of its own, and free ones at the end of the heap go back. */
#define KEPT_BLOCK (128 << 10)

/* Not only the command line: the config file as well. */
static int refuse(int err, const struct config_errors *errors)
{
	config_errors__log(errors);
	if (err != -EINVAL)
		return failure__exit_code(err);
	fprintf(stderr, "Try 'gleakd --help'.\n");
	return EXIT_CODE_USAGE;
}

/* What main() was given: a daemon reads it again. */
static struct {
	int argc;
	char **argv;
} arguments;

/* The host, or processes by name. */
static int watch(const struct options *options)
{
	struct failure failure;
	struct named named;
	int code;

	if (!options->processes.n)
		return command__daemon(options, arguments.argc, arguments.argv);
	if (options->explain && site_pattern__check(options->explain, &failure)) {
		log_error("--explain: %s", failure.text);
		return EXIT_CODE_USAGE;
	}
	code = named__resolve(&options->processes, &named);
	return code ? code : command__watch(options, &named);
}

/* For a command that is about processes by name. */
static int with_processes(const struct options *options,
			  int (*command)(const struct options *options, const struct named *named))
{
	const char *name = commands[options->command].name;
	struct named named;
	int code;

	if (!options->processes.n) {
		log_error(
			"%s which process? Name one: gleakd %s shop, or gleakd %s --pid N; 'gleakd "
			"list' lists them",
			name, name, name);
		return EXIT_CODE_USAGE;
	}
	code = named__resolve(&options->processes, &named);
	return code ? code : command(options, &named);
}

static int prove(const struct options *options)
{
	return with_processes(options, command__prove);
}

static int dump(const struct options *options)
{
	return with_processes(options, command__dump);
}

static int heap(const struct options *options)
{
	return with_processes(options, command__heap);
}

static int holders(const struct options *options)
{
	int code = command__check_holders(options);

	return code ? code : with_processes(options, command__holders);
}

static int resources(const struct options *options)
{
	return with_processes(options, command__resources);
}

static int record(const struct options *options)
{
	if (!options->output) {
		log_error("record to which file? Name one that does not exist: -o shop.db");
		return EXIT_CODE_USAGE;
	}
	return with_processes(options, command__record);
}

static int help(const struct options *options)
{
	enum command command = COMMAND_WATCH;
	const char *meant;

	if (!options->topic || command__find(options->topic, &command)) {
		if (options->topic)
			options__write_help(stdout, command, false);
		else
			options__write_commands(stdout);
		return command__wrote(stream__flush(stdout), "the help");
	}
	meant = command__nearest(options->topic);
	if (meant)
		log_error("there is no command '%.80s'; did you mean 'gleakd help %s'?",
			  options->topic, meant);
	else
		log_error("there is no command '%.80s'; 'gleakd help' lists those there are",
			  options->topic);
	return EXIT_CODE_USAGE;
}

static int version(const struct options *options)
{
	(void)options;
	printf("gleakd %s (%s)\n", GLEAKD_VERSION, GLEAKD_REVISION);
	return command__wrote(stream__flush(stdout), "the version");
}

static int top(const struct options *options)
{
	int code = command__check_top();

	return code ? code : watch(options);
}

static int (*const run[COMMAND_COUNT])(const struct options *options) = {
	[COMMAND_WATCH] = watch,
	[COMMAND_TOP] = top,
	[COMMAND_LIST] = command__list,
	[COMMAND_DOCTOR] = command__doctor,
	[COMMAND_DUMP] = dump,
	[COMMAND_PROVE] = prove,
	[COMMAND_HEAP] = heap,
	[COMMAND_HOLDERS] = holders,
	[COMMAND_RESOURCES] = resources,
	[COMMAND_RECORD] = record,
	[COMMAND_REPORT] = command__report,
	[COMMAND_DIFF] = command__diff,
	[COMMAND_HELP] = help,
	[COMMAND_VERSION] = version,
};

static bool is_one_process(enum command command)
{
	switch (command) {
	case COMMAND_DOCTOR: /* asks this process itself what it may do */
	case COMMAND_HELP:
	case COMMAND_VERSION:
		return true;
	default:
		return false;
	}
}

static int run_command(const struct options *options)
{
	if (options->help) {
		options__write_help(stdout, options->command, true);
		return command__wrote(stream__flush(stdout), "the help");
	}
	if (options->version)
		return version(options);
	if (options->json_schema)
		return command__wrote(schema__write(stdout), "the schema");
	if (options->print_config)
		return command__wrote(config__write(stdout, options), "the configuration");
	if (options->verbose > 1)
		log__set_level(LOG_LEVEL_DEBUG);
	if (options->command == COMMAND_RUN)
		return command__run(options, arguments.argc, arguments.argv);
	if (is_one_process(options->command))
		return run[options->command](options);
	if (options->command == COMMAND_TOP)
		top_screen__note_terminal();
	return workers__run(options, arguments.argc, arguments.argv, run[options->command]);
}

/*
 * glibc takes freed blocks of up to 32 MB for what it had better keep (malloc(3), M_MMAP_THRESHOLD): what a
 * look or a report needs for a moment stays then, among what lasts, and is most of what gleakd occupies.
 */
static void give_memory_back(void)
{
	mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK);
	mallopt(M_TRIM_THRESHOLD, KEPT_BLOCK);
}

int main(int argc, char **argv)
{
	struct config_errors errors;
	struct options options;
	int err = config__load(argc, argv, CONFIG_PATH, &options, &errors);

	give_memory_back();
	/* Writing into a pipe without a reader is then an error and not the end. */
	signal(SIGPIPE, SIG_IGN);
	arguments.argc = argc;
	arguments.argv = argv;
	if (err)
		return refuse(err, &errors);
	err = run_command(&options);
	options__free(&options);
	return err;
}
