// SPDX-License-Identifier: Apache-2.0
#include "output/text/fit.h"

#include "output/text/alloc_sites.h"
#include "output/text/flagged.h"
#include "output/text/legend.h"
#include "output/text/others.h"
#include "output/text/resources.h"
#include "output/text/site.h"
#include "output/text/summary.h"
#include "output/text/target.h"
#include "output/text/whole.h"

/* Room for the others: the sum, and "… more sites". */
#define OTHERS_ROWS 2

/* Rows below a table for a process' name and what was found in it. */
#define MIN_DETAIL_ROWS 4

/* Rows that are left of @last_row, but for @kept of them. */
static size_t room_for(const struct screen *screen, size_t last_row, size_t kept)
{
	return last_row - min_of(last_row, screen->lines + kept);
}

/* Flagged sites in at most @rows: all with as much detail as fits all of them, else the first. */
static void fit_flagged(struct screen *screen, const struct report_target *target, size_t rows,
			enum site_detail most)
{
	struct screen_mark mark = screen__mark(screen);

	for (int detail = (int)most; detail >= SITE_HEADLINE; detail--) {
		text_part__flagged(screen, target, SIZE_MAX, (enum site_detail)detail);
		if (screen->lines - mark.lines <= rows)
			return;
		screen__rollback(screen, mark);
	}
	/* One row says how many more there are, one is blank. */
	text_part__flagged(screen, target, rows > 2 ? rows - 2 : 0, SITE_HEADLINE);
}

/* What @put puts: as many of it as fit @rows, if one does. */
static void fit(struct screen *screen, const struct report_target *target, size_t rows,
		void (*put)(struct screen *screen, const struct report_target *target, size_t n))
{
	struct screen_mark mark = screen__mark(screen);

	for (size_t n = TEXT_FEW_GROWING; n > 0; n--) {
		put(screen, target, n);
		if (screen->lines - mark.lines <= rows)
			return;
		screen__rollback(screen, mark);
	}
}

static void put_growing(struct screen *screen, const struct report_target *target, size_t n)
{
	text_part__growing_memory(screen, target, n, false);
	text_part__growing_resources(screen, target->resources, n);
}

void text_fit__target(struct screen *screen, const struct text_options *options,
		      const struct report_target *target, size_t last_row)
{
	struct screen_mark mark;
	size_t others = options->all ? SIZE_MAX : TEXT_FEW_OTHERS;
	/* The others, and a line about what is suppressed. */
	size_t kept = OTHERS_ROWS + (report__count_suppressed(target) > 0);
	size_t room;

	text_whole__head(screen, target, options->all);
	fit_flagged(screen, target, room_for(screen, last_row, kept),
		    options->verbose ? SITE_STACK : SITE_EVIDENCE);
	fit(screen, target, room_for(screen, last_row, kept), put_growing);
	fit(screen, target, room_for(screen, last_row, kept), text_whole__allocating);
	/* A site takes two lines here, and all of them no more than half of what is left. */
	text_part__suppressed(screen, target, room_for(screen, last_row, kept) / 4, options->all);
	mark = screen__mark(screen);
	room = room_for(screen, last_row, OTHERS_ROWS);
	text_part__others(screen, target, min_of(others, room), options->all,
			  options->all && options->verbose);
	/* Stacks, and what holds a verdict back, took more than a line a site. */
	for (room = min_of(others, room); screen->lines > last_row && room > 0; room /= 2) {
		screen__rollback(screen, mark);
		text_part__others(screen, target, room, options->all, false);
	}
}

void text_fit__overview(struct screen *screen, const struct text_options *options,
			const struct report *report, const struct overview *overview,
			size_t last_row)
{
	size_t room;

	text_part__host_status(screen, report);
	text_part__unwatched(screen, report);
	screen__end_line(screen);
	/* One row has the titles; one says how many more there are. */
	room = room_for(screen, last_row, 1);
	overview__put(screen, overview,
		      overview->n <= room ? overview->n : room - min_of(room, (size_t)1));
	for (size_t i = 0; i < overview->n; i++) {
		const struct report_target *target = overview->targets[i];

		room = room_for(screen, last_row, 0);
		if (room < MIN_DETAIL_ROWS || text_part__count_flagged(target) == 0)
			return;
		screen__end_line(screen);
		text_part__name(screen, target);
		screen__end_line(screen);
		fit_flagged(screen, target, room - 2,
			    options->verbose ? SITE_STACK : SITE_EVIDENCE);
	}
}

void text_fit__legend(struct screen *screen, bool overview, size_t last_row)
{
	struct screen_mark mark = screen__mark(screen);

	if (last_row == SIZE_MAX || screen->lines + 1 + legend__lines(overview) > last_row)
		return;
	screen__end_line(screen);
	legend__put(screen, overview);
	/* Folded, it may take more lines. */
	if (screen->lines > last_row)
		screen__rollback(screen, mark);
}
