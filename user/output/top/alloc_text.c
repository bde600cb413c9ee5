// SPDX-License-Identifier: Apache-2.0
#include "output/top/alloc_text.h"

#include <math.h>
#include <stdio.h>

#include "base/number.h"
#include "output/text/block.h"

#define LABEL_END 14
#define MAX_LINES 6
#define MAX_STACK 64

static void put_label(struct screen *screen, const char *label)
{
	screen__put(screen, STYLE_DIM, label);
	screen__to(screen, LABEL_END);
}

static void put_amount(struct screen *screen, const char *label, uint64_t bytes, uint64_t objects,
		       double error)
{
	char amount[NUMBER_BYTES_SIZE], count[NUMBER_COUNT_SIZE];

	number__bytes(bytes, amount);
	number__count(objects, count);
	put_label(screen, label);
	screen__put(screen, STYLE_BOLD, amount);
	if (error >= 0.005)
		screen__putf(screen, STYLE_DIM, " %s%.0f %%", screen->options.ascii ? "+-" : "±",
			     min_of(error * 100, 999.0));
	screen__putf(screen, STYLE_PLAIN, " in %s %s", count, objects == 1 ? "object" : "objects");
	screen__end_line(screen);
}

static void put_growth(struct screen *screen, double per_minute)
{
	char bytes[NUMBER_BYTES_SIZE];

	number__bytes((uint64_t)min_of(fabs(per_minute), 1e18), bytes);
	put_label(screen, "growth");
	screen__putf(screen, STYLE_PLAIN, "%s%s per minute", per_minute < 0 ? "-" : "+", bytes);
	screen__end_line(screen);
}

void alloc_text__put(struct screen *screen, const struct report_alloc_site *site)
{
	unsigned int columns = text_part__function_limit(screen, MIN_FUNCTION);
	char due[REPORT_DUE_SIZE];

	put_label(screen, "allocated at");
	text_part__frame(screen, STYLE_BOLD, &site->allocated_at, columns, true);
	screen__end_line(screen);
	put_amount(screen, "in use", site->in_use_bytes, site->in_use_objects,
		   site->relative_error);
	put_amount(screen, "since begin", site->alloc_bytes, site->alloc_objects,
		   site->alloc_relative_error);
	if (site->growth_per_minute != 0)
		put_growth(screen, site->growth_per_minute);
	if (site->type && *site->type) {
		put_label(screen, "type");
		screen__put(screen, STYLE_PLAIN, site->type);
		screen__end_line(screen);
	}
	for (size_t i = 0; i < REPORT_MAX_HELD_BY && site->held_by[i]; i++) {
		put_label(screen, i ? "" : "held by");
		screen__put_way(screen, STYLE_PLAIN, site->held_by[i], screen__room(screen));
		screen__end_line(screen);
	}
	if (site->suppressed) {
		put_label(screen, "silenced");
		screen__wrap(screen, STYLE_DIM, report__text(site->suppressed_reason), MAX_LINES);
	}
	for (unsigned int i = 0; i < site->judgement.n_why; i++) {
		put_label(screen, i ? "" : "verdict");
		screen__wrap(screen, STYLE_PLAIN, site->judgement.why[i], MAX_LINES);
	}
	if (site->due_ns) {
		put_label(screen, "verdict");
		screen__putf(screen, STYLE_PLAIN, "rises: growing is %s",
			     report__due(site->due_ns, due));
		screen__end_line(screen);
	}
	screen__end_line(screen);
	for (size_t i = 0; i < min_of(site->n_stack, (size_t)MAX_STACK); i++) {
		put_label(screen, i ? "" : "stack");
		text_part__frame(screen, STYLE_PLAIN, &site->stack[i], columns, true);
		screen__end_line(screen);
	}
}
