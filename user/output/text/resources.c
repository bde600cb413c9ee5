// SPDX-License-Identifier: Apache-2.0
#include "output/text/resources.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/hash.h"
#include "base/number.h"
#include "output/report.h"
#include "output/text/block.h"

#define MAX_PLACES  15u
#define MAX_LINES   3u /* of one text */
#define MAX_CALLERS 3u
#define EXAMPLE	    12u
#define MIN_HOLDER  24u
/* Columns, by where they end: open, opened, closed, a minute, seen for. */
#define KIND	   10u
#define OPEN_END   20u
#define OPENED_END 29u
#define CLOSED_END 38u
#define MINUTE_END 48u
#define OLDEST_END 57u
#define HELD_BY	   59u

static void put_count(struct screen *screen, uint64_t n, unsigned int from, unsigned int to)
{
	char text[NUMBER_COUNT_SIZE];

	number__count(n, text);
	screen__put_right(screen, from == KIND ? STYLE_BOLD : STYLE_PLAIN, text, from, to - from);
}

static void put_head(struct screen *screen, const struct resource_lines *lines)
{
	screen__put(screen, STYLE_DIM, "kind");
	screen__put_right(screen, STYLE_DIM, "open", KIND, OPEN_END - KIND);
	if (lines->looks > 1) {
		screen__put_right(screen, STYLE_DIM, "opened", OPEN_END, OPENED_END - OPEN_END);
		screen__put_right(screen, STYLE_DIM, "closed", OPENED_END, CLOSED_END - OPENED_END);
		screen__put_right(screen, STYLE_DIM, "a minute", CLOSED_END,
				  MINUTE_END - CLOSED_END);
		screen__put_right(screen, STYLE_DIM, "seen for", MINUTE_END,
				  OLDEST_END - MINUTE_END);
	}
	screen__next(screen, lines->looks > 1 ? HELD_BY : OPEN_END + 2);
	screen__put(screen, STYLE_DIM, "held by");
	screen__end_line(screen);
}

static void put_changes(struct screen *screen, const struct resource_place *place)
{
	char rate[NUMBER_RATE_SIZE + 2], duration[DURATION_SIZE];
	double per_minute = place->per_minute < 0 ? -place->per_minute : place->per_minute;

	put_count(screen, place->opened, OPEN_END, OPENED_END);
	put_count(screen, place->closed, OPENED_END, CLOSED_END);
	rate[0] = place->per_minute < 0 ? '-' : '+';
	number__rate(per_minute, rate + 1);
	screen__put_right(screen, STYLE_PLAIN, per_minute > 0 ? rate : "0", CLOSED_END,
			  MINUTE_END - CLOSED_END);
	duration__format(place->oldest_ns / NSEC_PER_SEC * NSEC_PER_SEC, duration);
	screen__put_right(screen, STYLE_PLAIN, duration, MINUTE_END, OLDEST_END - MINUTE_END);
}

const char *text_part__resource_holder(const struct resource_line *line)
{
	if (line->n_held_by)
		return line->held_by[0];
	if (line->place.kind == RESOURCE_TIMER || line->place.kind == RESOURCE_TICKER)
		return "the runtime";
	return line->place.held ? "something of no known type" : "nothing";
}

static void put_holder(struct screen *screen, const struct resource_line *line)
{
	unsigned int room = screen__room(screen);

	if (*line->calls)
		room = max_of(room / 2, (unsigned int)MIN_HOLDER);
	screen__put_way(screen, line->n_held_by ? STYLE_PLAIN : STYLE_DIM,
			text_part__resource_holder(line), room);
	if (*line->calls)
		screen__putf(screen, STYLE_DIM, ", calls %s", line->calls);
}

static void put_example(struct screen *screen, enum style style, const char *text)
{
	screen__to(screen, EXAMPLE);
	screen__wrap(screen, style, text, MAX_LINES);
}

static bool is_same_frame(const struct report_frame *a, const struct report_frame *b)
{
	return a->line == b->line && !strcmp(report__text(a->file), report__text(b->file)) &&
	       !strcmp(report__text(a->function), report__text(b->function));
}

