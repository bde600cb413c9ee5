// SPDX-License-Identifier: Apache-2.0
#include "cli/rounds_exit.h"

#include "base/log.h"
#include "cli/command.h"

/* Whether the run was started for an answer. A service is not, and is stopped at any time. */
static bool is_asked(const struct options *options)
{
	bool judges = options->command == COMMAND_WATCH || options->command == COMMAND_PROVE ||
		      options->command == COMMAND_RUN;

	if (!judges || options->explain)
		return options->error_exitcode;
	return options->once || options->duration_ns || options->error_exitcode ||
	       options->processes.n;
}

int rounds_exit__code(const struct rounds *rounds, int err)
{
	/* Of a reader that left early nothing is known: it did not wait for the last report. */
	bool unjudged = rounds->finished && !rounds->outputs.judged;
	const struct outputs *outputs = &rounds->outputs;
	const struct options *options = rounds->options;
	int code = (int)options->error_exitcode;

	if (err)
		return command__failed(err, &rounds->failure);
	if (unjudged && is_asked(options))
		log_warn("nothing could be judged: %s", outputs->not_judged.text);
	if (options->explain && rounds->finished && !outputs->explainer.explained)
		return EXIT_CODE_USAGE;
	if (outputs->found && code)
		return code;
	if (exporter__error(&outputs->exporter))
		return failure__exit_code(exporter__error(&outputs->exporter));
	if (html_file__error(outputs->html))
		return failure__exit_code(html_file__error(outputs->html));
	if (outputs->file_err)
		return failure__exit_code(outputs->file_err);
	return unjudged && code ? EXIT_CODE_NOT_JUDGED : 0;
}
