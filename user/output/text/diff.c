// SPDX-License-Identifier: Apache-2.0
/* Differences for people: a line each, the worse ones first. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "output/diff.h"
#include "output/text/resources.h"
#include "output/text/screen.h"

/* Where columns begin. */
#define ID_COLUMN	 11
#define VERDICT_COLUMN	 21
#define AMOUNT_COLUMN	 32
#define FUNCTION_COLUMN	 50
#define FUNCTION_COLUMNS 48

static uint64_t alive_in(const struct report *report)
{
	uint64_t n = 0;

	for (size_t i = 0; i < report->n_targets; i++)
		n += report->targets[i].totals.alive;
	return n;
}

static void put_side(struct screen *screen, const char *name, const struct report *report)
{
	char time[CLOCK_RFC3339_SIZE], n[NUMBER_COUNT_SIZE];

	clock__rfc3339(report->realtime_ns, time);
	number__count(alive_in(report), n);
	screen__putf(screen, STYLE_DIM, "%-5s", name);
	screen__putf(screen, STYLE_PLAIN, "%.19s UTC  %s goroutines", time, n);
	screen__end_line(screen);
}

static enum style style_of(bool worse, enum diff_kind kind)
{
	if (worse)
		return STYLE_LEAKING;
	return kind == DIFF_APPEARED || kind == DIFF_GREW ? STYLE_GROWING : STYLE_GOOD;
}

/* "5 → 100"; what is not there is 0. */
static void put_amounts(struct screen *screen, const char *before, const char *now)
{
	screen__to(screen, AMOUNT_COLUMN);
	screen__putf(screen, STYLE_PLAIN, "%s → %s", before, now);
}

static void put_frame(struct screen *screen, const struct report_frame *frame,
		      const char *otherwise)
{
	const char *slash = strrchr(report__text(frame->file), '/');

	screen__to(screen, FUNCTION_COLUMN);
	if (!report__frame_known(frame)) {
		screen__put(screen, STYLE_PLAIN, otherwise);
		return;
	}
	screen__put_function(screen, STYLE_PLAIN, frame->function, FUNCTION_COLUMNS);
	screen__putf(screen, STYLE_DIM, "  %s:%u", slash ? slash + 1 : report__text(frame->file),
		     frame->line);
}

/* What all changes begin with: of what kind, of what (@name), and what was judged of that. */
static void put_change(struct screen *screen, enum diff_kind kind, bool worse, const char *name,
		       const char *verdict)
{
	screen__put(screen, style_of(worse, kind), diff_kind__name(kind));
	screen__to(screen, ID_COLUMN);
	screen__put(screen, STYLE_BOLD, name);
	screen__to(screen, VERDICT_COLUMN);
	screen__put(screen, STYLE_PLAIN, verdict);
}

static void put_site(struct screen *screen, const struct diff_site *change)
{
	const struct report_site *site = change->site ? change->site : change->old;
	char before[NUMBER_COUNT_SIZE], now[NUMBER_COUNT_SIZE];

	number__count(change->before, before);
	number__count(change->now, now);
	put_change(screen, change->kind, change->worse, site->id,
		   verdict__name(site->view.verdict));
	put_amounts(screen, before, now);
	put_frame(screen,
		  report__frame_known(&site->created_by) ? &site->created_by : &site->blocked_at,
		  report__text(site->start_function));
	if (*report__text(site->wait_reason))
		screen__putf(screen, STYLE_DIM, "  %s", site->wait_reason);
	screen__end_line(screen);
}

static void put_place(struct screen *screen, const struct diff_place *change)
{
	const struct report_alloc_site *place = change->place ? change->place : change->old;
	char before[NUMBER_BYTES_SIZE], now[NUMBER_BYTES_SIZE];

	number__bytes(change->before, before);
	number__bytes(change->now, now);
	put_change(screen, change->kind, change->worse, place->id,
		   alloc_verdict__name(place->judgement.verdict));
	put_amounts(screen, before, now);
	put_frame(screen, &place->allocated_at, "");
	screen__end_line(screen);
}

static void put_resource(struct screen *screen, const struct diff_resource *change)
{
	const struct resource_line *line = change->line ? change->line : change->old;
	char before[NUMBER_COUNT_SIZE], now[NUMBER_COUNT_SIZE];

	number__count(change->before, before);
	number__count(change->now, now);
	put_change(screen, change->kind, change->worse, resource_kind__name(line->place.kind),
		   resource_verdict__name(line->place.verdict));
	put_amounts(screen, before, now);
	screen__to(screen, FUNCTION_COLUMN);
	screen__put(screen, STYLE_DIM, "held by ");
	screen__put(screen, STYLE_PLAIN, text_part__resource_holder(line));
	if (*line->calls)
		screen__putf(screen, STYLE_DIM, ", calls %s", line->calls);
	screen__end_line(screen);
}

int diff__write_text(FILE *out, const struct diff *diff, const struct screen_options *options)
{
	const struct screen_options within = screen_options__within(options, SCREEN_MAX_REPORT);
	struct screen screen;

	screen__init(&screen, &within);
	put_side(&screen, "old", diff->old);
	put_side(&screen, "new", diff->report);
	screen__end_line(&screen);
	for (size_t i = 0; i < diff->n_sites; i++)
		put_site(&screen, &diff->sites[i]);
	if (diff->n_places && diff->n_sites)
		screen__end_line(&screen);
	for (size_t i = 0; i < diff->n_places; i++)
		put_place(&screen, &diff->places[i]);
	if (diff->n_resources && (diff->n_sites || diff->n_places))
		screen__end_line(&screen);
	for (size_t i = 0; i < diff->n_resources; i++)
		put_resource(&screen, &diff->resources[i]);
	if (!diff->n_sites && !diff->n_places && !diff->n_resources)
		screen__put(&screen, STYLE_GOOD, "Nothing has changed that matters");
	else if (diff->worse)
		screen__putf(&screen, STYLE_LEAKING, "Worse: %zu that leak, are stuck or grow",
			     diff->worse);
	else
		screen__put(&screen, STYLE_GOOD, "Nothing is worse");
	screen__end_line(&screen);
	return screen__flush(&screen, out);
}