/* The program's own calls that led to that line. */
static void put_callers(struct screen *screen, const struct resource_opened_at *opened)
{
	size_t from = 0, shown = 0;

	while (from < opened->n_stack && !is_same_frame(&opened->stack[from], opened->at))
		from++;
	for (size_t i = from + 1; i < opened->n_stack && shown < MAX_CALLERS; i++) {
		if (!opened->stack[i].own)
			continue;
		shown++;
		screen__to(screen, EXAMPLE);
		screen__put(screen, STYLE_DIM, "called by ");
		text_part__frame(screen, STYLE_DIM, &opened->stack[i],
				 (unsigned int)text_part__function_width(&opened->stack[i]), false);
		screen__end_line(screen);
	}
}

/* Of those whose opening was seen. */
static void put_openers(struct screen *screen, const struct resource_line *line)
{
	bool grows = line->place.verdict == RESOURCE_GROWING;

	/* Where it is deferred is who holds it. */
	for (size_t i = 0; i < line->place.n_openers && line->place.kind != RESOURCE_DEFER; i++) {
		const struct resource_opened_at *opened = &line->opened_at[i];
		char count[NUMBER_COUNT_SIZE];

		if (!line->place.openers[i].outstanding)
			continue;
		number__count(line->place.openers[i].outstanding, count);
		screen__to(screen, EXAMPLE);
		screen__putf(screen, STYLE_DIM, "%s opened at ", count);
		if (opened->at)
			text_part__frame(screen, grows ? STYLE_GROWING : STYLE_PLAIN, opened->at,
					 (unsigned int)text_part__function_width(opened->at),
					 false);
		else
			screen__put(screen, STYLE_PLAIN, "other lines");
		if (grows && line->place.openers[i].per_minute > 0) {
			char rate[NUMBER_RATE_SIZE];

			number__rate(line->place.openers[i].per_minute, rate);
			screen__putf(screen, STYLE_DIM, ", +%s a minute", rate);
		}
		screen__end_line(screen);
		if (!i && grows && opened->at)
			put_callers(screen, opened);
	}
}

/* Of a pool: how many each line takes and puts back. */
static void put_users(struct screen *screen, const struct resource_line *line)
{
	for (size_t i = 0; i < line->place.n_openers; i++) {
		const struct resource_opened_at *opened = &line->opened_at[i];
		bool lost = line->place.openers[i].verdict == RESOURCE_REUSE_LOST;

		screen__to(screen, EXAMPLE);
		screen__putf(screen, STYLE_DIM, "%" PRIu64 " taken, %" PRIu64 " put back at ",
			     line->place.openers[i].opened, line->place.openers[i].closed);
		if (opened->at)
			text_part__frame(screen, lost ? STYLE_GROWING : STYLE_PLAIN, opened->at,
					 (unsigned int)text_part__function_width(opened->at),
					 false);
		else
			screen__put(screen, STYLE_PLAIN, "other lines");
		screen__end_line(screen);
	}
}

static void put_also(struct screen *screen, const char *holder)
{
	screen__to(screen, EXAMPLE);
	screen__put(screen, STYLE_DIM, "also held by ");
	screen__put_way(screen, STYLE_PLAIN, holder, screen__room(screen));
	screen__end_line(screen);
}

/* It grows, or is a pool that is of no use. */
static bool is_told(const struct resource_line *line)
{
	return line->place.verdict == RESOURCE_GROWING ||
	       line->place.verdict == RESOURCE_REUSE_LOST;
}

static void put_line(struct screen *screen, const struct resource_lines *lines,
		     const struct resource_line *line, bool all)
{
	bool grows = is_told(line);
	size_t examples =
		grows || all ? line->place.n_examples : min_of(line->place.n_examples, (size_t)1);

	screen__put(screen, grows ? STYLE_GROWING : STYLE_PLAIN,
		    resource_kind__name(line->place.kind));
	put_count(screen, line->place.outstanding, KIND, OPEN_END);
	if (lines->looks > 1)
		put_changes(screen, &line->place);
	screen__next(screen, lines->looks > 1 ? HELD_BY : OPEN_END + 2);
	put_holder(screen, line);
	screen__end_line(screen);
	for (size_t i = 0; i < line->n_why; i++)
		put_example(screen, grows ? STYLE_GROWING : STYLE_DIM, line->why[i]);
	if (line->place.kind == RESOURCE_POOL)
		put_users(screen, line);
	else
		put_openers(screen, line);
	for (size_t i = 1; i < line->n_held_by; i++)
		put_also(screen, line->held_by[i]);
	for (size_t i = 0; i < examples; i++)
		put_example(screen, STYLE_DIM, line->examples[i]);
}

