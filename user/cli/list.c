// SPDX-License-Identifier: Apache-2.0
#include "cli/list.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/terminal.h"
#include "host/process.h"
#include "discover/process_scan.h"

static int write_list(const struct options *options, const struct process_list *list)
{
	struct process_list_text_options text = {
		.color = terminal__want_color(options->color),
		.verbose = options->verbose > 0,
	};

	/* Into a pipe a line is a line, however long: it will be searched, not read. */
	if (isatty(STDOUT_FILENO))
		terminal__size(&text.columns, NULL);
	return options->json ? process_list__write_json(stdout, list) :
			       process_list__write_text(stdout, list, &text);
}

int command__list(const struct options *options)
{
	struct failure failure = {""};
	struct process_scan *scan;
	int err;

	signal(SIGPIPE, SIG_IGN);
	err = process_scan__take(PROC_ROOT, &scan, &failure);
	if (err) {
		log_error("%s", failure.text);
		return failure__exit_code(err);
	}
	err = write_list(options, process_scan__list(scan));
	process_scan__free(scan);
	/* The reader of a pipe may leave at any time: `gleakd list | head -1` is no failure. */
	if (!err || err == -EPIPE)
		return 0;
	log_error("cannot write the list: %s", strerror(-err));
	return failure__exit_code(err);
}
