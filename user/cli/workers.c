// SPDX-License-Identifier: Apache-2.0
#include "cli/workers.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "broker/run.h"
#include "cli/config.h"
#include "cli/messages.h"
#include "cli/privileges.h"
#include "discover/container_name.h"
#include "host/access_guard.h"
#include "host/capability.h"
#include "record/recording_files.h"

/*
 * A daemon keeps its budget itself (cli/budget.h), and other commands look no further than theirs allows; this is
 * for when they cannot any more. Address space is far more than memory: arrays are reserved and filled bit by bit.
 */
#define ADDRESS_SPACE_PER_MEMORY 32
#define LEAST_ADDRESS_SPACE	 (8ULL << 30)

/* Twice what a daemon without --max-self-cpu reads of eight million goroutines, every ten seconds. */
#define MAX_BYTES_PER_MINUTE (64ULL << 30)

/* In broker_files.out, behind what a reload has there. */
#define OUT_REPORT 5

/* diff: the files of which there are journals. */
#define MAX_READ 2

struct workers {
	const struct options *options;
	int (*run)(const struct options *options);
	int argc;
	char **argv;
	struct broker_files files;
	char recording[4][RECORDING_PATH_MAX];
	char journals[MAX_READ][3][RECORDING_PATH_MAX];
	/* Read since; the one before the last has the name of the file that is removed next. */
	struct options last, before;
	unsigned int n_read;
};

/* Of commands that read what was kept of processes, and look at none. */
static bool reads_files(const struct options *options)
{
	return options->command == COMMAND_REPORT || options->command == COMMAND_DIFF;
}

/* Of a recording there are journals as well, beside what the name leads to (record/recording_files.c). */
static void name_what_is_read(struct workers *workers, const struct options *options)
{
	static const char *const suffixes[] = RECORDING_SUFFIXES;
	size_t n = 0;

	workers->files = (struct broker_files){.out = {options->output}};
	for (size_t i = 0; i < min_of(options->files.n, (size_t)MAX_READ); i++) {
		char *real __cleanup_free = realpath(options->files.items[i], NULL);

		workers->files.in[n++] = options->files.items[i];
		for (size_t s = 1; real && s < ARRAY_SIZE(suffixes); s++) {
			snprintf(workers->journals[i][s - 1], RECORDING_PATH_MAX, "%s%s", real,
				 suffixes[s]);
			workers->files.in[n++] = workers->journals[i][s - 1];
		}
	}
	/* Of report alone, which reads one file. */
	if (options->with_trace)
		workers->files.in[n] = options->with_trace;
}

static void name_files(struct workers *workers, const struct options *options)
{
	if (reads_files(options)) {
		name_what_is_read(workers, options);
		return;
	}
	workers->files = (struct broker_files){
		.in = {options->allow, options->state,
		       options->config ? options->config : CONFIG_PATH},
		.out = {options->state, options->textfile, options->pprof, options->html},
		.evidence = options->evidence,
		.evidence_limits = {options->max_evidence, options->max_evidence_size},
	};
	if (options->command != COMMAND_RECORD)
		workers->files.out[OUT_REPORT] = options->output;
	for (size_t i = 0; options->command == COMMAND_RECORD && options->output &&
			   i < ARRAY_SIZE(workers->recording);
	     i++) {
		static const char *const suffixes[] = RECORDING_SUFFIXES;

		snprintf(workers->recording[i], RECORDING_PATH_MAX, "%s%s", options->output,
			 suffixes[i]);
		workers->files.out[4 + i] = workers->recording[i];
	}
}

/* The worker reads the configuration, too: what it may open is decided here. */
static void reload(void *ctx)
{
	struct workers *workers = ctx;
	struct config_errors errors;
	struct options options;

	if (workers->options->processes.n ||
	    config__load(workers->argc, workers->argv, CONFIG_PATH, &options, &errors))
		return;
	name_files(workers, &options);
	workers->files.out[4] =
		workers->n_read ? workers->last.textfile : workers->options->textfile;
	workers->n_read++;
	options__free(&workers->before);
	workers->before = workers->last;
	workers->last = options;
}

static uint64_t give_up(void *ctx, bool probes, bool uprobe_multi)
{
	const struct workers *workers = ctx;

	uint64_t kept = privileges__keep(workers->options, probes, uprobe_multi);

	/* Who reads for this process has none of what it has given up, either. */
	access_guard__renew();
	return kept;
}

static int run(void *ctx)
{
	const struct workers *workers = ctx;

	messages__take_over();
	return workers->run(workers->options);
}

static void end(void *ctx __maybe_unused)
{
	messages__tell_rest();
}

/* The folder of file @path; "" without one. */
static void folder_of(const char *path, char folder[PATH_MAX])
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	snprintf(folder, PATH_MAX, "%.*s", slash ? (int)max_of(slash - path, (ptrdiff_t)1) : 0,
		 path ? path : "");
	if (path && !slash)
		snprintf(folder, PATH_MAX, ".");
}

/*
 * Of both processes: a target takes up to seven descriptors, and one of the broker's; the limit of
 * a shell allows for a hundred and fifty targets.
 */
static void raise_file_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files))
		log_debug("the limit of open files stays at %llu: %s",
			  (unsigned long long)files.rlim_cur, strerror(errno));
}

/* Other users' files are read, and written, by whom may; there is no process that anything is needed for. */
static void keep_for_files(const struct options *options)
{
	struct failure failure = {""};
	uint64_t kept;

	if (capability__keep((1ULL << CAP_DAC_READ_SEARCH) |
				     (options->output ? 1ULL << CAP_DAC_OVERRIDE : 0),
			     &kept, &failure))
		log_debug("privileges were not given up: %s", failure.text);
}

int workers__run(const struct options *options, int argc, char **argv,
		 int (*run_command)(const struct options *options))
{
	struct workers workers = {
		.options = options, .run = run_command, .argc = argc, .argv = argv};
	bool daemon = options->command == COMMAND_WATCH && !options->processes.n;
	bool top = options->command == COMMAND_TOP && !options->processes.n;
	char state[PATH_MAX];
	const char *const readable[] = {
		"/proc",
		"/sys/fs/cgroup",
		"/sys/devices/system/cpu",
		"/etc/localtime",
		"/usr/share/zoneinfo",
		DOCKER_CONTAINERS,
		state, /* to sync it */
		"/etc/terminfo",
		"/lib/terminfo",
		"/usr/share/terminfo",
		"/usr/lib/locale",
		options->source ? options->source : "/proc",
	};
	const struct broker_options broker = {
		.server =
			{
				.files = &workers.files,
				.give_up = give_up,
				.max_bytes = daemon ? MAX_BYTES_PER_MINUTE : 0,
				.ctx = &workers,
			},
		.reload = reload,
		.end = end,
		.sandbox =
			{
				.readable = readable,
				.n_readable = ARRAY_SIZE(readable),
				.max_address_space =
					max_of(options->max_memory * ADDRESS_SPACE_PER_MEMORY,
					       LEAST_ADDRESS_SPACE),
			},
		.restarts = (daemon || top) && !options->once && !options->duration_ns,
		.stops = options->command == COMMAND_PROVE,
	};
	int code;

	raise_file_limit();
	if (reads_files(options))
		keep_for_files(options);
	folder_of(options->state, state);
	name_files(&workers, options);
	if (options->command == COMMAND_TOP)
		messages__keep();
	code = broker__run(&broker, run, &workers);
	messages__tell_rest();
	options__free(&workers.before);
	options__free(&workers.last);
	return code;
}
