// SPDX-License-Identifier: Apache-2.0
/*
 * When and how much is shown. On a terminal every report replaces the one before; into a pipe the
 * first is printed whole, later ones only as far as they say something new, and the last one is followed
 * by what was found, a line each. What goes out is built in memory and written at once.
 */
#include "output/text/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output/text/news.h"
#include "output/text/canvas.h"
#include "output/text/fit.h"
#include "output/text/flagged.h"
#include "output/text/alloc_sites.h"
#include "output/text/looks.h"
#include "output/text/resources.h"
#include "output/text/scheduling.h"
#include "output/text/legend.h"
#include "output/text/others.h"
#include "output/text/overview.h"
#include "output/text/site.h"
#include "output/text/summary.h"
#include "output/text/target.h"
#include "output/text/whole.h"

/* Below that a screen cannot hold even the header and a site. */
#define MIN_ROWS 8U

#define STATUS_EVERY_NS (60 * NSEC_PER_SEC)

struct text_writer {
	FILE *out;
	struct text_options options;
	struct text_news *news;
	bool started;
	struct canvas canvas;
	bool explained;	       /* the legend was put where it stays */
	uint64_t last_line_ns; /* wall time of what was last printed into a pipe */
	const char *not_judged;
};

int text_writer__new(FILE *out, const struct text_options *options, struct text_writer **ret_writer)
{
	struct text_writer *writer = calloc(1, sizeof(*writer));
	int err;

	if (!writer)
		return -ENOMEM;
	writer->out = out;
	writer->options = *options;
	text_writer__resize(writer, options->screen.columns, options->rows);
	err = text_news__new(options->host, &writer->news);
	if (err) {
		text_writer__free(writer);
		return err;
	}
	*ret_writer = writer;
	return 0;
}

void text_writer__free(struct text_writer *writer)
{
	if (!writer)
		return;
	text_news__free(writer->news);
	canvas__release(&writer->canvas);
	free(writer);
}

void text_writer__resize(struct text_writer *writer, unsigned int columns, unsigned int rows)
{
	writer->options.screen.columns = columns;
	writer->options.screen = screen_options__within(&writer->options.screen, SCREEN_MAX_REPORT);
	writer->options.rows = rows ? max_of(rows, MIN_ROWS) : 0;
}

/* --- on a terminal -------------------------------------------------------------------------------- */

static void redraw(struct screen *screen, struct text_writer *writer, const struct report *report,
		   const struct overview *overview)
{
	const struct text_options *options = &writer->options;
	size_t rows = canvas__rows(options->rows);
	/* Where one process was found within the first moment others may follow. */
	bool first_of_host = options->host && !writer->canvas.drawn;
	bool alone = overview->n == 1 && !first_of_host;
	struct screen_mark top = canvas__begin(&writer->canvas, screen, options->rows);

	if (alone)
		text_fit__target(screen, options, overview->targets[0], rows);
	else
		text_fit__overview(screen, options, report, overview, rows);
	text_fit__legend(screen, !alone, rows);
	canvas__end(&writer->canvas, screen, top, rows);
}

/* --- into a pipe ---------------------------------------------------------------------------------- */

static void put_resolved(void *ctx, const char *id, enum verdict verdict)
{
	struct screen *screen = ctx;

	screen__putf(screen, STYLE_GOOD, "site %s is no longer flagged as %s", id,
		     verdict__name(verdict));
	screen__end_line(screen);
}

/* For text_part__rows(): sites which only have other numbers. */
struct news_of_target {
	const struct text_news *news;
	const struct report_target *target;
};

static bool count_is_news(const void *ctx, const struct report_site *site)
{
	const struct news_of_target *of = ctx;

	return text_news__site(of->news, of->target, site) == SITE_NEWS_COUNT;
}

/* A site that is told in full, with a blank line before it. */
static void put_new_site(struct screen *screen, const struct report_site *site, bool verbose)
{
	struct site_columns columns = {0};

	screen__end_line(screen);
	text_part__columns_add(&columns, site);
	text_part__site(screen, &columns, site, verbose ? SITE_STACK : SITE_EVIDENCE);
}

