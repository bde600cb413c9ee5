// SPDX-License-Identifier: Apache-2.0
#include "output/text/overview.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"
#include "output/text/site_columns.h"
#include "output/text/target.h"

#define GAP	   2
#define VERDICT	   "VERDICT"
#define SURE	   "SURE"
#define GOROUTINES "GOROUTINES"
#define GROWTH	   "GROWTH"
#define PROCESS	   "PROCESS"
#define WORST	   "WORST SITE"
#define NO_LEAK	   "no leak"
#define MAX_NAME   48U /* "name (pid 4194304)" */
#define MIN_WORST  24U /* an id and the beginning of a name */

/* --- order ---------------------------------------------------------------------------------------- */

const struct report_site *overview__worst(const struct report_target *target)
{
	for (size_t i = 0; i < target->n_sites; i++) {
		const struct report_site *site = &target->sites[i];

		if (!site->suppressed)
			return verdict__is_suspect(site->view.verdict) ? site : NULL;
	}
	return NULL;
}

static uint64_t accused(const struct report_target *target)
{
	uint64_t n = 0;

	for (size_t i = 0; i < target->n_sites; i++) {
		const struct report_site *site = &target->sites[i];
		uint64_t goroutines = report__flagged(site) ? site->view.goroutines : 0;

		if (__builtin_add_overflow(n, goroutines, &n))
			return UINT64_MAX;
	}
	return n;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_badness(const void *left, const void *right)
{
	const struct report_target *a = *(const struct report_target *const *)left;
	const struct report_target *b = *(const struct report_target *const *)right;
	const struct report_site *worst_a = overview__worst(a), *worst_b = overview__worst(b);
	int order = compare(worst_b ? worst_b->view.verdict : VERDICT_ACTIVE,
			    worst_a ? worst_a->view.verdict : VERDICT_ACTIVE);

	if (!order)
		order = compare(accused(b), accused(a));
	if (!order)
		order = compare(b->totals.alive, a->totals.alive);
	return order ? order : compare((uint64_t)a->pid, (uint64_t)b->pid);
}

int overview__init(struct overview *overview, const struct report *report)
{
	*overview = (struct overview){.n = report->n_targets};
	overview->targets = calloc(report->n_targets + 1, sizeof(const struct report_target *));
	if (!overview->targets)
		return -ENOMEM;
	for (size_t i = 0; i < report->n_targets; i++)
		overview->targets[i] = &report->targets[i];
	if (overview->n)
		qsort(overview->targets, overview->n, sizeof(const struct report_target *),
		      by_badness);
	return 0;
}

void overview__release(struct overview *overview)
{
	free(overview->targets);
	*overview = (struct overview){0};
}

/* --- lines ---------------------------------------------------------------------------------------- */

/* Of each column; 0: there is no room for it. */
struct widths {
	unsigned int verdict, sure, goroutines, growth, process;
	bool worst; /* one of them has such a site */
};

/* The pace of all that rises. */
static void growth_of(const struct report_target *target, char out[SITE_GROWTH_SIZE])
{
	struct report_site sum = {.view.verdict = VERDICT_GROWING};

	for (size_t i = 0; i < target->n_sites; i++) {
		const struct report_site *site = &target->sites[i];

		if (!site->suppressed && verdict__is_suspect(site->view.verdict) &&
		    site->view.verdict != VERDICT_STUCK && site->view.growth_per_minute > 0)
			sum.view.growth_per_minute += site->view.growth_per_minute;
	}
	text_part__growth_words(&sum, out);
}

static void count_of(const struct report_target *target, char out[NUMBER_COUNT_SIZE])
{
	number__count(target->totals.alive, out);
}

static unsigned int wider(unsigned int width, const char *text)
{
	return max_of(width, (unsigned int)utf8__width(text));
}

static unsigned int name_width(const struct report_target *target)
{
	return (unsigned int)min_of(text_part__name_width(target), (size_t)MAX_NAME);
}

static unsigned int with_gap(unsigned int width)
{
	return width ? width + GAP : 0;
}

/* Where the last column begins. */
static unsigned int used(const struct widths *widths)
{
	return with_gap(widths->verdict) + with_gap(widths->sure) + with_gap(widths->goroutines) +
	       with_gap(widths->growth) + with_gap(widths->process);
}

static struct widths measure(const struct screen *screen, const struct overview *overview,
			     size_t shown)
{
	struct widths widths = {
		.verdict = strlen(VERDICT),
		.goroutines = strlen(GOROUTINES),
		.process = strlen(PROCESS),
	};
	char growth[SITE_GROWTH_SIZE], count[NUMBER_COUNT_SIZE];

	for (size_t i = 0; i < shown; i++) {
		const struct report_target *target = overview->targets[i];
		const struct report_site *worst = overview__worst(target);

		count_of(target, count);
		growth_of(target, growth);
		widths.goroutines = wider(widths.goroutines, count);
		widths.process = max_of(widths.process, name_width(target));
		if (growth[0])
			widths.growth = wider(wider(widths.growth, GROWTH), growth);
		if (worst) {
			widths.worst = true;
			widths.sure = strlen(SURE);
			widths.verdict = wider(widths.verdict, verdict__name(worst->view.verdict));
		}
	}
	if (screen->options.whole)
		return widths;
	if (used(&widths) + MIN_WORST > screen->options.columns)
		widths.growth = 0;
	if (used(&widths) + MIN_WORST > screen->options.columns)
		widths.sure = 0;
	return widths;
}

static void put_titles(struct screen *screen, const struct widths *widths)
{
	unsigned int column = with_gap(widths->verdict);

	screen__put(screen, STYLE_DIM, VERDICT);
	if (widths->sure)
		screen__put_right(screen, STYLE_DIM, SURE, column, widths->sure);
	column += with_gap(widths->sure);
	screen__put_right(screen, STYLE_DIM, GOROUTINES, column, widths->goroutines);
	column += with_gap(widths->goroutines);
	if (widths->growth)
		screen__put_right(screen, STYLE_DIM, GROWTH, column, widths->growth);
	column += with_gap(widths->growth);
	screen__to(screen, column);
	screen__put(screen, STYLE_DIM, PROCESS);
	if (widths->worst) {
		screen__to(screen, used(widths));
		screen__put(screen, STYLE_DIM, WORST);
	}
	screen__end_line(screen);
}

/* "396497f6  main.askSupplier  and 2 more" */
static void put_worst(struct screen *screen, const struct report_target *target,
		      const struct report_site *worst)
{
	size_t more = 0;

	for (size_t i = 0; i < target->n_sites; i++)
		more += report__flagged(&target->sites[i]);
	more -= report__flagged(worst);
	screen__put(screen, STYLE_DIM, worst->id);
	screen__put(screen, STYLE_PLAIN, "  ");
	screen__put_function(screen, STYLE_PLAIN, text_part__site_name(worst),
			     screen__room(screen));
	if (more && screen__room(screen) >= strlen("  and 1,000 more"))
		screen__putf(screen, STYLE_DIM, "  and %zu more", more);
}

static void put_process(struct screen *screen, const struct widths *widths,
			const struct report_target *target)
{
	const struct report_site *worst = overview__worst(target);
	unsigned int column = with_gap(widths->verdict);
	char growth[SITE_GROWTH_SIZE], count[NUMBER_COUNT_SIZE], sure[16] = "";

	if (worst)
		screen__put(screen, text_part__verdict_style(worst),
			    verdict__name(worst->view.verdict));
	else
		screen__put(screen, STYLE_GOOD, target->n_sites ? NO_LEAK : "");
	if (worst && widths->sure)
		snprintf(sure, sizeof(sure), "%u %%", report__percent(worst));
	if (widths->sure)
		screen__put_right(screen, STYLE_PLAIN, sure, column, widths->sure);
	column += with_gap(widths->sure);
	count_of(target, count);
	screen__put_right(screen, STYLE_BOLD, count, column, widths->goroutines);
	column += with_gap(widths->goroutines);
	growth_of(target, growth);
	if (widths->growth)
		screen__put_right(screen, STYLE_PLAIN, growth, column, widths->growth);
	column += with_gap(widths->growth);
	screen__next(screen, column);
	text_part__name(screen, target);
	if (target->exited_target)
		screen__put(screen, STYLE_BOLD, " ended");
	screen__next(screen, used(widths));
	if (worst)
		put_worst(screen, target, worst);
	screen__end_line(screen);
}

static void put_rest(struct screen *screen, const struct overview *overview, size_t shown)
{
	char count[NUMBER_COUNT_SIZE];

	number__count(overview->n - shown, count);
	screen__putf(screen, STYLE_DIM, "and %s more%s", count,
		     overview__worst(overview->targets[shown]) ? "" : " without a finding");
	screen__end_line(screen);
}

void overview__put(struct screen *screen, const struct overview *overview, size_t max)
{
	size_t shown = min_of(overview->n, max);
	struct widths widths = measure(screen, overview, shown);

	if (!shown)
		return;
	put_titles(screen, &widths);
	for (size_t i = 0; i < shown; i++)
		put_process(screen, &widths, overview->targets[i]);
	if (shown < overview->n)
		put_rest(screen, overview, shown);
}
