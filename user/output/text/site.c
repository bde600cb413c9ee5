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
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/utf8.h"
#include "output/shorten.h"
#include "output/text/parts.h"

#define LABEL_COLUMNS 12   /* "created at" and two blanks */
#define STEADY_BELOW  0.05 /* goroutines a minute */
#define ID_MARGIN     100U /* beyond, wider screens only move the id away from its site */
#define MAX_FRAMES    128
#define MAX_WHY_LINES 4
#define MAX_OBJECTS   2	 /* shared ones; the first says most */
#define MIN_LOCATION  16 /* what a function's name leaves for its file and line */
#define MIN_PATH      34 /* the same in a stack, where the path is told too */
#define MIN_FILE      8	 /* a location in fewer columns says nothing */

#define INLINED " (inlined)"
#define SURE	"%u %% sure"

const char *text_part__wait_words(const struct report_site *site)
{
	if (site->wait_reason && *site->wait_reason)
		return site->wait_reason;
	return site->goroutines ? "running" : "none left";
}

/* "+120/min", "-0.5/min"; empty when steady. */
#define GROWTH_SIZE (SHORTEN_RATE_SIZE + sizeof("+/min"))
static void growth_words(const struct report_site *site, char out[GROWTH_SIZE])
{
	char rate[SHORTEN_RATE_SIZE];
	double growth = site->growth_per_minute;

	out[0] = '\0';
	if (growth < STEADY_BELOW && growth > -STEADY_BELOW)
		return;
	shorten__rate(growth, rate);
	snprintf(out, GROWTH_SIZE, "%s%s/min", growth > 0 ? "+" : "", rate);
}

enum style text_part__verdict_style(const struct report_site *site)
{
	static const struct {
		const char *verdict;
		enum style style;
	} styles[] = {
		{"leaking", STYLE_LEAKING},
		{"stuck", STYLE_STUCK},
		{"growing", STYLE_GROWING},
	};

	for (size_t i = 0; i < ARRAY_SIZE(styles); i++) {
		if (strcmp(report__text(site->verdict), styles[i].verdict) == 0)
			return styles[i].style;
	}
	return STYLE_DIM;
}

static void widen(unsigned int *column, const char *text, unsigned int limit)
{
	unsigned int width = (unsigned int)min_of(utf8__width(text), (size_t)limit);

	*column = max_of(*column, width);
}

void text_part__columns_add(struct site_columns *columns, const struct report_site *site)
{
	char count[SHORTEN_COUNT_SIZE], growth[GROWTH_SIZE];

	shorten__count(site->goroutines, count);
	growth_words(site, growth);
	widen(&columns->verdict, report__text(site->verdict), MAX_VERDICT);
	if (site->suspect)
		columns->confidence = strlen("99 %");
	widen(&columns->count, count, SHORTEN_COUNT_SIZE);
	widen(&columns->wait, text_part__wait_words(site), MAX_WAIT);
	widen(&columns->growth, growth, GROWTH_SIZE);
}

/*
 * "all parked, longest 41s"; on a line of its own where the screen is too narrow. With @sure it
 * says how sure gleakd is as well.
 */
