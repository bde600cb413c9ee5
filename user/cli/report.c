// SPDX-License-Identifier: Apache-2.0
#include "cli/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/output_file.h"
#include "cli/report_file.h"
#include "cli/terminal.h"
#include "naming/source_tree.h"
#include "output/ci/ci.h"
#include "output/html/page.h"
#include "output/json/report.h"
#include "output/perfetto/trace.h"
#include "output/pprof/allocations.h"
#include "output/pprof/goroutines.h"
#include "output/pprof/sites.h"
#include "output/text/dump.h"
#include "output/text/memory_series.h"
#include "output/text/report.h"
#include "output/text/scheduling_series.h"
#include "record/go_trace.h"

static int write_text(FILE *out, const struct report_file *file, const struct options *options)
{
	const struct text_options text = {
		.screen = terminal__screen(fileno(out), options->color, TERMINAL_DEFAULT_COLUMNS),
		.verbose = options->verbose > 0,
		.all = options->all,
	};
	struct report report = *file->report;
	struct text_writer *writer;
	int err = text_writer__new(out, &text, &writer);

	if (err)
		return err;
	/* Of a recording that goes on, or was cut off, this is the last that there is. */
	if (!report__final(&report))
		report.end = REPORT_ONCE;
	err = text_writer__write(writer, &report);
	text_writer__free(writer);
	if (!err && file->timeline)
		err = memory_series__write(out, file->timeline, &text.screen);
	if (!err && file->timeline)
		err = scheduling_series__write(out, file->timeline, &text.screen);
	return err;
}

static int make_profile(const struct report_file *file, const struct options *options,
			struct pprof **ret_profile, struct failure *failure)
{
	const struct timeline_target *timeline = NULL;
	const struct report *report = file->report;
	const struct report_target *target;

	if (report->n_targets != 1)
		return failure__set(failure, -EINVAL,
				    "a profile is of one Go runtime, and here are %zu",
				    report->n_targets);
	target = &report->targets[0];
	if (options->contention)
		return contention_profile__make(target, report->realtime_ns, ret_profile);
	if (options->memory)
		return allocations_profile__make(target, report->realtime_ns, ret_profile, failure);
	if (file->timeline && file->timeline->n_targets)
		timeline = &file->timeline->targets[0];
	return target->goroutines_listed ?
		       goroutines_profile__make(target, report->realtime_ns, ret_profile) :
		       sites_profile__make(target, timeline, report->realtime_ns, ret_profile);
}

static int write_profile(FILE *out, const struct report_file *file, const struct options *options,
			 struct failure *failure)
{
	struct pprof *profile = NULL;
	int err = make_profile(file, options, &profile, failure);

	if (err)
		return err;
	err = pprof__write(profile, out);
	pprof__free(profile);
	return err;
}

static int lay_over(FILE *out, const struct report_file *file, const char *path,
		    struct failure *failure)
{
	struct timeline timeline = *file->timeline;
	const struct timeline_trace *laid;
	struct go_trace_births births;
	struct go_trace *trace;
	int err;

	if (timeline.n_targets != 1)
		return failure__set(
			failure, -EINVAL,
			"--with-trace is about a recording of one Go runtime, and here are "
			"%zu: record the process alone",
			timeline.n_targets);
	err = go_trace__open(path, timeline.targets[0].clock_offset_ns, &trace, failure);
	if (err)
		return err;
	err = go_trace__check(trace, &timeline, path, &births, failure);
	laid = go_trace__timeline(trace);
	if (!err && !births.agree)
		log_warn(
			"whether %s is of the process that was recorded cannot be told: no goroutine "
			"began in both",
			path);
	if (!err && (laid->begin_ns > timeline.end_ns || laid->end_ns < timeline.begin_ns))
		log_warn("%s is of another time than the recording: both are there, one after the "
			 "other",
			 path);
	if (!err && laid->cut)
		log_warn("%s ends in the middle: what was whole is there", path);
	if (!err && laid->left_out)
		log_warn("%s has more than is shown: %" PRIu64
			 " states, regions or values are left "
			 "out",
			 path, laid->left_out);
	timeline.trace = laid;
	if (!err)
		err = perfetto__write(out, &timeline);
	go_trace__free(trace);
	return err;
}

static int write_perfetto(FILE *out, const struct report_file *file, const struct options *options,
			  struct failure *failure)
{
	if (options->with_trace && !file->timeline)
		return failure__set(
			failure, -EINVAL,
			"--with-trace is about a recording (gleakd record), and this is a "
			"report of one moment");
	if (options->with_trace)
		return lay_over(out, file, options->with_trace, failure);
	return file->timeline ? perfetto__write(out, file->timeline) :
				perfetto__write_report(out, file->report);
}

