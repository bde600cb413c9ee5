/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_OUTPUTS_H
#define GLEAKD_CLI_OUTPUTS_H

/* Where a run's reports go: terminal or pipe, metrics file; and what it found, for its exit status. */
#include "cli/exporter.h"
#include "cli/html_file.h"
#include "cli/options.h"
#include "cli/top.h"
#include "output/text/explainer.h"
#include "output/pprof/profile.h"
#include "output/text/report.h"
#include "naming/allow_list.h"
#include "naming/source_tree.h"

struct outputs {
	const struct options *options;
	struct text_writer *text;   /* NULL with --json and --explain */
	struct top_screen *top;	    /* of COMMAND_TOP, else NULL */
	struct explainer explainer; /* for --explain */
	struct exporter exporter;
	struct html_file *html;	    /* of --html; NULL: none */
	struct allow_list *allow;   /* NULL: none */
	struct source_tree *source; /* likewise */
	bool found;		    /* by the last report: something of --fail-on */
	bool judged;		    /* by the final one: findings__judged() */
	struct failure not_judged;  /* else why */
	bool wants_profile;	    /* of the goroutines of one runtime, instead of being shown */
	struct pprof *profile;	    /* owned: that of the last report; NULL: there was none */
	struct output_file *file;   /* of --report; NULL: none */
	int file_err;		    /* that is not whole, and why */
	bool draws;		    /* on the terminal that messages go to as well */
};

/* outputs__read_files - what options name; may block on a pipe. Errors in words. */
int outputs__read_files(struct outputs *outputs, const struct options *options,
			struct failure *failure) __must_check;

/* outputs__open - after that. -ENOMEM; -ENOTTY: this terminal cannot be drawn on. */
int outputs__open(struct outputs *outputs) __must_check;

/* outputs__write - -EPIPE and kin when the report could not be shown. */
int outputs__write(struct outputs *outputs, const struct report *report) __must_check;

/*
 * outputs__tell_ci - with --format junit or github: a report of no process, of which nothing could be judged for
 * the reason @why. Errors are told, and returned.
 */
int outputs__tell_ci(const struct options *options, const char *why) __must_check;

/*
 * outputs__is_futile - whether more reports are of no use: what --explain means is not there, and no
 * --duration was given to wait for it.
 */
bool outputs__is_futile(const struct outputs *outputs);

/* outputs__resize - the terminal has another size now. */
void outputs__resize(struct outputs *outputs);

/* outputs__leave_top - what is logged from now on is seen. */
void outputs__leave_top(struct outputs *outputs);

void outputs__close(struct outputs *outputs);

#endif /* GLEAKD_CLI_OUTPUTS_H */