static void put_parked(struct screen *screen, const struct report_site *site, bool sure)
{
	char longest[DURATION_SIZE], count[SHORTEN_COUNT_SIZE], text[160];
	double seconds = site->parked ? site->oldest_park_seconds : site->oldest_age_seconds;

	duration__format(duration__from_seconds(seconds), longest);
	shorten__count(site->parked, count);
	if (site->parked == 0)
		snprintf(text, sizeof(text), "none parked, oldest %s", longest);
	else
		snprintf(text, sizeof(text), "%s parked, longest %s",
			 site->parked < site->goroutines ? count : "all", longest);
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

	snprintf(name, sizeof(name), "%s", report__text(site->verdict));
	for (char *c = name; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	screen__put(screen, text_part__verdict_style(site), name);
}

unsigned int text_part__wait_and_growth(struct screen *screen, const struct site_columns *columns,
					const struct report_site *site, unsigned int column)
{
	char growth[GROWTH_SIZE];

	screen__to(screen, column);
	screen__put_owned(screen, STYLE_PLAIN,
			  shorten__text(text_part__wait_words(site), MAX_WAIT));
	column += columns->wait + 2;
	if (columns->growth == 0)
		return column;
	growth_words(site, growth);
	screen__put_right(screen, STYLE_PLAIN, growth, column, columns->growth);
	return column + columns->growth + 2;
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
	if (site->suspect)
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
	shorten__count(site->goroutines, count);
	screen__put_right(screen, STYLE_BOLD, count, column, columns->count);
	screen__put(screen, STYLE_BOLD, site->goroutines == 1 ? " goroutine" : " goroutines");
	column += columns->count + (unsigned int)strlen(" goroutines  ");
	column = text_part__wait_and_growth(screen, columns, site, column);
	screen__to(screen, column);
	put_parked(screen, site, site->suspect && !fits);
	if (screen->column + 2 <= id_column) {
		screen__to(screen, id_column);
		screen__put(screen, STYLE_DIM, site->id);
	}
	screen__end_line(screen);
}

static void put_location(struct screen *screen, enum style style, const struct report_frame *frame,
			 const char *file, unsigned int width)
{
	if (frame->line)
		screen__put_owned(screen, style, shorten__location(file, frame->line, width));
	else
		screen__put_owned(screen, style, shorten__text(file, width));
}

void text_part__frame(struct screen *screen, enum style style, const struct report_frame *frame,
		      unsigned int function_columns, bool whole_path)
{
	unsigned int location = screen->column + function_columns + 2;
	unsigned int note = whole_path && frame->inlined ? (unsigned int)strlen(INLINED) : 0;
	const char *file = report__text(frame->file);

	screen__put_owned(screen, style, shorten__function(frame->function, function_columns));
	if (*file && location + note + MIN_FILE <= screen->columns) {
		screen__to(screen, location);
		put_location(screen, style, frame, whole_path ? file : shorten__base_name(file),
			     screen->columns - location - note);
	}
	if (note)
		screen__put(screen, STYLE_DIM, INLINED);
}

void text_part__label(struct screen *screen, const char *label)
{
	screen__to(screen, BLOCK_INDENT);
	screen__put(screen, STYLE_DIM, label);
	screen__to(screen, BLOCK_INDENT + LABEL_COLUMNS);
}

static unsigned int function_limit(const struct screen *screen, unsigned int location)
{
	unsigned int room = screen->columns - (BLOCK_INDENT + LABEL_COLUMNS) - 2;

	/* On a narrow screen they share. */
	return max_of(room - min_of(room, location), room / 2);
}

static void put_place(struct screen *screen, const char *label, const struct report_frame *frame,
		      unsigned int function_columns)
{
	text_part__label(screen, label);
	if (report__frame_known(frame))
		text_part__frame(screen, STYLE_PLAIN, frame, function_columns, false);
	else
		screen__put(screen, STYLE_DIM, "not known");
	screen__end_line(screen);
}

/* "main.f.gowrap12" */
static bool is_go_wrapper(const char *function)
{
	const char *dot = strrchr(function, '.');
	size_t digits;

	if (!dot || strncmp(dot, ".gowrap", strlen(".gowrap")) != 0)
		return false;
	dot += strlen(".gowrap");
	digits = strspn(dot, "0123456789");
	return digits > 0 && dot[digits] == '\0';
}

const char *text_part__runs(const struct report_site *site)
{
	const char *start = report__text(site->start_function);
	const struct report_frame *outermost;

	if (site->n_stack == 0 || !is_go_wrapper(start))
		return start;
	outermost = &site->stack[site->n_stack - 1];
	return report__frame_known(outermost) ? outermost->function : start;
}

static void put_places(struct screen *screen, const struct report_site *site)
{
	unsigned int limit = function_limit(screen, MIN_LOCATION), width = MIN_FUNCTION;
	const char *runs = text_part__runs(site);
	const char *blocked = site->blocked_at.function;

	if (report__frame_known(&site->created_by))
		widen(&width, site->created_by.function, limit);
	if (report__frame_known(&site->blocked_at))
		widen(&width, blocked, limit);
	put_place(screen, "created at", &site->created_by, width);
	/* What the go statement runs; most often it is also where it blocks. */
	if (*runs && (!blocked || strcmp(runs, blocked) != 0)) {
		text_part__label(screen, "runs");
		screen__put_owned(screen, STYLE_PLAIN,
				  shorten__function(runs, screen__room(screen)));
		screen__end_line(screen);
	}
	put_place(screen, "blocked at", &site->blocked_at, width);
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
	for (size_t i = 0; i < site->n_why; i++) {
		text_part__label(screen, i == 0 ? "why" : "");
		screen__wrap(screen, STYLE_PLAIN, report__text(site->why[i]), MAX_WHY_LINES);
	}
}

/* The service's own frames stand out; those that were inlined have no frame on the real stack. */
void text_part__stack(struct screen *screen, const struct report_site *site)
{
	unsigned int limit = function_limit(screen, MIN_PATH), width = MIN_FUNCTION;
	size_t shown = min_of(site->n_stack, (size_t)MAX_FRAMES);

	for (size_t i = 0; i < shown; i++) {
		if (report__frame_known(&site->stack[i]))
			widen(&width, site->stack[i].function, limit);
	}
	for (size_t i = 0; i < shown; i++) {
		struct report_frame frame = site->stack[i];

		text_part__label(screen, i == 0 ? "stack" : "");
		if (!report__frame_known(&frame))
			frame.function = "?";
		text_part__frame(screen, frame.own ? STYLE_BOLD : STYLE_PLAIN, &frame, width, true);
		screen__end_line(screen);
	}
	if (shown < site->n_stack) {
		text_part__label(screen, "");
		screen__putf(screen, STYLE_DIM, ELLIPSIS " and %zu more frames",
			     site->n_stack - shown);
		screen__end_line(screen);
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