static void put_watched(struct screen *screen, const struct resource_lines *lines)
{
	const struct resource_openings *openings = &lines->openings;

	if (!lines->watched || (!openings->windows && !openings->pool_seen && !*openings->missing))
		return;
	if (openings->pool_seen) {
		screen__put_owned(screen, STYLE_DIM, number__counted(openings->pool_seen, "use"));
		screen__put(screen, STYLE_DIM, " of pools seen by probes in ");
		screen__put_owned(screen, STYLE_DIM,
				  number__counted(openings->pool_windows, "window"));
		if (openings->pool_lost)
			screen__putf(screen, STYLE_DIM, ", %" PRIu64 " lost", openings->pool_lost);
		screen__end_line(screen);
	}
	if (openings->windows) {
		screen__put_owned(screen, STYLE_DIM, number__counted(openings->seen, "opening"));
		screen__put(screen, STYLE_DIM, " seen by probes in ");
		screen__put_owned(screen, STYLE_DIM, number__counted(openings->windows, "window"));
		if (openings->lost)
			screen__putf(screen, STYLE_DIM, ", %" PRIu64 " lost", openings->lost);
		screen__end_line(screen);
	}
	if (*openings->missing) {
		screen__put(screen, STYLE_DIM, "who opens them cannot be seen: ");
		screen__wrap(screen, STYLE_DIM, openings->missing, MAX_LINES);
	}
}

/* Where not all places are shown: how much of each kind is open at all of them. */
static void put_kinds(struct screen *screen, const struct resource_lines *lines)
{
	uint64_t counts[RESOURCE_KINDS] = {0};
	const char *before = "in all ";

	for (size_t i = 0; i < lines->n; i++) {
		if (lines->all[i].place.kind < RESOURCE_KINDS)
			counts[lines->all[i].place.kind] += lines->all[i].place.outstanding;
	}
	for (enum resource_kind kind = 0; kind < RESOURCE_KINDS; kind++) {
		char count[NUMBER_COUNT_SIZE];

		if (!counts[kind] || kind == RESOURCE_POOL)
			continue;
		number__count(counts[kind], count);
		screen__putf(screen, STYLE_DIM, "%s%s %s", before, count,
			     resource_kind__name(kind));
		before = ", ";
	}
	screen__end_line(screen);
}

static void put_end(struct screen *screen, const struct resource_lines *lines, size_t shown)
{
	size_t more = lines->n - shown + lines->left_out;
	char duration[DURATION_SIZE];

	if (more) {
		screen__put_owned(screen, STYLE_DIM, number__counted(more, "place"));
		screen__put(screen, STYLE_DIM, " more; --all shows them");
		screen__end_line(screen);
		if (!lines->left_out)
			put_kinds(screen, lines);
	}
	if (lines->refused) {
		screen__put_owned(screen, STYLE_DIM, number__counted(lines->refused, "object"));
		screen__put(screen, STYLE_DIM, " could not be read, or were too many");
		screen__end_line(screen);
	}
	put_watched(screen, lines);
	duration__format(lines->elapsed_ns / NSEC_PER_SEC * NSEC_PER_SEC, duration);
	if (lines->looks > 1 && lines->looks < RESOURCE_MIN_LOOKS)
		screen__putf(screen, STYLE_DIM,
			     "what grows would take %d looks to tell; a longer --duration has them",
			     RESOURCE_MIN_LOOKS);
	else if (lines->looks > 1 && (!lines->n || lines->all[0].place.verdict != RESOURCE_GROWING))
		screen__putf(screen, STYLE_GOOD, "in %s nothing was opened that is never closed",
			     duration);
	else
		return;
	screen__end_line(screen);
}

/* What is open: pools that are of use have nothing open, and of a place may be that all of it was closed since. */
static bool is_open(const struct resource_line *line)
{
	return line->place.outstanding && line->place.kind != RESOURCE_POOL;
}

