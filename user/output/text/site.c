// SPDX-License-Identifier: Apache-2.0
/*
 * The block of a flagged site:
 *
 *	LEAKING  a1b2c3d4  94 % sure  503 goroutines  chan send  +120/min  all parked, longest 41s
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
#include "base/cleanup.h"
#include "base/number.h"
#include "output/text/block.h"
#include "output/repair.h"
#include "output/text/objects.h"

#define MAX_WHY_LINES  4
#define MAX_OBJECTS    2  /* shared ones; the first says most */
#define MAX_COMPANIONS 16 /* other sites of the finding */
#define MIN_LOCATION   16 /* what a function's name leaves for its file and line */

#define SURE "%u %% sure"

/* Where the names of other sites of the finding begin, behind "with each" and the id. */
#define COMPANION_COLUMN (12 + SITE_ID_COLUMNS + 2)

/* Where a headline goes on behind the verdict and the id. */

/* What a narrow screen has no room for on the first line. */
struct overflow {
	bool confidence, growth;
};

/* "all parked, longest 41s"; on a line of its own, with what else had no room, if need be. */
static void put_parked(struct screen *screen, const struct report_site *site,
		       const struct overflow *over)
{
	char longest[DURATION_SIZE], count[NUMBER_COUNT_SIZE], growth[SITE_GROWTH_SIZE];
	const struct site_view *view = &site->view;
	char running[NUMBER_COUNT_SIZE], text[320];
	size_t used;

	duration__format(view->parked ? view->oldest_park_ns : view->oldest_age_ns, longest);
	number__count(view->parked, count);
	if (view->parked == 0)
		snprintf(text, sizeof(text), "none parked, oldest %s", longest);
	else
		snprintf(text, sizeof(text), "%s parked, longest %s",
			 view->parked < view->goroutines ? count : "all", longest);
	used = strlen(text);
	number__count(view->running, running);
	if (view->running)
		snprintf(text + used, sizeof(text) - used, ", %s %s", running,
			 view->in_syscall ? "in system calls" : "running");
	if (over->confidence || over->growth ||
	    (!screen->options.whole && screen__room(screen) < strlen(text))) {
		screen__end_line(screen);
		screen__to(screen, BLOCK_INDENT);
	}
	if (over->confidence)
		screen__putf(screen, STYLE_BOLD, SURE "; ", report__percent(site));
	text_part__growth_words(site, growth);
	if (over->growth && growth[0])
		screen__putf(screen, STYLE_PLAIN, "%s; ", growth);
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

/* Where what comes after the site's id begins; the longest verdict reaches into the id's column. */
static unsigned int after_id(const struct report_site *site)
{
	unsigned int id = (unsigned int)strlen(verdict__name(site->view.verdict)) + 2;

	return max_of(id, (unsigned int)BLOCK_INDENT) + SITE_ID_COLUMNS + 2;
}

/* Drops from @columns what does not fit on a line: the confidence, then the growth. */
static struct overflow fit(const struct screen *screen, struct site_columns *columns,
			   unsigned int column)
{
	unsigned int used = column + columns->count + (unsigned int)strlen(" goroutines  ") +
			    columns->wait + (columns->growth ? 2 + columns->growth : 0);
	unsigned int sure = columns->confidence + (unsigned int)strlen(" sure  ");
	struct overflow over = {0};

	if (screen->options.whole)
		return over;
	if (columns->confidence && used + sure > screen->options.columns) {
		over.confidence = true;
		columns->confidence = 0;
	}
	if (columns->growth && used > screen->options.columns) {
		over.growth = true;
		columns->growth = 0;
	}
	return over;
}

/* "94 % sure", aligned with those above and below. Returns where the next column begins. */
static unsigned int put_confidence(struct screen *screen, const struct site_columns *columns,
				   const struct report_site *site, unsigned int column)
{
	char text[32];
	unsigned int width = columns->confidence + (unsigned int)strlen(" sure");

	snprintf(text, sizeof(text), SURE, report__percent(site));
	if (verdict__is_suspect(site->view.verdict))
		screen__put_right(screen, STYLE_BOLD, text, column, width);
	return column + width + 2;
}

static void put_headline(struct screen *screen, const struct site_columns *widths,
			 const struct report_site *site)
{
	struct site_columns columns = *widths;
	unsigned int column = after_id(site);
	struct overflow over = fit(screen, &columns, column);
	char count[NUMBER_COUNT_SIZE];

	over.confidence &= verdict__is_suspect(site->view.verdict);
	put_verdict(screen, site);
	screen__next(screen, BLOCK_INDENT);
	screen__put(screen, STYLE_DIM, site->id);
	if (columns.confidence)
		column = put_confidence(screen, &columns, site, column);
	number__count(site->view.goroutines, count);
	screen__put_right(screen, STYLE_BOLD, count, column, columns.count);
	screen__put(screen, STYLE_BOLD, site->view.goroutines == 1 ? " goroutine" : " goroutines");
	column += columns.count + (unsigned int)strlen(" goroutines  ");
	column = text_part__wait_and_growth(screen, &columns, site, column);
	screen__next(screen, column);
	put_parked(screen, site, &over);
	screen__end_line(screen);
}

static void put_frames(struct screen *screen, const struct report_site *site)
{
	unsigned int limit = text_part__function_limit(screen, MIN_LOCATION), width = MIN_FUNCTION;
	const char *runs = text_part__runs(site);
	const char *blocked = site->blocked_at.function;

	if (report__frame_known(&site->created_by))
		text_part__widen_to(&width, text_part__function_width(&site->created_by), limit);
	if (report__frame_known(&site->called_from))
		text_part__widen_to(&width, text_part__function_width(&site->called_from), limit);
	if (report__frame_known(&site->blocked_at))
		text_part__widen_to(&width, text_part__function_width(&site->blocked_at), limit);
	text_part__labelled_frame(screen, "created at", &site->created_by, width);
	if (report__frame_known(&site->called_from))
		text_part__labelled_frame(screen, "called from", &site->called_from, width);
	/* What the go statement runs; most often it is also where it blocks. */
	if (*runs && (!blocked || strcmp(runs, blocked) != 0)) {
		text_part__label(screen, "runs");
		screen__put_function(screen, STYLE_PLAIN, runs, screen__room(screen));
		screen__end_line(screen);
	}
	text_part__labelled_frame(screen, "blocked at", &site->blocked_at, width);
	if (site->library) {
		text_part__label(screen, "in");
		screen__putf(screen, STYLE_PLAIN, "%s %s", site->library->path,
			     site->library->version);
		screen__end_line(screen);
	}
}

/* What is leaked, where it is several goroutines at once. */
static void put_what(struct screen *screen, const struct report_site *site)
{
	char what[REPORT_WHAT_SIZE];

	if (!site->finding || site->finding->n_sites < 2 || !report__leads(site))
		return;
	text_part__label(screen, site->finding->lock ? "together" : "leaked are");
	screen__wrap(screen, STYLE_PLAIN, report_finding__what(site->finding, what), MAX_WHY_LINES);
}

/* The other goroutines of each unit. */
static void put_companions(struct screen *screen, const struct report_site *site)
{
	const struct report_finding *finding = report__leads(site) ? site->finding : NULL;
	unsigned int limit = text_part__function_limit(screen, MIN_LOCATION), width = MIN_FUNCTION;

	for (size_t i = 1; finding && i < min_of(finding->n_sites, (size_t)MAX_COMPANIONS); i++)
		text_part__widen(&width, text_part__site_name(finding->sites[i]), limit);
	for (size_t i = 1; finding && i < min_of(finding->n_sites, (size_t)MAX_COMPANIONS); i++) {
		const struct report_site *other = finding->sites[i];

		text_part__label(screen, i > 1 ? "" : finding->lock ? "with it" : "with each");
		screen__put(screen, STYLE_DIM, other->id);
		screen__next(screen, BLOCK_INDENT + COMPANION_COLUMN);
		screen__put_function(screen, STYLE_PLAIN, text_part__site_name(other),
				     min_of(width, screen__room(screen)));
		if (screen__room(screen) > strlen(other->wait_reason) + 2) {
			screen__put(screen, STYLE_DIM, "  ");
			screen__put(screen, STYLE_DIM, other->wait_reason);
		}
		screen__end_line(screen);
	}
}

static void put_meaning(struct screen *screen, const struct report_site *site)
{
	if (!site->meaning || !*site->meaning)
		return;
	text_part__label(screen, "these are");
	screen__wrap(screen, STYLE_PLAIN, site->meaning, MAX_WHY_LINES);
}

/* What the heap shows: what these keep from being freed, or what they may still be woken by. */
static void put_proof(struct screen *screen, const struct report_site *site)
{
	const struct site_proof *proof = &site->view.proof;
	char heap[NUMBER_BYTES_SIZE], stacks[NUMBER_BYTES_SIZE], text[160];
	char *objects __cleanup_free = number__counted(proof->objects, "object");

	if (proof->goroutines) {
		number__bytes(proof->heap_bytes, heap);
		number__bytes(proof->stack_bytes, stacks);
		snprintf(text, sizeof(text),
			 "%s of heap in %s and %s of stacks, which nothing else needs", heap,
			 objects ? objects : "objects", stacks);
		text_part__label(screen, "keep");
	} else if (proof->holder && verdict__is_suspect(site->view.verdict)) {
		snprintf(text, sizeof(text), "%s", site_proof__reachable_by(proof));
		text_part__label(screen, "held by");
	} else {
		return;
	}
	screen__wrap(screen, STYLE_PLAIN, text, MAX_WHY_LINES);
}

static void put_why(struct screen *screen, const struct report_site *site)
{
	char why[REPORT_WHY_SIZE];

	for (size_t i = 0; i < site->view.n_why; i++) {
		text_part__label(screen, i == 0 ? "why" : "");
		screen__wrap(screen, STYLE_PLAIN, report__why(site, i, why), MAX_WHY_LINES);
	}
}

/* The lines of code that it is about, and what usually mends it. */
static void put_help(struct screen *screen, const struct report_site *site)
{
	const struct repair *repair = report__repair(site);
	const struct report_source *source = site->source;

	for (unsigned int i = 0; source && i < source->n; i++) {
		bool meant = source->first + i == source->line;

		text_part__label(screen, i ? "" : "source");
		screen__putf(screen, STYLE_DIM, "%c %5u  ", meant ? '>' : ' ', source->first + i);
		screen__put(screen, meant ? STYLE_BOLD : STYLE_PLAIN, source->text[i]);
		screen__end_line(screen);
	}
	if (!repair)
		return;
	text_part__label(screen, "to mend it");
	screen__wrap(screen, STYLE_PLAIN, repair->text, MAX_WHY_LINES);
	text_part__label(screen, "");
	screen__put(screen, STYLE_DIM, repair->link);
	screen__end_line(screen);
}

void text_part__site(struct screen *screen, const struct site_columns *columns,
		     const struct report_site *site, enum site_detail detail)
{
	put_headline(screen, columns, site);
	if (detail >= SITE_PLACES) {
		put_what(screen, site);
		put_meaning(screen, site);
		put_frames(screen, site);
	}
	if (detail >= SITE_EVIDENCE) {
		put_why(screen, site);
		put_companions(screen, site);
		put_proof(screen, site);
		text_part__objects(screen, site, detail >= SITE_STACK ? SIZE_MAX : MAX_OBJECTS);
		text_part__holds(screen, site);
	}
	if (detail >= SITE_STACK) {
		put_help(screen, site);
		text_part__stack(screen, site);
	}
}
