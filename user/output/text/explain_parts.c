// SPDX-License-Identifier: Apache-2.0
#include "output/text/explain_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/number.h"
#include "base/utf8.h"

#define TIME_COLUMNS   8 /* "12m30s" and the longer ones there are */
#define WEIGHT_COLUMNS 8 /* "+12.3" */
#define MAX_LINES      3
#define MAX_BAR	       60U /* beyond, a bar is harder to follow to its number */
/* Tables have a few dozen rows (track/tracker.h): more are not worth reading to their end. */
#define MAX_ROWS 64U

void explain_part__heading(struct screen *screen, const char *text)
{
	screen__end_line(screen);
	screen__put(screen, STYLE_BOLD, text);
	screen__end_line(screen);
}

static void put_count(struct screen *screen, uint64_t n, unsigned int column, unsigned int width)
{
	char count[NUMBER_COUNT_SIZE];

	number__count(n, count);
	screen__put_right(screen, STYLE_PLAIN, count, column, width);
}

static unsigned int count_width(uint64_t n)
{
	char count[NUMBER_COUNT_SIZE];

	number__count(n, count);
	return (unsigned int)strlen(count);
}

/* --- bars ----------------------------------------------------------------------------------------- */

/* U+258F to U+2588: an eighth of a character cell to all of it (Unicode 15, Block Elements). */
static const char *const eighths[] = {
	"",
	"\xe2\x96\x8f",
	"\xe2\x96\x8e",
	"\xe2\x96\x8d",
	"\xe2\x96\x8c",
	"\xe2\x96\x8b",
	"\xe2\x96\x8a",
	"\xe2\x96\x89",
	"\xe2\x96\x88",
};

/* @n of @most as a bar in @width columns: in proportion, but something is never shown as nothing. */
static void put_bar(struct screen *screen, uint64_t n, uint64_t most, unsigned int width)
{
	double share = most ? (double)n / (double)most : 0;
	unsigned int steps = (unsigned int)(share * width * 8 + 0.5);

	if (n > 0)
		steps = max_of(steps, 1U);
	for (; steps >= 8; steps -= 8)
		screen__put(screen, STYLE_PLAIN, eighths[8]);
	screen__put(screen, STYLE_PLAIN, eighths[steps]);
}

/* Columns for bars that begin at @column. */
static unsigned int bar_width(const struct screen *screen, unsigned int column)
{
	unsigned int room = screen->options.columns > column ? screen->options.columns - column : 0;

	return min_of(room, MAX_BAR);
}

/* --- weights -------------------------------------------------------------------------------------- */

static void put_decibans(struct screen *screen, enum style style, double decibans)
{
	char text[32] = "?";

	/* More digits than anybody's evidence is worth are shown as what they are: nonsense. */
	if (fabs(decibans) < 1e6)
		snprintf(text, sizeof(text), "%+.1f", decibans);
	screen__put_right(screen, style, text, EXPLAIN_INDENT, WEIGHT_COLUMNS);
}

static void put_sum(struct screen *screen, const struct report_site *site, double sum)
{
	double formula = 100 / (1 + pow(10, -sum / 10));
	unsigned int percent = report__percent(site);
	char text[160], rest[64] = "";

	put_decibans(screen, STYLE_BOLD, sum);
	screen__put(screen, STYLE_BOLD, "  in all");
	screen__end_line(screen);
	if (formula > 99 && percent == 99)
		snprintf(rest, sizeof(rest), ", of which 99 %% is the most that is claimed");
	else if (fabs(formula - percent) > 1)
		snprintf(rest, sizeof(rest), "; the report says %u %%", percent);
	snprintf(text, sizeof(text), "1 / (1 + 10^(%.1f / 10)) = %.1f %%%s", -sum, formula, rest);
	screen__to(screen, EXPLAIN_INDENT + WEIGHT_COLUMNS + 2);
	screen__wrap(screen, STYLE_PLAIN, text, MAX_LINES);
}

