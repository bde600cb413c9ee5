// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/log.h"
#include "cli/list.h"
#include "cli/options.h"
#include "cli/watch.h"
#include "version.h"

#define EXIT_USAGE 2

static int (*const run[COMMAND_COUNT])(const struct options *options) = {
	[COMMAND_WATCH] = watch__run,
	[COMMAND_LIST] = list__run,
};

static int usage_error(const char *text)
{
	log_error("%s", text);
	fprintf(stderr, "Try 'gleakd --help'.\n");
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct options options;
	struct failure failure;

	if (options__parse(argc, argv, &options, &failure))
		return usage_error(failure.text);
	if (options.help) {
		options__write_help(stdout, options.command);
		return 0;
	}
	if (options.version) {
		printf("gleakd %s (%s)\n", GLEAKD_VERSION, GLEAKD_REVISION);
		return 0;
	}
	if (options.verbose > 1)
		log__set_level(LOG_LEVEL_DEBUG);
	if (options.command == COMMAND_WATCH && !options.pid)
		return usage_error("which process? Give its number: gleakd --pid N");
	return run[options.command](&options);
}
