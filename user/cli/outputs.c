// SPDX-License-Identifier: Apache-2.0
#include "cli/outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/findings.h"
#include "cli/output_file.h"
#include "cli/report_pipe.h"
#include "cli/terminal.h"
#include "host/access.h"
#include "output/ci/ci.h"
#include "output/json/report.h"
#include "output/pprof/goroutines.h"
#include "output/text/dump.h"

/* The only one that is shown is the last. */
static bool shows_last(const struct outputs *outputs)
{
	const struct options *options = outputs->options;

	return options->command == COMMAND_RUN || outputs->file ||
	       options->format == FORMAT_JUNIT || options->format == FORMAT_GITHUB;
}

/* What a program writes to stdout that was started for it is not mixed with reports. */
static FILE *out_of(const struct outputs *outputs)
{
	if (outputs->file)
		return output_file__out(outputs->file);
	return outputs->options->command == COMMAND_RUN ? stderr : report_pipe__out();
}

int outputs__read_files(struct outputs *outputs, const struct options *options,
			struct failure *failure)
{
	int err = 0;

	*outputs = (struct outputs){.options = options};
	if (options->allow)
		err = allow_list__read(options->allow, &outputs->allow, failure);
	if (!err && options->source)
		err = source_tree__open(options->source, &outputs->source, failure);
	if (!err)
		err = exporter__open(&outputs->exporter, options->textfile, options->once, failure);
	if (!err && options->output && options->command != COMMAND_RECORD)
		err = output_file__open("--report", options->output, &outputs->file, failure);
	if (!err && options->html)
		err = html_file__open(options->html, &outputs->html, failure);
	return err;
}

static void open_explainer(struct outputs *outputs)
{
	const struct options *options = outputs->options;

	outputs->explainer = (struct explainer){
		.out = report_pipe__out(),
		.pattern = options->explain,
		.terminal = terminal__present(STDOUT_FILENO) && !options->once,
		.options =
			terminal__screen(STDOUT_FILENO, options->color, TERMINAL_DEFAULT_COLUMNS),
		.rows = terminal__rows(),
	};
}

static struct text_options text_options_of(const struct outputs *outputs, int fd)
{
	const struct options *options = outputs->options;

	return (struct text_options){
		.screen = terminal__screen(fd, options->color, TERMINAL_DEFAULT_COLUMNS),
		.terminal = terminal__present(fd) && !options->once && !shows_last(outputs) &&
			    options->command != COMMAND_RECORD,
		.rows = terminal__rows(),
		.verbose = options->verbose > 0,
		.all = options->all,
		.host = !options->processes.n,
		.heap = options->command == COMMAND_HEAP || options->command == COMMAND_HOLDERS ||
			options->command == COMMAND_RESOURCES,
		.alloc_by = options->alloc_by,
		.live = true,
		.no_verdict = options->command == COMMAND_DUMP,
	};
}

/* What is logged while a frame is on the terminal goes below it. */
static void take_message(void *ctx, const char *line)
{
	struct outputs *outputs = ctx;

	if (outputs->top)
		top_screen__message(outputs->top, line);
	else if (outputs->text)
		text_writer__message(outputs->text, line);
	else
		explainer__message(&outputs->explainer, line);
}

static int open_top(struct outputs *outputs)
{
	int err = top_screen__new(outputs->options, &outputs->top);

	outputs->draws = true;
	if (!err)
		log__divert(take_message, outputs);
	return err;
}

void outputs__leave_top(struct outputs *outputs)
{
	if (!outputs->top)
		return;
	log__divert(NULL, NULL);
	top_screen__free(outputs->top);
	outputs->top = NULL;
}

/* What it has to say at the end when it was not its user who ended it. */
static int end_top(struct outputs *outputs, enum report_end end)
{
	outputs__leave_top(outputs);
	if (end != REPORT_INTERRUPTED)
		log_info("top ends: %s", report_end__words(end));
	return 0;
}

