// SPDX-License-Identifier: Apache-2.0
/*
 * The sites that were not flagged, as a reader wants them: summed up, and the first few by name so
 * that one can see they are what they should be. What was suppressed is told apart from them.
 */
#include "output/text/others.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"
#include "output/text/block.h"
#include "output/text/site_columns.h"

#define INDENT		2
#define SUSPICION_LINES 2 /* of each reason of a suspicion */
#define MAX_REASONS	32
#define SHOWN_REASONS	3
#define MIN_LOCATION	20
#define MAX_ALIGNED	60U /* a longer name in a pipe is out of line with the others */

/* Goroutines by wait reason, over all sites that were not flagged. */
struct breakdown {
	struct {
		const char *words;
		uint64_t goroutines;
	} reasons[MAX_REASONS];
	size_t n;
	uint64_t beyond; /* goroutines of reasons that had no place */
	uint64_t sites, goroutines;
};

static bool is_shown(const struct report_site *site, bool all)
{
	return !report__flagged(site) && !report__suppressed(site) &&
	       (all || site->view.goroutines > 0);
}

static void breakdown__add(struct breakdown *sum, const struct report_site *site)
{
	const char *words = text_part__wait_words(site);
	size_t i = 0;

	sum->sites++;
	sum->goroutines += site->view.goroutines;
	if (site->view.goroutines == 0)
		return;
	while (i < sum->n && strcmp(sum->reasons[i].words, words) != 0)
		i++;
	if (i == MAX_REASONS) {
		sum->beyond += site->view.goroutines;
		return;
	}
	if (i == sum->n) {
		sum->n++;
		sum->reasons[i].words = words;
	}
	sum->reasons[i].goroutines += site->view.goroutines;
}

/* The largest first; among equals the one seen first. */
static void breakdown__sort(struct breakdown *sum)
{
	for (size_t i = 1; i < sum->n; i++) {
		for (size_t j = i; j > 0; j--) {
			__auto_type swap = sum->reasons[j];

			if (sum->reasons[j - 1].goroutines >= swap.goroutines)
				break;
			sum->reasons[j] = sum->reasons[j - 1];
			sum->reasons[j - 1] = swap;
		}
	}
}

static void put_reasons(struct screen *screen, const struct breakdown *sum)
{
	uint64_t other = sum->beyond;
	char count[NUMBER_COUNT_SIZE];

	for (size_t i = 0; i < sum->n; i++) {
		if (i >= SHOWN_REASONS) {
			other += sum->reasons[i].goroutines;
			continue;
		}
		number__count(sum->reasons[i].goroutines, count);
		screen__put(screen, STYLE_DIM, i == 0 ? ": " : ", ");
		screen__put_within(screen, STYLE_DIM, sum->reasons[i].words, MAX_WAIT);
		screen__putf(screen, STYLE_DIM, " %s", count);
	}
	if (other) {
		number__count(other, count);
		screen__putf(screen, STYLE_DIM, ", other %s", count);
	}
}

static void put_sum(struct screen *screen, const struct breakdown *sum)
{
	screen__put(screen, STYLE_PLAIN, "not flagged  ");
	screen__put_owned(screen, STYLE_PLAIN, number__counted(sum->sites, "site"));
	screen__put(screen, STYLE_PLAIN, ", ");
	screen__put_owned(screen, STYLE_PLAIN, number__counted(sum->goroutines, "goroutine"));
	put_reasons(screen, sum);
	screen__end_line(screen);
}

/* The place of that name: where it blocks if it is that, else nothing is known but the name. */
static struct report_frame frame_of(const struct report_site *site)
{
	const struct report_frame *blocked = &site->blocked_at;
	const char *name = text_part__site_name(site);

	if (report__frame_known(blocked) && !strcmp(name, blocked->function))
		return *blocked;
	return (struct report_frame){.function = name};
}

static void put_place(struct screen *screen, const struct site_columns *columns,
		      const struct report_site *site)
{
	const struct report_frame *blocked = &site->blocked_at;
	struct report_frame frame = frame_of(site);
	unsigned int column = screen->column + columns->function + 2;

	text_part__frame(screen, STYLE_PLAIN, &frame, columns->function, false);
	if (!report__frame_known(blocked) || frame.file == blocked->file)
		return;
	screen__next(screen, column);
	if (!screen->options.whole && screen__room(screen) < MIN_FUNCTION)
		return;
	screen__put(screen, STYLE_DIM, "in ");
	text_part__function(screen, STYLE_DIM, blocked, screen__room(screen));
}

