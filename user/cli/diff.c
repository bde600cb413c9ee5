// SPDX-License-Identifier: Apache-2.0
#include "cli/diff.h"

#include <unistd.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/report_file.h"
#include "cli/terminal.h"
#include "output/diff.h"

static int show(const struct diff *diff, const struct options *options)
{
	const struct screen_options screen =
		terminal__screen(STDOUT_FILENO, options->color, TERMINAL_DEFAULT_COLUMNS);
	int err = options->json ? diff__write_json(stdout, diff) :
				  diff__write_text(stdout, diff, &screen);
	int code = command__wrote(err, "the difference");

	return !code && diff->worse && options->error_exitcode ? (int)options->error_exitcode :
								 code;
}

static int compare(const struct report_file *old, const struct report_file *file,
		   const struct options *options)
{
	struct diff diff;
	int err = diff__make(old->report, file->report, &diff);
	int code;

	if (err) {
		log_error("out of memory while comparing");
		return failure__exit_code(err);
	}
	code = show(&diff, options);
	diff__release(&diff);
	return code;
}

int command__diff(const struct options *options)
{
	struct report_file old, file;
	struct failure failure = {""};
	int code, err;

	if (options->files.n != 2) {
		log_error(
			"diff which files? Name the old one and the new one: recordings, or reports "
			"in JSON");
		return EXIT_CODE_USAGE;
	}
	err = report_file__open(options->files.items[0], &old, &failure);
	if (err)
		return command__failed(err, &failure);
	err = report_file__open(options->files.items[1], &file, &failure);
	code = err ? command__failed(err, &failure) : compare(&old, &file, options);
	report_file__close(&file);
	report_file__close(&old);
	return code;
}