/* Of --fail-on there is none here: what a watch would have by default. */
static struct ci_options ci_options_of(void)
{
	return (struct ci_options){
		.verdicts = findings__verdicts(FINDING_LEAKING | FINDING_STUCK),
		.root = getenv("GITHUB_WORKSPACE"),
	};
}

static int write_as(FILE *out, const struct report_file *file, const struct options *options,
		    struct failure *failure)
{
	struct ci_options ci = ci_options_of();

	switch ((enum report_format)options->format) {
	case FORMAT_TEXT:
		return write_text(out, file, options);
	case FORMAT_JSON:
		return report__write_recorded_json(out, file->report, file->timeline);
	case FORMAT_JUNIT:
		return junit__write(out, file->report, &ci);
	case FORMAT_GITHUB:
		return github__write(out, file->report, &ci);
	case FORMAT_PPROF:
		return write_profile(out, file, options, failure);
	case FORMAT_FOLDED:
		return options->memory ? dump__write_folded_memory(out, file->report) :
					 dump__write_folded(out, file->report);
	case FORMAT_HTML:
		return html__write(out, file->report, file->timeline);
	case FORMAT_PERFETTO:
		return write_perfetto(out, file, options, failure);
	}
	return -EINVAL;
}

static bool is_binary(enum report_format format)
{
	return format == FORMAT_PPROF || format == FORMAT_PERFETTO;
}

static int write_file(const struct report_file *file, const struct options *options,
		      struct failure *failure)
{
	struct output_file *output;
	int err = output_file__open("--output", options->output, &output, failure);

	if (err)
		return err;
	err = write_as(output_file__out(output), file, options, failure);
	if (!err)
		err = output_file__keep(output, failure);
	output_file__close(output);
	return err && !*failure->text ? failure__set(failure, err, "--output: %s: %s",
						     options->output, strerror(-err)) :
					err;
}

static int run(const struct options *options, const struct report_file *file,
	       struct failure *failure)
{
	int err;

	if (options->output) {
		err = write_file(file, options, failure);
		return err ? command__failed(err, failure) : 0;
	}
	if (is_binary((enum report_format)options->format) && terminal__present(STDOUT_FILENO)) {
		log_error("this format is none for a terminal: add -o FILE");
		return EXIT_CODE_USAGE;
	}
	err = write_as(stdout, file, options, failure);
	if (err && *failure->text)
		return command__failed(err, failure);
	return command__wrote(err, "the report");
}

/* Lines of code for the sites of @report, to be freed one by one in @sources, which has room for all. */
static void add_source(const struct source_tree *tree, const struct report *report,
		       struct report_source **sources)
{
	for (size_t t = 0; t < report->n_targets; t++) {
		const struct report_target *target = &report->targets[t];

		for (size_t i = 0; i < target->n_sites; i++) {
			/* The report is this command's alone. */
			struct report_site *site = (struct report_site *)&target->sites[i];

			*sources = source_tree__of_site(tree, site);
			if (*sources)
				site->source = *sources++;
		}
	}
}

static int run_with_source(const struct options *options, const struct report_file *file,
			   struct failure *failure)
{
	struct report_source **sources;
	struct source_tree *tree;
	size_t n = 0;
	int code, err = source_tree__open(options->source, &tree, failure);

	if (err)
		return command__failed(err, failure);
	for (size_t t = 0; t < file->report->n_targets; t++)
		n += file->report->targets[t].n_sites;
	sources = calloc(n + 1, sizeof(struct report_source *));
	if (sources)
		add_source(tree, file->report, sources);
	code = sources ? run(options, file, failure) : command__failed(-ENOMEM, failure);
	for (size_t i = 0; sources && sources[i]; i++)
		free(sources[i]);
	free((void *)sources);
	source_tree__free(tree);
	return code;
}

int command__report(const struct options *options)
{
	struct failure failure = {""};
	struct report_file file;
	int code, err;

	if (!options->files.n) {
		log_error("report which file? Name a recording (gleakd record makes those), or a "
			  "report in JSON");
		return EXIT_CODE_USAGE;
	}
	err = report_file__open(options->files.items[0], &file, &failure);
	if (err)
		return command__failed(err, &failure);
	code = options->source ? run_with_source(options, &file, &failure) :
				 run(options, &file, &failure);
	report_file__close(&file);
	return code;
}