static void put_site(struct screen *screen, const struct site_columns *columns,
		     const struct report_site *site)
{
	char count[NUMBER_COUNT_SIZE];
	unsigned int column = INDENT;

	screen__to(screen, column);
	screen__put(screen, STYLE_DIM, site->id);
	column += SITE_ID_COLUMNS + 2;
	screen__next(screen, column);
	screen__put(screen, text_part__verdict_style(site), verdict__name(site->view.verdict));
	column += columns->verdict + 2;
	if (columns->confidence) {
		snprintf(count, sizeof(count), "%u %%", report__percent(site));
		screen__put_right(screen, STYLE_PLAIN,
				  verdict__is_suspect(site->view.verdict) ? count : "", column,
				  columns->confidence);
		column += columns->confidence + 2;
	}
	number__count(site->view.goroutines, count);
	screen__put_right(screen, STYLE_PLAIN, count, column, columns->count);
	column += columns->count + 2;
	column = text_part__wait_and_growth(screen, columns, site, column);
	screen__to(screen, column);
	put_place(screen, columns, site);
	screen__end_line(screen);
}

/*
 * Under its row, what a suspicion rests on and what would settle it; of what rises, what holds a
 * verdict back.
 */
static void put_suspicion(struct screen *screen, const struct report_site *site)
{
	size_t n = site->view.verdict == VERDICT_SUSPECTED ? site->view.n_why : site->due_ns > 0;
	char why[REPORT_WHY_SIZE];

	for (size_t i = 0; i < n; i++) {
		screen__to(screen, 2 * INDENT);
		screen__wrap(screen, STYLE_PLAIN, report__why(site, i, why), SUSPICION_LINES);
	}
}

/* Under its row, why a site is not flagged that looks as if it should be. */
static void put_suppressed(struct screen *screen, const struct report_site *site)
{
	const char *reason = report__text(site->suppressed_reason);

	if (!report__suppressed(site)) {
		if (verdict__is_suspect(site->view.verdict))
			put_suspicion(screen, site);
		return;
	}
	screen__to(screen, 2 * INDENT);
	screen__put(screen, STYLE_DIM, "silenced: ");
	screen__put(screen, STYLE_DIM, *reason ? reason : "no reason given");
	screen__end_line(screen);
}

static unsigned int room_for_functions(const struct site_columns *columns,
				       const struct screen *screen)
{
	unsigned int used = INDENT + SITE_ID_COLUMNS + 2 + columns->verdict + 2 +
			    (columns->confidence ? columns->confidence + 2 : 0) + columns->count +
			    2 + columns->wait + 2 + (columns->growth ? columns->growth + 2 : 0);

	return screen->options.columns - min_of(screen->options.columns, used);
}

/*
 * Room for the functions is what the other columns leave, with some for file and line. On a narrow
 * screen the confidence goes first, then file and line, then the growth.
 */
static void fit_functions(struct site_columns *columns, const struct screen *screen, size_t widest)
{
	const size_t both = MIN_FUNCTION + 2 + MIN_LOCATION;
	size_t room = room_for_functions(columns, screen);

	if (screen->options.whole) {
		columns->function = (unsigned int)min_of(widest, MAX_ALIGNED);
		return;
	}
	if (room < both) {
		columns->confidence = 0;
		room = room_for_functions(columns, screen);
	}
	if (room < MIN_FUNCTION) {
		columns->growth = 0;
		columns->wait = min_of(columns->wait, (unsigned int)MIN_FUNCTION);
		room = room_for_functions(columns, screen);
	}
	if (room >= both)
		room -= 2 + MIN_LOCATION;
	room = min_of(widest, room);
	columns->function = (unsigned int)max_of(room, (size_t)MIN_FUNCTION);
}

