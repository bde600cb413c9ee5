/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_REPORT_H
#define GLEAKD_OUTPUT_TEXT_REPORT_H

/*
 * The report for people: a header per target and a block per site, flagged ones first. On a
 * terminal it redraws in place, in colour and without wrapping; elsewhere it is plain lines.
 */
#include <stdio.h>

#include "output/report.h"
#include "output/text/screen.h"

struct text_options {
	struct screen_options screen;  /* 60 columns at least, 200 at most */
	bool terminal;		       /* redraw in place */
	unsigned int rows;	       /* height to fit when redrawing; 0: no limit */
	bool verbose;		       /* whole park stacks */
	bool all;		       /* sites that wait by nature too, not only the first few */
	bool host;		       /* processes come and go */
	bool heap;		       /* their memory, not their goroutines */
	enum report_alloc_by alloc_by; /* of that memory, what is told */
	bool live;	 /* the processes are there: what can be asked of them next is said */
	bool no_verdict; /* about what there is, not about what is wrong with it */
};

struct text_writer;

int text_writer__new(FILE *out, const struct text_options *options,
		     struct text_writer **ret_writer) __must_check;
void text_writer__free(struct text_writer *writer);

/* text_writer__resize - the terminal has another size from now on; limits as in text_options. */
void text_writer__resize(struct text_writer *writer, unsigned int columns, unsigned int rows);

/*
 * text_writer__not_judged - the last report is going to be written, and nothing could be judged: @why,
 * which has to stay until it is written.
 */
void text_writer__not_judged(struct text_writer *writer, const char *why);

/*
 * text_writer__message - a message of gleakd's own while the writer draws on the terminal: shown below
 * the frame, and kept for when that is gone.
 */
void text_writer__message(struct text_writer *writer, const char *line);

/*
 * text_writer__leave - the frame goes before its time: without a last report. Messages that were kept
 * are written. Errors as text_writer__write().
 */
int text_writer__leave(struct text_writer *writer) __must_check;

/*
 * text_writer__write - show @report. An interim report that says nothing new is not printed again
 * into a pipe; of a host's processes only those are told of that came, went or have news, unless
 * all was asked for. The final one is, after others in a pipe, what is new and what was found in a
 * line each; else all of it; then a summary which also says what was looked at when nothing was
 * found. -EPIPE and kin when writing failed.
 */
int text_writer__write(struct text_writer *writer, const struct report *report) __must_check;

#endif /* GLEAKD_OUTPUT_TEXT_REPORT_H */