static void put_changes(struct screen *screen, const struct text_writer *writer,
			const struct report *report, const struct report_target *target)
{
	struct news_of_target of = {.news = writer->news, .target = target};
	size_t most = writer->options.all ? SIZE_MAX : TEXT_MANY_FLAGGED;
	size_t blocks = 0;

	text_part__status(screen, report, target, writer->options.host || report->n_targets > 1);
	if (text_news__target(writer->news, target)) {
		text_part__mode(screen, target);
		text_part__losses(screen, target);
	}
	if (text_news__late(writer->news, target))
		text_part__scheduling(screen, target, false);
	text_news__resolved(writer->news, target, put_resolved, screen);
	text_part__rows(screen, target, most, count_is_news, &of, false);
	for (size_t i = 0; i < target->n_sites && blocks < most; i++) {
		const struct report_site *site = &target->sites[i];

		if (text_news__site(writer->news, target, site) != SITE_NEWS_WHOLE)
			continue;
		put_new_site(screen, site, writer->options.verbose);
		blocks++;
	}
	text_part__memory_news(screen, writer->news, target, TEXT_MANY_FLAGGED,
			       writer->options.verbose);
	text_part__resource_news(screen, writer->news, target, TEXT_MANY_FLAGGED);
	if (blocks)
		screen__end_line(screen);
}

static bool status_due(const struct text_writer *writer, uint64_t now_ns)
{
	/* Wall time may be set back. */
	return now_ns < writer->last_line_ns || now_ns - writer->last_line_ns >= STATUS_EVERY_NS;
}

/* For text_news__gone(). */
struct line_of {
	struct screen *screen;
	const struct report *report;
};

static void put_gone(void *ctx, pid_t pid, const char *name)
{
	const struct line_of *line = ctx;

	text_part__gone(line->screen, line->report, pid, name);
}

static void note_resolved(void *ctx, const char *id, enum verdict verdict)
{
	(void)id;
	(void)verdict;
	*(bool *)ctx = true;
}

/* Other than that it came. */
static bool has_news(const struct text_news *news, const struct report_target *target)
{
	bool any = (text_news__target(news, target) && !text_news__came(news, target)) ||
		   text_news__late(news, target);

	for (size_t i = 0; i < target->n_sites && !any; i++)
		any = text_news__site(news, target, &target->sites[i]) != SITE_NEWS_NONE;
	for (size_t i = 0; target->allocations && i < target->allocations->n_sites && !any; i++)
		any = text_news__memory(news, target, &target->allocations->sites[i]);
	if (!any)
		text_news__resolved(news, target, note_resolved, &any);
	return any;
}

/* Nobody reads a page a round for each of a hundred processes: who came, went or has news. */
static void put_host_changes(struct screen *screen, const struct text_writer *writer,
			     const struct report *report, const struct overview *overview)
{
	struct line_of line = {.screen = screen, .report = report};

	if (!writer->started || status_due(writer, report->realtime_ns))
		text_part__host_status(screen, report);
	text_news__gone(writer->news, put_gone, &line);
	for (size_t i = 0; i < overview->n; i++) {
		const struct report_target *target = overview->targets[i];

		if (target->exited_target)
			continue;
		if (writer->started && text_news__came(writer->news, target))
			text_part__came(screen, report, target);
		if (has_news(writer->news, target))
			put_changes(screen, writer, report, target);
	}
}

/* What the words mean that now appear for the first time. */
static void put_legend_once(struct screen *screen, struct text_writer *writer,
			    const struct overview *overview)
{
	if (writer->explained || !overview->n || overview->targets[0]->goroutines_listed)
		return;
	writer->explained = true;
	legend__put(screen, false);
	screen__end_line(screen);
}

static int log_interim(struct screen *screen, struct text_writer *writer,
		       const struct report *report, const struct overview *overview)
{
	const struct text_options *options = &writer->options;
	int err = text_news__compare(writer->news, report);

	if (err)
		return err;
	if (writer->started && !text_news__any(writer->news) &&
	    !status_due(writer, report->realtime_ns))
		return 0;
	if (options->host && !options->all) {
		put_host_changes(screen, writer, report, overview);
	} else if (writer->started && !options->host) {
		for (size_t i = 0; i < overview->n; i++)
			put_changes(screen, writer, report, overview->targets[i]);
	} else {
		text_whole__report(screen, options, overview);
		screen__end_line(screen);
		put_legend_once(screen, writer, overview);
	}
	text_news__printed(writer->news);
	writer->last_line_ns = report->realtime_ns;
	return 0;
}

/* -------------------------------------------------------------------------------------------------- */

