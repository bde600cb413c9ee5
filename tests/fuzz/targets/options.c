// SPDX-License-Identifier: Apache-2.0
/* The input is a command line, one argument per line; each argument is tried as a duration too. */
#include "cli/options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "fuzz.h"

#define MAX_ARGUMENTS 32

static void check_duration(const char *text)
{
	char shown[DURATION_SIZE];
	uint64_t ns, again;
	int err = duration__parse(text, &ns);

	fuzz__require(!err || err == -EINVAL || err == -ERANGE);
	if (err)
		return;
	duration__format(ns, shown);
	fuzz__require(strnlen(shown, sizeof(shown)) < sizeof(shown));
	fuzz__require(!duration__parse(shown, &again));
	fuzz__require(again <= ns);
}

static bool is_text(const char *text, size_t max)
{
	return *text && strlen(text) <= max;
}

static void check_options(const struct options *options)
{
	if (options->help || options->version)
		return;
	fuzz__require(options->processes.n <= OPTION_LIST_MAX);
	for (unsigned int i = 0; i < options->processes.n; i++)
		fuzz__require(*options->processes.items[i]);
	fuzz__require(options->interval_ns >= 100 * NSEC_PER_MSEC);
	fuzz__require(options->min_age_ns >= 100 * NSEC_PER_MSEC);
	fuzz__require((unsigned int)options->color <= COLOR_NEVER);
	fuzz__require((unsigned int)options->mode <= MODE_AUTO);
	fuzz__require(!(options->ring_bytes & (options->ring_bytes - 1)));
	fuzz__require(options->error_exitcode <= 255);
	fuzz__require(options->fail_on && options->fail_on < FINDING_SUSPECTED << 1);
	fuzz__require(options->max_overhead >= 0 && options->max_overhead <= 1);
	fuzz__require(options->max_self_cpu >= 0 && options->max_self_cpu <= 1);
	fuzz__require(options->max_memory >= 16 << 20);
	fuzz__require(options->max_targets > 0 && options->max_targets <= 1024);
	fuzz__require(options->max_evidence > 0 && options->max_evidence <= 10000);
	fuzz__require(options->max_evidence_size >= 1 << 20);
	fuzz__require(options->triggers.n <= 16 && (options->evidence || !options->triggers.n));
	fuzz__require(!options->evidence || is_text(options->evidence, PATH_MAX - 1));
	fuzz__require((unsigned int)options->group_by <= REPORT_GROUP_PID);
	fuzz__require(options->only.n <= OPTION_LIST_MAX && options->exclude.n <= OPTION_LIST_MAX);
	fuzz__require(!options->processes.n || !(options->only.n + options->exclude.n));
	fuzz__require(!options->explain || is_text(options->explain, 512));
	fuzz__require(!options->explain || !options->json);
	fuzz__require(!options->allow || is_text(options->allow, PATH_MAX - 1));
	fuzz__require(!options->state || is_text(options->state, PATH_MAX - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	char *argv[MAX_ARGUMENTS + 2] = {strdup("gleakd")};
	char *owned[MAX_ARGUMENTS + 1];
	struct failure failure = {0};
	struct options options;
	int argc = 1, err;

	while (input.left && argc <= MAX_ARGUMENTS) {
		argv[argc] = fuzz_input__text(&input, '\n');
		check_duration(argv[argc++]);
	}
	/* getopt_long() puts the arguments in another order. */
	memcpy(owned, argv, sizeof(owned));
	err = options__parse(argc, argv, &options, &failure);
	fuzz__require(!err || (err == -EINVAL && failure.text[0]));
	if (!err)
		check_options(&options);
	for (int i = 0; i < argc; i++)
		free(owned[i]);
	return 0;
}