int outputs__open(struct outputs *outputs)
{
	const struct options *options = outputs->options;
	struct text_options text = text_options_of(outputs, fileno(out_of(outputs)));

	outputs->draws = text.terminal && terminal__has_stderr() && !options->json;
	if (options->explain) {
		open_explainer(outputs);
		return 0;
	}
	if (options->command == COMMAND_TOP)
		return open_top(outputs);
	if (options->json || options->format == FORMAT_JUNIT || options->format == FORMAT_GITHUB)
		return 0;
	return text_writer__new(out_of(outputs), &text, &outputs->text);
}

/* People get goroutines by place, programs one by one. */
static bool is_raw_dump(const struct options *options)
{
	return options->command == COMMAND_DUMP && !options->json &&
	       (options->dump.folded || !terminal__present(STDOUT_FILENO));
}

static int write_for_ci(const struct outputs *outputs, FILE *out, const struct report *report)
{
	const struct options *options = outputs->options;
	const struct ci_options ci = {
		.verdicts = findings__verdicts(options->fail_on),
		.memory = options->fail_on & FINDING_MEMORY,
		.not_judged = outputs->judged ? NULL : outputs->not_judged.text,
		.root = getenv("GITHUB_WORKSPACE"),
	};

	return options->format == FORMAT_JUNIT ? junit__write(out, report, &ci) :
						 github__write(out, report, &ci);
}

static int write_text(const struct outputs *outputs, struct text_writer *writer,
		      const struct report *report)
{
	if (report__final(report) && !outputs->judged)
		text_writer__not_judged(writer, outputs->not_judged.text);
	return text_writer__write(writer, report);
}

static int write_report(struct outputs *outputs, const struct report *report)
{
	FILE *out = out_of(outputs);

	if (outputs->options->command == COMMAND_RECORD)
		return 0; /* it goes to the recording */
	if (outputs->top)
		return report__final(report) ? end_top(outputs, report->end) :
					       top_screen__write(outputs->top, report);
	if (outputs->wants_profile)
		return goroutines_profile__make(&report->targets[0], clock__realtime_ns(),
						&outputs->profile);
	if (is_raw_dump(outputs->options))
		return outputs->options->dump.folded ? dump__write_folded(out, report) :
						       dump__write(out, report);
	if (outputs->options->format == FORMAT_JUNIT || outputs->options->format == FORMAT_GITHUB)
		return write_for_ci(outputs, out, report);
	if (outputs->options->explain)
		return explainer__write(&outputs->explainer, report);
	return outputs->text ? write_text(outputs, outputs->text, report) :
			       report__write_json(out, report);
}

/*
 * Ctrl-C ends the reader of a pipe as well, before the last report is there. Whoever sits at the
 * terminal gets it all the same.
 */
static int write_to_stderr(const struct outputs *outputs, const struct report *report)
{
	struct text_options options = text_options_of(outputs, STDERR_FILENO);
	struct text_writer *writer;
	int err;

	options.terminal = false;
	err = text_writer__new(stderr, &options, &writer);
	if (err)
		return err;
	err = write_text(outputs, writer, report);
	text_writer__free(writer);
	return err;
}

/* Whether the last report, which is written now with @err, was lost to a reader that has gone. */
static bool was_lost(const struct outputs *outputs, const struct report *report, int err)
{
	if (!outputs->text || shows_last(outputs) ||
	    (report->end != REPORT_INTERRUPTED && report->end != REPORT_TERMINATED))
		return false;
	return err == -EPIPE || (!err && !terminal__pipe_was_read(STDOUT_FILENO));
}

/* A service manager, whose signal it is, has what comes behind the report to wait for. */
static enum report_pipe_next next_of(const struct report *report)
{
	if (!report__final(report))
		return REPORT_PIPE_MORE;
	return report->end == REPORT_TERMINATED ? REPORT_PIPE_END_SOON : REPORT_PIPE_END;
}

/* The run goes on to its end, and fails then. */
static int file_failed(struct outputs *outputs, int err, struct failure *failure)
{
	outputs->file_err = err;
	if (!*failure->text)
		failure__set(failure, err, "--report: %s: %s; there is no report",
			     outputs->options->output, strerror(-err));
	log_error("%s", failure->text);
	return 0;
}

