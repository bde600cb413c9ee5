// SPDX-License-Identifier: Apache-2.0
#include "cli/list.h"

#include <unistd.h>

#include "cli/command.h"
#include "cli/privileges.h"
#include "cli/terminal.h"
#include "host/process.h"
#include "discover/process_scan.h"
#include "output/process_list.h"

static int write_list(const struct options *options, const struct process_list *list)
{
	struct screen_options screen = terminal__screen(STDOUT_FILENO, options->color, 0);

	if (options->json)
		return process_list__write_json(stdout, list);
	return process_list__write_text(stdout, list, &screen, options->verbose > 0);
}

int command__list(const struct options *options)
{
	struct failure failure = {""};
	struct process_scan *scan;
	int err;

	privileges__drop(options, false, false);
	err = process_scan__take(PROC_ROOT, &scan, &failure);
	if (err)
		return command__failed(err, &failure);
	err = write_list(options, process_scan__list(scan));
	process_scan__free(scan);
	return command__wrote(err, "the list");
}