/* How each process is and what was found, a line each: all else was told when it was new. */
static void put_found(struct screen *screen, const struct overview *overview)
{
	screen__end_line(screen);
	if (overview->n > 1)
		overview__put(screen, overview, SIZE_MAX);
	for (size_t i = 0; i < overview->n; i++) {
		const struct report_target *target = overview->targets[i];

		if (overview->n > 1 && !text_part__count_flagged(target) &&
		    !report__count_growing_memory(target) &&
		    !text_part__told_resources(target->resources))
			continue;
		if (overview->n > 1) {
			screen__end_line(screen);
			text_part__name(screen, target);
			screen__end_line(screen);
		} else {
			text_whole__head(screen, target, false);
		}
		text_part__flagged(screen, target, SIZE_MAX, SITE_HEADLINE);
		text_part__growing_memory(screen, target, SIZE_MAX, false);
		text_whole__allocating(screen, target, TEXT_FEW_OTHERS);
		text_part__growing_resources(screen, target->resources, SIZE_MAX);
	}
	if (overview->n > 1)
		screen__end_line(screen);
}

/* Whether the reader has been told of things as they came, and does not want all of them. */
static bool is_log(const struct text_writer *writer)
{
	return !writer->options.terminal && writer->started && !writer->options.all;
}

static int put_final(struct screen *screen, struct text_writer *writer, const struct report *report,
		     const struct overview *overview)
{
	int err = is_log(writer) ? log_interim(screen, writer, report, overview) : 0;

	if (err)
		return err;
	if (writer->options.terminal)
		canvas__leave(&writer->canvas, screen);
	if (is_log(writer)) {
		put_found(screen, overview);
	} else {
		text_whole__report(screen, &writer->options, overview);
		screen__end_line(screen);
		put_legend_once(screen, writer, overview);
	}
	if (!writer->options.no_verdict)
		text_part__summary(screen, report, overview, writer->not_judged);
	if (!writer->options.no_verdict && writer->options.live)
		text_part__next_steps(screen, report, overview);
	return 0;
}

void text_writer__not_judged(struct text_writer *writer, const char *why)
{
	writer->not_judged = why;
}

void text_writer__message(struct text_writer *writer, const char *line)
{
	struct screen screen;

	screen__init(&screen, &writer->options.screen);
	canvas__message(&writer->canvas, &screen, line);
	/* What cannot be shown now is shown with the next frame. */
	if (screen__flush(&screen, writer->out))
		return;
}

int text_writer__leave(struct text_writer *writer)
{
	struct screen screen;

	screen__init(&screen, &writer->options.screen);
	if (writer->canvas.drawn)
		canvas__leave(&writer->canvas, &screen);
	return screen__flush(&screen, writer->out);
}

/* Into a pipe only the last report: nobody reads how it got there. */
static void put_heaps(struct screen *screen, struct text_writer *writer,
		      const struct report *report)
{
	const struct looks_options looks = {
		.verbose = writer->options.verbose,
		.all = writer->options.all,
		.by = writer->options.alloc_by,
		.rows = canvas__rows(writer->options.rows),
	};
	bool final = report__final(report);
	struct screen_mark top = screen__mark(screen);

	if (final)
		canvas__leave(&writer->canvas, screen);
	else if (writer->options.terminal)
		top = canvas__begin(&writer->canvas, screen, writer->options.rows);
	else
		return;
	text_part__looks(screen, report, &looks);
	if (!final)
		canvas__end(&writer->canvas, screen, top, looks.rows);
}

static int write_heaps(struct text_writer *writer, const struct report *report)
{
	struct screen screen;

	screen__init(&screen, &writer->options.screen);
	put_heaps(&screen, writer, report);
	return screen__flush(&screen, writer->out);
}

int text_writer__write(struct text_writer *writer, const struct report *report)
{
	struct overview overview;
	struct screen screen;
	int err;

	if (writer->options.heap)
		return write_heaps(writer, report);
	err = overview__init(&overview, report);
	if (err)
		return err;
	screen__init(&screen, &writer->options.screen);
	if (report__final(report))
		err = put_final(&screen, writer, report, &overview);
	else if (writer->options.terminal)
		redraw(&screen, writer, report, &overview);
	else
		err = log_interim(&screen, writer, report, &overview);
	overview__release(&overview);
	writer->started = true;
	if (!err)
		return screen__flush(&screen, writer->out);
	screen__release(&screen);
	return err;
}