void text_part__resources(struct screen *screen, const struct resource_lines *lines, bool all)
{
	size_t shown = 0;

	screen__end_line(screen);
	for (size_t i = 0; i < lines->n; i++) {
		const struct resource_line *line = &lines->all[i];

		if (!all && !is_told(line) && (shown >= MAX_PLACES || !is_open(line)))
			continue;
		if (!shown++)
			put_head(screen, lines);
		put_line(screen, lines, line, all);
	}
	if (!shown) {
		screen__put(screen, STYLE_PLAIN, "nothing is open");
		screen__end_line(screen);
	}
	put_end(screen, lines, shown);
}

/* --- in a watch --------------------------------------------------------------------------------- */

static size_t count_lost_pools(const struct resource_lines *lines)
{
	size_t first = report__count_growing_resources(lines), n = 0;

	while (lines && first + n < lines->n &&
	       lines->all[first + n].place.verdict == RESOURCE_REUSE_LOST)
		n++;
	return n;
}

size_t text_part__told_resources(const struct resource_lines *lines)
{
	return report__count_growing_resources(lines) + count_lost_pools(lines);
}

/* By probes, here. */
static bool is_watched(const struct resource_lines *lines)
{
	return lines->watched && !*report__text(lines->openings.missing);
}

static void put_growing_header(struct screen *screen, const struct resource_lines *lines, size_t n)
{
	screen__put(screen, STYLE_GROWING, "opened and not closed");
	screen__put(screen, STYLE_PLAIN, ", more and more, at ");
	screen__put_owned(screen, STYLE_BOLD, number__counted(n, "place"));
	if (!is_watched(lines))
		screen__put(screen, STYLE_DIM, "; gleakd resources finds out which lines open it");
	screen__end_line(screen);
	put_head(screen, lines);
}

static void put_pools_header(struct screen *screen, const struct resource_lines *lines, size_t n)
{
	screen__put(screen, STYLE_GROWING, "taken and not put back");
	screen__put(screen, STYLE_PLAIN, ", from ");
	screen__put_owned(screen, STYLE_BOLD, number__counted(n, "pool"));
	screen__end_line(screen);
	put_head(screen, lines);
}

void text_part__resource_news(struct screen *screen, const struct text_news *news,
			      const struct report_target *target, size_t max)
{
	const struct resource_lines *lines = target->resources;
	size_t n = text_part__told_resources(lines), shown = 0;

	for (size_t i = 0; i < n && shown < max; i++) {
		if (!text_news__resource(news, target, &lines->all[i]))
			continue;
		screen__end_line(screen);
		if (lines->all[i].place.verdict == RESOURCE_GROWING)
			put_growing_header(screen, lines, 1);
		else
			put_pools_header(screen, lines, 1);
		put_line(screen, lines, &lines->all[i], false);
		shown++;
	}
}

/* @n of them from @first on, @max at most. */
static void put_told(struct screen *screen, const struct resource_lines *lines, size_t first,
		     size_t n, size_t max, const char *what)
{
	for (size_t i = 0; i < min_of(n, max); i++)
		put_line(screen, lines, &lines->all[first + i], false);
	if (n > max) {
		screen__to(screen, EXAMPLE);
		screen__put_owned(screen, STYLE_DIM, number__counted(n - max, what));
		screen__end_line(screen);
	}
	screen__end_line(screen);
}

void text_part__growing_resources(struct screen *screen, const struct resource_lines *lines,
				  size_t max)
{
	size_t n = report__count_growing_resources(lines), pools = count_lost_pools(lines);

	if (n && max) {
		put_growing_header(screen, lines, n);
		put_told(screen, lines, 0, n, max, "more place");
	}
	if (pools && max) {
		put_pools_header(screen, lines, pools);
		put_told(screen, lines, n, pools, max, "more pool");
	}
}

/* --- one of them -------------------------------------------------------------------------------- */

void text_part__resource(struct screen *screen, const struct resource_lines *lines,
			 const struct resource_line *line)
{
	put_head(screen, lines);
	put_line(screen, lines, line, true);
}

void text_part__resource_id(const struct resource_line *line, char id[9])
{
	const char *holder = line->n_held_by ? line->held_by[0] : line->calls;
	uint64_t hash = hash__bytes((uint64_t)line->place.kind, holder, strlen(holder));

	snprintf(id, 9, "%08x", (uint32_t)(hash ^ hash >> 32));
}
