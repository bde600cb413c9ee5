// SPDX-License-Identifier: Apache-2.0
#include "output/text/explainer.h"

#include <stdio.h>
#include <string.h>

#include "output/site_pattern.h"
#include "output/text/explain.h"
#include "output/text/canvas.h"

#define MAX_LISTED 10

/* A site and whose it is. */
struct found {
	const struct report_target *target;
	const struct report_site *site;
};

/* The first ones of how many there are. */
struct found_list {
	size_t n;
	struct found first[MAX_LISTED];
};

static void note(struct found_list *list, const struct report_target *target,
		 const struct report_site *site)
{
	if (list->n < MAX_LISTED)
		list->first[list->n] = (struct found){target, site};
	list->n++;
}

/* The sites that @pattern means; parts of names count where nothing has that name. */
static void find_meant(const struct report *report, const char *pattern, struct found_list *list)
{
	enum site_match best = SITE_MATCH_PART;

	for (size_t t = 0; t < report->n_targets; t++) {
		const struct report_target *target = &report->targets[t];

		for (size_t i = 0; i < target->n_sites; i++) {
			enum site_match match = site_pattern__match(pattern, &target->sites[i]);

			if (match < best)
				continue;
			if (match > best)
				list->n = 0;
			best = match;
			note(list, target, &target->sites[i]);
		}
	}
}

/* Puts a site where it belongs among the largest, which @list keeps in order. */
static void note_large(struct found_list *list, const struct report_target *target,
		       const struct report_site *site)
{
	size_t at = list->n;

	while (at > 0 && list->first[at - 1].site->view.goroutines < site->view.goroutines)
		at--;
	if (at == MAX_LISTED)
		return;
	if (list->n < MAX_LISTED)
		list->n++;
	memmove(&list->first[at + 1], &list->first[at],
		(list->n - at - 1) * sizeof(list->first[0]));
	list->first[at] = (struct found){target, site};
}

static void find_largest(const struct report *report, struct found_list *list)
{
	for (size_t t = 0; t < report->n_targets; t++) {
		const struct report_target *target = &report->targets[t];

		for (size_t i = 0; i < target->n_sites; i++)
			note_large(list, target, &target->sites[i]);
	}
}

/* --- lists of sites ------------------------------------------------------------------------------ */

#define VERDICT_COLUMN	12
#define COUNT_COLUMN	20
#define COUNT_WIDTH	10
#define FUNCTION_COLUMN 32

static void put_row(struct screen *screen, const struct report_site *site)
{
	const struct report_frame *at = &site->blocked_at;
	char count[24];

	snprintf(count, sizeof(count), "%llu", (unsigned long long)site->view.goroutines);
	screen__putf(screen, STYLE_BOLD, "  %s", site->id);
	screen__to(screen, VERDICT_COLUMN);
	screen__put(screen, STYLE_PLAIN, verdict__name(site->view.verdict));
	screen__put_right(screen, STYLE_PLAIN, count, COUNT_COLUMN, COUNT_WIDTH);
	screen__to(screen, FUNCTION_COLUMN);
	if (report__frame_known(at))
		screen__putf(screen, STYLE_PLAIN, "%s:%u", at->function, at->line);
	else
		screen__put(screen, STYLE_PLAIN, report__text(site->start_function));
	screen__end_line(screen);
}

static void put_rows(struct screen *screen, const struct found_list *list)
{
	for (size_t i = 0; i < min_of(list->n, (size_t)MAX_LISTED); i++)
		put_row(screen, list->first[i].site);
	if (list->n > MAX_LISTED)
		screen__putf(screen, STYLE_PLAIN, "  and %zu more", list->n - MAX_LISTED);
	if (list->n > MAX_LISTED)
		screen__end_line(screen);
}

static void put_too_many(struct screen *screen, const char *pattern, const struct found_list *list)
{
	screen__putf(screen, STYLE_PLAIN, "%zu sites match '", list->n);
	screen__put(screen, STYLE_PLAIN, pattern);
	screen__put(screen, STYLE_PLAIN, "'; give the id of one, or a more precise pattern:");
	screen__end_line(screen);
	put_rows(screen, list);
}

static void put_none(struct screen *screen, const char *pattern, const struct report *report)
{
	struct found_list largest = {0};

	find_largest(report, &largest);
	screen__put(screen, STYLE_PLAIN, "no site matches '");
	screen__put(screen, STYLE_PLAIN, pattern);
	screen__put(screen, STYLE_PLAIN,
		    largest.n ? "'; the largest sites are:" : "'; no goroutines seen yet");
	screen__end_line(screen);
	put_rows(screen, &largest);
}

/* --- one report ---------------------------------------------------------------------------------- */

static void put_found(struct screen *screen, const char *pattern, const struct report *report,
		      const struct found_list *list)
{
	if (!list->n)
		put_none(screen, pattern, report);
	if (list->n > EXPLAINER_MAX_SITES) {
		put_too_many(screen, pattern, list);
		return;
	}
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			screen__end_line(screen);
		explain__put(screen, report, list->first[i].target, list->first[i].site);
	}
}

static void begin(const struct explainer *explainer, struct screen *screen)
{
	struct screen_options options =
		screen_options__within(&explainer->options, SCREEN_MAX_REPORT);

	screen__init(screen, &options);
}

void explainer__message(struct explainer *explainer, const char *line)
{
	struct screen screen;

	begin(explainer, &screen);
	canvas__message(&explainer->canvas, &screen, line);
	/* What cannot be shown now is shown with the next frame. */
	if (screen__flush(&screen, explainer->out))
		return;
}

int explainer__leave(struct explainer *explainer)
{
	struct screen screen;

	begin(explainer, &screen);
	if (explainer->canvas.drawn)
		canvas__leave(&explainer->canvas, &screen);
	return screen__flush(&screen, explainer->out);
}

bool explainer__knows(const struct explainer *explainer)
{
	return explainer->meant && explainer->meant <= EXPLAINER_MAX_SITES;
}

int explainer__write(struct explainer *explainer, const struct report *report)
{
	struct found_list list = {0};
	struct screen_mark top;
	struct screen screen;

	find_meant(report, explainer->pattern, &list);
	explainer->meant = list.n;
	if (!explainer->terminal && !report__final(report) &&
	    (explainer->explained || !explainer__knows(explainer)))
		return 0;
	begin(explainer, &screen);
	if (explainer->terminal && !report__final(report)) {
		top = canvas__begin(&explainer->canvas, &screen, explainer->rows);
		put_found(&screen, explainer->pattern, report, &list);
		canvas__end(&explainer->canvas, &screen, top, canvas__rows(explainer->rows));
	} else {
		if (explainer->terminal)
			canvas__leave(&explainer->canvas, &screen);
		else if (explainer->explained)
			screen__end_line(&screen);
		put_found(&screen, explainer->pattern, report, &list);
	}
	explainer->explained |= explainer__knows(explainer);
	return screen__flush(&screen, explainer->out);
}
