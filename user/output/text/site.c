// SPDX-License-Identifier: Apache-2.0
/*
 * The block of a flagged site:
 *
 *	LEAKING  94 % sure  503 goroutines  chan send  +120/min  all parked, longest 41s  a1b2c3d4
 *	         these are   senders of a result that nobody fetched
 *	         created at  main.(*Server).handle  server.go:42
 *	         blocked at  main.fetch.func1       fetch.go:17
 *	         why         503 goroutines parked here, none that stayed 10s ever left
 *	         waiting on  all 503 wait on one channel 0xc000123040 (unbuffered, 503 senders, ...)
 */
#include "output/text/site.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "output/shorten.h"
#include "output/text/block.h"
#include "output/text/objects.h"

#define ID_MARGIN     100U /* beyond, wider screens only move the id away from its site */
#define MAX_WHY_LINES 4
#define MAX_OBJECTS   2	 /* shared ones; the first says most */
#define MIN_LOCATION  16 /* what a function's name leaves for its file and line */

#define SURE "%u %% sure"

/*
 * "all parked, longest 41s"; on a line of its own where the screen is too narrow. With @sure it
 * says how sure gleakd is as well.
 */
static void put_parked(struct screen *screen, const struct report_site *site, bool sure)
{
	char longest[DURATION_SIZE], count[SHORTEN_COUNT_SIZE], text[160];
	const struct site_view *view = &site->view;

	duration__format(view->parked ? view->oldest_park_ns : view->oldest_age_ns, longest);
	shorten__count(site->view.parked, count);
	if (site->view.parked == 0)
		snprintf(text, sizeof(text), "none parked, oldest %s", longest);
	else
		snprintf(text, sizeof(text), "%s parked, longest %s",
			 site->view.parked < site->view.goroutines ? count : "all", longest);
	if (sure || screen__room(screen) < strlen(text)) {
		screen__end_line(screen);
		screen__to(screen, BLOCK_INDENT);
	}
	if (sure)
		screen__putf(screen, STYLE_BOLD, SURE "; ", report__percent(site));
	screen__put(screen, STYLE_PLAIN, text);
}

/* "LEAKING": whoever reads without colours sees it too. */
static void put_verdict(struct screen *screen, const struct report_site *site)
{
	char name[MAX_VERDICT + 1];

	snprintf(name, sizeof(name), "%s", verdict__name(site->view.verdict));
	for (char *c = name; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	screen__put(screen, text_part__verdict_style(site), name);
}

/* Whether "94 % sure" has room beside the other columns. */
static bool confidence_fits(const struct screen *screen, const struct site_columns *columns)
{
	unsigned int used = BLOCK_INDENT + columns->confidence + (unsigned int)strlen(" sure  ") +
			    columns->count + (unsigned int)strlen(" goroutines  ") + columns->wait +
			    (columns->growth ? 2 + columns->growth : 0);

	return used <= screen->columns;
}

/* "94 % sure", aligned with those above and below. Returns where the next column begins. */
static unsigned int put_confidence(struct screen *screen, const struct site_columns *columns,
				   const struct report_site *site)
{
	char text[32];
	unsigned int width = columns->confidence + (unsigned int)strlen(" sure");

	snprintf(text, sizeof(text), SURE, report__percent(site));
	if (verdict__is_suspect(site->view.verdict))
		screen__put_right(screen, STYLE_BOLD, text, BLOCK_INDENT, width);
	return BLOCK_INDENT + width + 2;
}

static void put_headline(struct screen *screen, const struct site_columns *columns,
			 const struct report_site *site)
{
	char count[SHORTEN_COUNT_SIZE];
	unsigned int column = BLOCK_INDENT;
	unsigned int id_column =
		min_of(screen->columns, ID_MARGIN) - (unsigned int)strlen(site->id);
	bool fits = columns->confidence && confidence_fits(screen, columns);

	put_verdict(screen, site);
	if (fits)
		column = put_confidence(screen, columns, site);
	shorten__count(site->view.goroutines, count);
	screen__put_right(screen, STYLE_BOLD, count, column, columns->count);
	screen__put(screen, STYLE_BOLD, site->view.goroutines == 1 ? " goroutine" : " goroutines");
	column += columns->count + (unsigned int)strlen(" goroutines  ");
	column = text_part__wait_and_growth(screen, columns, site, column);
	screen__to(screen, column);
	put_parked(screen, site, verdict__is_suspect(site->view.verdict) && !fits);
	if (screen->column + 2 <= id_column) {
		screen__to(screen, id_column);
		screen__put(screen, STYLE_DIM, site->id);
	}
	screen__end_line(screen);
}

static void put_places(struct screen *screen, const struct report_site *site)
{
	unsigned int limit = text_part__function_limit(screen, MIN_LOCATION), width = MIN_FUNCTION;
	const char *runs = text_part__runs(site);
	const char *blocked = site->blocked_at.function;

	if (report__frame_known(&site->created_by))
		text_part__widen(&width, site->created_by.function, limit);
	if (report__frame_known(&site->blocked_at))
		text_part__widen(&width, blocked, limit);
	text_part__place(screen, "created at", &site->created_by, width);
	/* What the go statement runs; most often it is also where it blocks. */
	if (*runs && (!blocked || strcmp(runs, blocked) != 0)) {
		text_part__label(screen, "runs");
		screen__put_owned(screen, STYLE_PLAIN,
				  shorten__function(runs, screen__room(screen)));
		screen__end_line(screen);
	}
	text_part__place(screen, "blocked at", &site->blocked_at, width);
}

static void put_meaning(struct screen *screen, const struct report_site *site)
{
	if (!site->meaning || !*site->meaning)
		return;
	text_part__label(screen, "these are");
	screen__wrap(screen, STYLE_PLAIN, site->meaning, MAX_WHY_LINES);
}

static void put_why(struct screen *screen, const struct report_site *site)
{
	for (size_t i = 0; i < site->view.n_why; i++) {
		text_part__label(screen, i == 0 ? "why" : "");
		screen__wrap(screen, STYLE_PLAIN, site->view.why[i], MAX_WHY_LINES);
	}
}

void text_part__site(struct screen *screen, const struct site_columns *columns,
		     const struct report_site *site, enum site_detail detail)
{
	put_headline(screen, columns, site);
	if (detail >= SITE_PLACES) {
		put_meaning(screen, site);
		put_places(screen, site);
	}
	if (detail >= SITE_EVIDENCE) {
		put_why(screen, site);
		text_part__objects(screen, site, detail >= SITE_STACK ? SIZE_MAX : MAX_OBJECTS);
	}
	if (detail >= SITE_STACK)
		text_part__stack(screen, site);
}