void explain_part__weights(struct screen *screen, const struct report_site *site)
{
	const struct site_evidence *evidence = &site->view.evidence;
	size_t n = min_of(evidence->n_weights, (size_t)MAX_ROWS);
	double sum = 0;

	if (n == 0)
		return;
	explain_part__heading(screen, "for a leak (+) and against it (-), in decibans");
	for (size_t i = 0; i < n; i++) {
		const struct site_weight *weight = &evidence->weights[i];

		put_decibans(screen, STYLE_PLAIN, weight->decibans);
		screen__put(screen, STYLE_PLAIN, "  ");
		screen__wrap(screen, STYLE_PLAIN, weight->text, MAX_LINES);
		sum += weight->decibans;
	}
	/* A sum of what is no number is none either. */
	if (fabs(sum) < 1e6)
		put_sum(screen, site, sum);
}

/* --- population ----------------------------------------------------------------------------------- */

struct population_columns {
	unsigned int goroutines, flow, bar;
};

static void put_flow(struct screen *screen, const char *sign, uint64_t n, unsigned int column,
		     unsigned int width)
{
	char count[NUMBER_COUNT_SIZE], text[sizeof(count) + 1];

	number__count(n, count);
	snprintf(text, sizeof(text), "%s%s", sign, count);
	screen__put_right(screen, STYLE_DIM, n ? text : "", column, width);
}

/* "now" or how long ago, the number, who came and left since the row above, and a bar. */
static void put_point(struct screen *screen, const struct population_columns *columns,
		      const struct site_point *point, uint64_t most, bool first)
{
	unsigned int column = EXPLAIN_INDENT;
	char ago[DURATION_SIZE];

	duration__format(point->ago_ns, ago);
	screen__put_right(screen, STYLE_PLAIN, point->ago_ns >= NSEC_PER_SEC ? ago : "now", column,
			  TIME_COLUMNS);
	column += TIME_COLUMNS + 2;
	put_count(screen, point->goroutines, column, columns->goroutines);
	column += columns->goroutines + 2;
	put_flow(screen, "+", first ? 0 : point->arrivals, column, columns->flow);
	column += columns->flow + 1;
	put_flow(screen, "-", first ? 0 : point->departures, column, columns->flow);
	column += columns->flow + 2;
	if (columns->bar) {
		screen__to(screen, column);
		put_bar(screen, point->goroutines, most, columns->bar);
	}
	screen__end_line(screen);
}

void explain_part__population(struct screen *screen, const struct site_evidence *evidence)
{
	size_t n = min_of(evidence->n_points, (size_t)MAX_ROWS);
	const struct site_point *points = evidence->points;
	struct population_columns columns = {0};
	uint64_t most = 0, flow = 0;

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		most = max_of(most, (uint64_t)points[i].goroutines);
		flow = max_of(flow, (uint64_t)points[i].arrivals);
		flow = max_of(flow, (uint64_t)points[i].departures);
	}
	columns.goroutines = count_width(most);
	columns.flow = count_width(flow) + 1;
	columns.bar = bar_width(screen, EXPLAIN_INDENT + TIME_COLUMNS + 2 + columns.goroutines + 2 +
						columns.flow + 1 + columns.flow + 2);
	explain_part__heading(screen, "goroutines over time; came (+) and left (-)");
	for (size_t i = 0; i < n; i++)
		put_point(screen, &columns, &points[i], most, i == 0);
}

/* --- cohorts -------------------------------------------------------------------------------------- */

/* Rounded, but neither to all nor to none what is not. */
static unsigned int percent_of(uint64_t n, uint64_t all)
{
	double percent = all ? 100 * ((double)n / (double)all) : 0;

	if (percent > 99 && n < all)
		return 99;
	if (percent < 1 && n > 0)
		return 1;
	return (unsigned int)min_of(percent + 0.5, 100.0);
}

