// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/list.h"
#include "cli/options.h"
#include "cli/watch.h"
#include "output/schema.h"
#include "session/allow_list.h"
#include "version.h"

#define EXIT_USAGE 2

static int usage_error(const char *text)
{
	log_error("%s", text);
	fprintf(stderr, "Try 'gleakd --help'.\n");
	return EXIT_USAGE;
}

static int print_schema(void)
{
	int err = schema__write(stdout);

	if (!err)
		return 0;
	log_error("cannot write the schema: %s", strerror(-err));
	return failure__exit_code(err);
}

static int watch(const struct options *options)
{
	struct failure failure;

	if (!options->pid)
		return usage_error("which process? Give its number: gleakd --pid N");
	if (options->explain && site_pattern__check(options->explain, &failure)) {
		log_error("--explain: %s", failure.text);
		return EXIT_USAGE;
	}
	return watch__run(options);
}

static int (*const run[COMMAND_COUNT])(const struct options *options) = {
	[COMMAND_WATCH] = watch,
	[COMMAND_LIST] = list__run,
};

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
	if (options.json_schema)
		return print_schema();
	if (options.verbose > 1)
		log__set_level(LOG_LEVEL_DEBUG);
	return run[options.command](&options);
}
