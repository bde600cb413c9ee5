// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/terminal.h"
#include "host/process.h"
#include "doctor/doctor.h"
#include "version.h"

#define STATE_DIRECTORY "/var/lib/gleakd"

static int write_report(const struct options *options, const struct doctor_report *report)
{
	struct doctor_text_options text = {.color = terminal__want_color(options->color)};

	/* Into a pipe a line is a line, however long: it will be searched, not read. */
	if (isatty(STDOUT_FILENO))
		terminal__size(&text.columns, NULL);
	return options->json ? doctor__write_json(stdout, report) :
			       doctor__write_text(stdout, report, &text);
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
	signal(SIGPIPE, SIG_IGN);
	doctor__run(&what, report);
	err = write_report(options, report);
	if (!err || err == -EPIPE)
		return report->exit_code;
	log_error("cannot write what was found: %s", strerror(-err));
	return failure__exit_code(err);
}
