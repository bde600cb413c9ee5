// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/log.h"
#include "cli/options.h"
#include "cli/watch.h"
#include "version.h"

#define EXIT_USAGE 2

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
		options__help();
		return 0;
	}
	if (options.version) {
		printf("gleakd %s (%s)\n", GLEAKD_VERSION, GLEAKD_REVISION);
		return 0;
	}
	if (options.verbose > 1)
		log__set_level(LOG_LEVEL_DEBUG);
	if (!options.pid)
		return usage_error("which process? Give its number: gleakd --pid N");
	return watch__run(&options);
}
