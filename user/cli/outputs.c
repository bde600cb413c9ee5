// SPDX-License-Identifier: Apache-2.0
#include "cli/outputs.h"

#include "cli/findings.h"
#include "cli/terminal.h"
#include "output/json/report.h"

int outputs__read_files(struct outputs *outputs, const struct options *options,
			struct failure *failure)
{
	int err = 0;

	*outputs = (struct outputs){.options = options};
	if (options->allow)
		err = allow_list__read(options->allow, &outputs->allow, failure);
	if (!err)
		err = exporter__open(&outputs->exporter, options->textfile, options->once, failure);
	return err;
}

static void open_explainer(struct outputs *outputs)
{
	const struct options *options = outputs->options;

	outputs->explainer = (struct explainer){
		.out = stdout,
		.pattern = options->explain,
		.terminal = terminal__present() && !options->once,
		.options = terminal__screen(options->color, TERMINAL_DEFAULT_COLUMNS),
		.rows = terminal__rows(),
	};
}

int outputs__open(struct outputs *outputs)
{
	const struct options *options = outputs->options;
	struct text_options text = {
		.screen = terminal__screen(options->color, TERMINAL_DEFAULT_COLUMNS),
		.terminal = terminal__present() && !options->once,
		.rows = terminal__rows(),
		.verbose = options->verbose > 0,
		.all = options->all,
		.host = !options->processes.n,
	};

	if (options->explain) {
		open_explainer(outputs);
		return 0;
	}
	if (options->json)
		return 0;
	return text_writer__new(stdout, &text, &outputs->text);
}

int outputs__write(struct outputs *outputs, const struct report *report)
{
	outputs->found = findings__any(report, outputs->options->fail_on);
	if (report->final)
		outputs->judged = findings__judged(report, outputs->options, &outputs->not_judged);
	exporter__write(&outputs->exporter, report);
	if (outputs->options->explain)
		return explainer__write(&outputs->explainer, report);
	return outputs->text ? text_writer__write(outputs->text, report) :
			       report__write_json(stdout, report);
}

void outputs__resize(struct outputs *outputs)
{
	struct screen_options screen =
		terminal__screen(outputs->options->color, TERMINAL_DEFAULT_COLUMNS);
	unsigned int rows = terminal__rows();

	if (outputs->text)
		text_writer__resize(outputs->text, screen.columns, rows);
	outputs->explainer.options = screen;
	outputs->explainer.rows = rows;
}

void outputs__close(struct outputs *outputs)
{
	exporter__close(&outputs->exporter);
	text_writer__free(outputs->text);
	allow_list__free(outputs->allow);
	outputs->text = NULL;
	outputs->allow = NULL;
}