/* "of 120 created 4m - 3m ago, 118 are still here, 98 %" */
static void put_cohort(struct screen *screen, const struct site_cohort *cohort,
		       unsigned int created, unsigned int alive)
{
	char from[DURATION_SIZE], to[DURATION_SIZE];
	unsigned int column = EXPLAIN_INDENT;

	screen__to(screen, column);
	screen__put(screen, STYLE_PLAIN, "of ");
	put_count(screen, cohort->created, column + 3, created);
	column += 3 + created;
	screen__put(screen, STYLE_PLAIN, " created ");
	duration__format(cohort->from_ago_ns, from);
	duration__format(cohort->to_ago_ns, to);
	screen__put_right(screen, STYLE_PLAIN, from, column + 9, TIME_COLUMNS);
	screen__put(screen, STYLE_PLAIN, " - ");
	screen__put(screen, STYLE_PLAIN, to);
	screen__put(screen, STYLE_PLAIN, " ago, ");
	column += 9 + TIME_COLUMNS + 3 + TIME_COLUMNS + 6;
	put_count(screen, cohort->alive, column, alive);
	screen__put(screen, STYLE_PLAIN, cohort->alive == 1 ? " is still here" : " are still here");
	if (cohort->created)
		screen__putf(screen, STYLE_DIM, ", %u %%",
			     percent_of(cohort->alive, cohort->created));
	screen__end_line(screen);
}

void explain_part__cohorts(struct screen *screen, const struct site_evidence *evidence)
{
	size_t n = min_of(evidence->n_cohorts, (size_t)MAX_ROWS);
	const struct site_cohort *cohorts = evidence->cohorts;
	unsigned int created = 0, alive = 0;

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		created = max_of(created, count_width(cohorts[i].created));
		alive = max_of(alive, count_width(cohorts[i].alive));
	}
	explain_part__heading(screen, "what became of those that the go statement created");
	for (size_t i = 0; i < n; i++)
		put_cohort(screen, &cohorts[i], created, alive);
}

/* --- survivors ------------------------------------------------------------------------------------ */

/* "below 10s", "10s - 1m", "1d and more" */
static void span_words(size_t step, char out[2 * DURATION_SIZE + 16])
{
	bool last = step + 1 == SITE_AGE_STEPS;
	char from[DURATION_SIZE], to[DURATION_SIZE];

	duration__format(tracker__age_step_ns(step), from);
	duration__format(last ? 0 : tracker__age_step_ns(step + 1), to);
	if (last)
		snprintf(out, 2 * DURATION_SIZE + 16, "%s and more", from);
	else if (step > 0)
		snprintf(out, 2 * DURATION_SIZE + 16, "%s - %s", from, to);
	else
		snprintf(out, 2 * DURATION_SIZE + 16, "below %s", to);
}

void explain_part__survivors(struct screen *screen, const struct site_evidence *evidence)
{
	enum { SPAN_COLUMNS = 16 };
	char span[2 * DURATION_SIZE + 16];
	uint64_t most = 0;
	unsigned int column;

	for (size_t i = 0; i < SITE_AGE_STEPS; i++)
		most = max_of(most, evidence->ages[i]);
	if (most == 0)
		return;
	column = EXPLAIN_INDENT + SPAN_COLUMNS + 2 + count_width(most) + 2;
	explain_part__heading(screen, "members by age");
	for (size_t i = 0; i < SITE_AGE_STEPS; i++) {
		if (evidence->ages[i] == 0)
			continue;
		span_words(i, span);
		screen__put_right(screen, STYLE_PLAIN, span, EXPLAIN_INDENT, SPAN_COLUMNS);
		put_count(screen, evidence->ages[i], EXPLAIN_INDENT + SPAN_COLUMNS + 2,
			  count_width(most));
		screen__to(screen, column);
		put_bar(screen, evidence->ages[i], most, bar_width(screen, column));
		screen__end_line(screen);
	}
}
