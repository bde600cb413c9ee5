// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "host/process.h"
#include "doctor/doctor.h"
#include "version.h"

#define STATE_DIRECTORY "/var/lib/gleakd"

static int write_report(const struct options *options, const struct doctor_report *report)
{
	struct screen_options screen = terminal__screen(STDOUT_FILENO, options->color, 0);

	return options->json ? doctor__write_json(stdout, report) :
			       doctor__write_text(stdout, report, &screen);
}

int command__doctor(const struct options *options)
{
	const char *state = getenv("STATE_DIRECTORY"); /* systemd.exec(5) */
	const struct doctor_options what = {
		.version = GLEAKD_VERSION,
		.revision = GLEAKD_REVISION,
		.proc_root = PROC_ROOT,
		.sys_root = "/sys",
		.textfile = options->textfile,
		.state_directory = state && *state ? state : STATE_DIRECTORY,
	};
	struct doctor_report *report __cleanup_free = malloc(sizeof(*report));
	int err;

	if (!report) {
		log_error("out of memory");
		return 1;
	}
	doctor__run(&what, report);
	err = write_report(options, report);
	err = command__wrote(err, "what was found");
	return err ? err : report->exit_code;
}