static int keep_file(struct outputs *outputs, int err)
{
	struct failure failure = {""};

	if (!err)
		err = output_file__keep(outputs->file, &failure);
	return err ? file_failed(outputs, err, &failure) : 0;
}

static int write_last(struct outputs *outputs, const struct report *report)
{
	int err = 0;

	if (report__final(report) || !shows_last(outputs))
		err = write_report(outputs, report);
	if (outputs->file)
		return report__final(report) ? keep_file(outputs, err) : 0;
	if (err || outputs->options->command == COMMAND_RUN)
		return err;
	return report_pipe__send(next_of(report));
}

int outputs__write(struct outputs *outputs, const struct report *report)
{
	int err;

	outputs->found = findings__any(report, outputs->options->fail_on);
	exporter__write(&outputs->exporter, report);
	if (outputs->html)
		html_file__add(outputs->html, report);
	if (report__final(report)) {
		outputs->judged = findings__judged(report, outputs->options, &outputs->not_judged);
		log__divert(NULL, NULL);
	}
	err = write_last(outputs, report);
	if (was_lost(outputs, report, err))
		return write_to_stderr(outputs, report);
	if (!report__final(report) && outputs->draws)
		log__divert(take_message, outputs);
	return err;
}

int outputs__tell_ci(const struct options *options, const char *why)
{
	const struct report nothing = {.end = REPORT_TARGET_EXITED,
				       .realtime_ns = clock__realtime_ns()};
	struct outputs outputs = {.options = options};
	struct failure failure = {""};
	int err;

	if (options->format != FORMAT_JUNIT && options->format != FORMAT_GITHUB)
		return 0;
	err = outputs__read_files(&outputs, options, &failure);
	if (err) {
		log_error("%s", failure.text);
	} else {
		failure__set(&outputs.not_judged, 0, "%s", why);
		err = write_for_ci(&outputs, out_of(&outputs), &nothing);
		if (!err && outputs.file)
			err = output_file__keep(outputs.file, &failure);
		if (err)
			log_error("the report could not be written: %s",
				  *failure.text ? failure.text : strerror(-err));
	}
	outputs__close(&outputs);
	return err;
}

bool outputs__is_futile(const struct outputs *outputs)
{
	const struct explainer *explainer = &outputs->explainer;

	if (!outputs->options->explain || explainer->explained || explainer__knows(explainer))
		return false;
	/* A site may come, but not fewer of them. */
	return explainer->meant || !outputs->options->duration_ns;
}

void outputs__resize(struct outputs *outputs)
{
	struct screen_options screen =
		terminal__screen(STDOUT_FILENO, outputs->options->color, TERMINAL_DEFAULT_COLUMNS);
	unsigned int rows = terminal__rows();

	if (outputs->top)
		top_screen__resize(outputs->top);
	if (outputs->text)
		text_writer__resize(outputs->text, screen.columns, rows);
	outputs->explainer.options = screen;
	outputs->explainer.rows = rows;
}

/* A run that fails has no last report that would end the frame. */
static void leave_frame(struct outputs *outputs)
{
	int err = outputs->text ? text_writer__leave(outputs->text) :
				  explainer__leave(&outputs->explainer);

	if (err)
		log_debug("the terminal was not left as it should be: %s", strerror(-err));
}

void outputs__close(struct outputs *outputs)
{
	exporter__close(&outputs->exporter);
	html_file__free(outputs->html);
	outputs->html = NULL;
	log__divert(NULL, NULL);
	outputs__leave_top(outputs);
	if (outputs->draws)
		leave_frame(outputs);
	text_writer__free(outputs->text);
	allow_list__free(outputs->allow);
	source_tree__free(outputs->source);
	pprof__free(outputs->profile);
	output_file__close(outputs->file);
	outputs->file = NULL;
	outputs->text = NULL;
	outputs->allow = NULL;
	outputs->source = NULL;
	outputs->profile = NULL;
}