void text_part__rows(struct screen *screen, const struct report_target *target, size_t max,
		     bool (*wanted)(const void *ctx, const struct report_site *site),
		     const void *ctx, bool stacks)
{
	struct site_columns columns = {0};
	size_t shown = 0, widest = 0;

	for (size_t i = 0; i < target->n_sites && shown < max; i++) {
		struct report_frame frame = frame_of(&target->sites[i]);

		if (!wanted(ctx, &target->sites[i]))
			continue;
		shown++;
		text_part__columns_add(&columns, &target->sites[i]);
		widest = max_of(widest, text_part__function_width(&frame));
	}
	fit_functions(&columns, screen, widest);
	for (size_t i = 0; i < target->n_sites && shown > 0; i++) {
		if (!wanted(ctx, &target->sites[i]))
			continue;
		shown--;
		put_site(screen, &columns, &target->sites[i]);
		put_suppressed(screen, &target->sites[i]);
		if (stacks)
			text_part__stack(screen, &target->sites[i]);
	}
}

static bool other_wanted(const void *ctx, const struct report_site *site)
{
	const bool *all = ctx;

	return is_shown(site, *all);
}

void text_part__others(struct screen *screen, const struct report_target *target, size_t max,
		       bool all, bool stacks)
{
	struct breakdown sum = {0};

	for (size_t i = 0; i < target->n_sites; i++) {
		if (is_shown(&target->sites[i], all))
			breakdown__add(&sum, &target->sites[i]);
	}
	if (sum.sites == 0)
		return;
	breakdown__sort(&sum);
	put_sum(screen, &sum);
	text_part__rows(screen, target, max, other_wanted, &all, stacks);
	if (sum.sites > max && max > 0) {
		screen__to(screen, INDENT);
		screen__put(screen, STYLE_DIM, "and ");
		screen__put_owned(screen, STYLE_DIM, number__counted(sum.sites - max, "more site"));
		screen__put(screen, STYLE_DIM, " (--all lists them)");
		screen__end_line(screen);
	}
}

/* --- suppressed ------------------------------------------------------------------------------------- */

static bool suppressed_wanted(const void *ctx, const struct report_site *site)
{
	(void)ctx;
	return report__suppressed(site);
}

/* Whether a site before the one of @index was suppressed for the same reason. */
static bool reason_told(const struct report_target *target, size_t index)
{
	const char *reason = report__text(target->sites[index].suppressed_reason);

	for (size_t i = 0; i < index; i++) {
		if (report__suppressed(&target->sites[i]) &&
		    strcmp(report__text(target->sites[i].suppressed_reason), reason) == 0)
			return true;
	}
	return false;
}

/* ": too slow to matter; known since May", as much of it as leaves @room_after columns. */
static void put_silencing(struct screen *screen, const struct report_target *target,
			  unsigned int room_after)
{
	const char *before = ": ";

	for (size_t i = 0; i < target->n_sites; i++) {
		const struct report_site *site = &target->sites[i];
		const char *reason = report__text(site->suppressed_reason);
		unsigned int room;

		if (!report__suppressed(site) || !*reason || reason_told(target, i))
			continue;
		screen__put(screen, STYLE_DIM, before);
		room = screen__room(screen) - min_of(screen__room(screen), room_after);
		if (!screen->options.whole && utf8__width(reason) > room) {
			if (*before == ':')
				screen__put_within(screen, STYLE_DIM, reason, room);
			else
				screen__put(screen, STYLE_DIM, "and more");
			return;
		}
		screen__put(screen, STYLE_DIM, reason);
		before = "; ";
	}
}

void text_part__suppressed(struct screen *screen, const struct report_target *target, size_t max,
			   bool all)
{
	static const char hint[] = " (--all shows them)";
	size_t n = report__count_suppressed(target);

	if (n == 0)
		return;
	screen__put_owned(screen, STYLE_PLAIN, number__counted(n, "site"));
	screen__put(screen, STYLE_PLAIN, " silenced by the allow-list");
	if (!all) {
		/* Room for "; and more" too, should another reason follow. */
		put_silencing(screen, target, (unsigned int)strlen(hint) + 10);
		screen__put(screen, STYLE_DIM, hint);
	}
	screen__end_line(screen);
	if (all)
		text_part__rows(screen, target, max, suppressed_wanted, NULL, false);
}
