// SPDX-License-Identifier: Apache-2.0
#include "output/text/site_columns.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "output/text/block.h"

#define STEADY_BELOW 0.05 /* goroutines a minute */

const char *text_part__wait_words(const struct report_site *site)
{
	if (site->wait_reason && *site->wait_reason)
		return site->wait_reason;
	return site->view.goroutines ? "running" : "none left";
}

void text_part__growth_words(const struct report_site *site, char out[SITE_GROWTH_SIZE])
{
	char rate[NUMBER_RATE_SIZE];
	double growth = site->view.growth_per_minute;

	out[0] = '\0';
	if (growth < STEADY_BELOW && growth > -STEADY_BELOW)
		return;
	number__rate(growth, rate);
	switch (site->view.verdict) {
	case VERDICT_LEAKING:
	case VERDICT_GROWING:
	case VERDICT_SUSPECTED:
		snprintf(out, SITE_GROWTH_SIZE, "%s%s/min", growth > 0 ? "+" : "", rate);
		return;
	case VERDICT_STUCK:
		if (growth > 0)
			snprintf(out, SITE_GROWTH_SIZE, "%s more/min", rate);
		return;
	case VERDICT_IDLE:
	case VERDICT_ACTIVE:
		return;
	}
}

enum style text_part__verdict_style(const struct report_site *site)
{
	switch (site->view.verdict) {
	case VERDICT_LEAKING:
		return STYLE_LEAKING;
	case VERDICT_STUCK:
		return STYLE_STUCK;
	case VERDICT_SUSPECTED:
	case VERDICT_GROWING:
		return STYLE_GROWING;
	case VERDICT_IDLE:
	case VERDICT_ACTIVE:
		break;
	}
	return STYLE_DIM;
}

void text_part__columns_add(struct site_columns *columns, const struct report_site *site)
{
	char count[NUMBER_COUNT_SIZE], growth[SITE_GROWTH_SIZE];

	number__count(site->view.goroutines, count);
	text_part__growth_words(site, growth);
	text_part__widen(&columns->verdict, verdict__name(site->view.verdict), MAX_VERDICT);
	if (verdict__is_suspect(site->view.verdict))
		columns->confidence = strlen("99 %");
	text_part__widen(&columns->count, count, NUMBER_COUNT_SIZE);
	text_part__widen(&columns->wait, text_part__wait_words(site), MAX_WAIT);
	text_part__widen(&columns->growth, growth, SITE_GROWTH_SIZE);
}

unsigned int text_part__wait_and_growth(struct screen *screen, const struct site_columns *columns,
					const struct report_site *site, unsigned int column)
{
	char growth[SITE_GROWTH_SIZE];

	screen__to(screen, column);
	screen__put_within(screen, STYLE_PLAIN, text_part__wait_words(site), columns->wait);
	column += columns->wait + 2;
	if (columns->growth == 0)
		return column;
	text_part__growth_words(site, growth);
	screen__put_right(screen, STYLE_PLAIN, growth, column, columns->growth);
	return column + columns->growth + 2;
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

const char *text_part__site_name(const struct report_site *site)
{
	const char *runs = text_part__runs(site);

	if (!site->blocked_at.own && *runs)
		return runs;
	return report__frame_known(&site->blocked_at) ? site->blocked_at.function : "?";
}
