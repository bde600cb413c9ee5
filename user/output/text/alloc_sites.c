// SPDX-License-Identifier: Apache-2.0
/*
 *	allocated  27 places, by the runtime's own samples, one per 524 kB
 *	    in use          objects  allocated      growth  allocated at
 *	   12.3 MB  ±18 %   201,034     1.2 GB  +2.1 MB/min  main.(*cache).put  cache.go:12
 */
#include "output/text/alloc_sites.h"

#include <math.h>
#include <stdio.h>

#include "base/number.h"

#define FIRST_FEW    10
#define UNSEEN_MIN   (1u << 20) /* less is a span that was taken and not filled yet */
#define MAX_LINES    6
#define MIN_LOCATION 16 /* what a function's name leaves for its file and line */
#define PERCENT_SIZE 16
#define GROWTH_SIZE  (NUMBER_BYTES_SIZE + sizeof("+/min"))
#define STACK_INDENT 6
#define WHY_INDENT   9

/* Where columns end; all but the last are aligned to the right. */
enum { IN_USE_END = 11, ERROR_END = 19, OBJECTS_END = 32, ALLOCATED_END = 43, GROWTH_END = 58 };

static void put_right(struct screen *screen, enum style style, const char *text, unsigned int begin,
		      unsigned int end)
{
	screen__put_right(screen, style, text, begin, end - begin);
}

/* "±18 %". What is exact has none; one sample alone says hardly more than that there is something. */
static void error_text(const struct screen *screen, const struct report_alloc_site *site,
		       char out[PERCENT_SIZE])
{
	double percent = site->relative_error * 100;

	out[0] = '\0';
	if (percent >= 0.5)
		snprintf(out, PERCENT_SIZE, "%s%.0f %%", screen->options.ascii ? "+-" : "±",
			 min_of(percent, 999.0));
}

static void growth_text(double per_minute, char out[GROWTH_SIZE])
{
	char bytes[NUMBER_BYTES_SIZE];

	number__bytes((uint64_t)min_of(fabs(per_minute), 1e18), bytes);
	snprintf(out, GROWTH_SIZE, "%s%s/min", per_minute < 0 ? "-" : "+", bytes);
}

static void put_place(struct screen *screen, const struct report_frame *frame, unsigned int column)
{
	unsigned int room;

	screen__next(screen, column);
	if (!report__frame_known(frame)) {
		screen__put(screen, STYLE_DIM, "(no stack)");
		return;
	}
	room = screen__room(screen);
	screen__put_function(screen, STYLE_PLAIN, frame->function,
			     room > 2 * MIN_LOCATION ? room - MIN_LOCATION : MIN_LOCATION);
	if (frame->file && *frame->file) {
		screen__put(screen, STYLE_PLAIN, "  ");
		screen__put_location(screen, STYLE_DIM, frame->file, frame->line,
				     max_of(screen__room(screen), (unsigned int)MIN_LOCATION));
	}
}

static void put_stack(struct screen *screen, const struct report_alloc_site *site)
{
	for (size_t i = 0; i < site->n_stack; i++) {
		put_place(screen, &site->stack[i], STACK_INDENT);
		screen__end_line(screen);
	}
}

/* "main.node, held by main.kept[…]" */
static void put_holders(struct screen *screen, const struct report_alloc_site *site)
{
	if (!site->held_by[0] && !site->type)
		return;
	screen__to(screen, STACK_INDENT);
	screen__put(screen, STYLE_DIM, report__text(site->type));
	if (site->held_by[0]) {
		screen__putf(screen, STYLE_DIM, "%sheld by ", site->type ? ", " : "");
		screen__put_way(screen, STYLE_PLAIN, site->held_by[0], screen__room(screen));
	}
	screen__end_line(screen);
}

static void put_verdict(struct screen *screen, const struct report_alloc_site *site)
{
	if (site->judgement.n_why && site->suppressed) {
		screen__to(screen, STACK_INDENT);
		screen__put(screen, STYLE_DIM, "silenced");
		screen__to(screen, STACK_INDENT + WHY_INDENT);
		screen__wrap(screen, STYLE_DIM, report__text(site->suppressed_reason), MAX_LINES);
	}
	for (unsigned int i = 0; i < site->judgement.n_why; i++) {
		if (!i) {
			screen__to(screen, STACK_INDENT);
			screen__put(screen, site->suppressed ? STYLE_DIM : STYLE_GROWING,
				    site->suppressed ? "growing" : "GROWING");
		}
		screen__to(screen, STACK_INDENT + WHY_INDENT);
		screen__wrap(screen, STYLE_PLAIN, site->judgement.why[i], MAX_LINES);
	}
}

static void put_due(struct screen *screen, const struct report_alloc_site *site)
{
	char due[REPORT_DUE_SIZE];

	if (!site->due_ns)
		return;
	screen__to(screen, STACK_INDENT);
	screen__put(screen, STYLE_GROWING, "rises");
	screen__to(screen, STACK_INDENT + WHY_INDENT);
	screen__putf(screen, STYLE_PLAIN, "growing is %s", report__due(site->due_ns, due));
	screen__end_line(screen);
}

static void put_site(struct screen *screen, const struct report_allocations *allocations,
		     const struct report_alloc_site *site)
{
	char bytes[NUMBER_BYTES_SIZE], error[PERCENT_SIZE], objects[NUMBER_COUNT_SIZE],
		allocated[NUMBER_BYTES_SIZE], growth[GROWTH_SIZE];

	number__bytes(site->in_use_bytes, bytes);
	error_text(screen, site, error);
	number__count(allocations->in_use_known ? site->in_use_objects : site->alloc_objects,
		      objects);
	number__bytes(site->alloc_bytes, allocated);
	growth_text(site->growth_per_minute, growth);
	put_right(screen, STYLE_BOLD, allocations->in_use_known ? bytes : "", 0, IN_USE_END);
	put_right(screen, STYLE_DIM, error, IN_USE_END, ERROR_END);
	put_right(screen, STYLE_PLAIN, objects, ERROR_END, OBJECTS_END);
	put_right(screen, STYLE_PLAIN, allocated, OBJECTS_END, ALLOCATED_END);
	if (allocations->growth_known)
		put_right(screen, STYLE_PLAIN, growth, ALLOCATED_END, GROWTH_END);
	put_place(screen, &site->allocated_at,
		  2 + (allocations->growth_known ? GROWTH_END : ALLOCATED_END));
	screen__end_line(screen);
}

static void put_titles(struct screen *screen, const struct report_allocations *allocations)
{
	put_right(screen, STYLE_DIM, allocations->in_use_known ? "in use" : "", 0, IN_USE_END);
	put_right(screen, STYLE_DIM, "objects", ERROR_END, OBJECTS_END);
	put_right(screen, STYLE_DIM, "allocated", OBJECTS_END, ALLOCATED_END);
	if (allocations->growth_known)
		put_right(screen, STYLE_DIM, "growth", ALLOCATED_END, GROWTH_END);
	screen__next(screen, 2 + (allocations->growth_known ? GROWTH_END : ALLOCATED_END));
	screen__put(screen, STYLE_DIM, "allocated at");
	screen__end_line(screen);
}

static void put_header(struct screen *screen, const struct report_allocations *allocations)
{
	char rate[NUMBER_BYTES_SIZE];

	screen__put(screen, STYLE_DIM, "allocated");
	screen__to(screen, 11);
	screen__put_owned(screen, STYLE_BOLD, number__counted(allocations->n_sites, "place"));
	number__bytes(allocations->rate, rate);
	if (allocations->source == ALLOC_SOURCE_WINDOWS)
		screen__putf(screen, STYLE_PLAIN,
			     " in %.0f s, by probes on each allocation within windows of time",
			     allocations->seconds);
	else if (allocations->source == ALLOC_SOURCE_ALL)
		screen__putf(screen, STYLE_PLAIN, " in %.0f s, by probes on each allocation",
			     allocations->seconds);
	else if (allocations->rate > 1)
		screen__putf(screen, STYLE_PLAIN, ", by the runtime's own samples, one per %s",
			     rate);
	else
		screen__put(screen, STYLE_PLAIN, ", by the runtime's own profile of every object");
	screen__end_line(screen);
	if (allocations->n_sites)
		put_titles(screen, allocations);
}

static void put_rest(struct screen *screen, const struct report_allocations *allocations,
		     size_t shown)
{
	if (shown < allocations->n_sites) {
		screen__to(screen, 4);
		screen__put_owned(screen, STYLE_DIM,
				  number__counted(allocations->n_sites - shown, "place"));
		screen__put(screen, STYLE_DIM, " more; --all shows them");
		screen__end_line(screen);
	}
	if (allocations->unseen_bytes >= UNSEEN_MIN) {
		char bytes[NUMBER_BYTES_SIZE];

		number__bytes(allocations->unseen_bytes, bytes);
		screen__to(screen, 4);
		screen__putf(screen, STYLE_PLAIN,
			     "%s more, of sizes of which no window has seen one", bytes);
		screen__end_line(screen);
	}
	if (allocations->refused) {
		screen__to(screen, 4);
		screen__put_owned(screen, STYLE_PLAIN,
				  number__counted(allocations->refused, "sample"));
		screen__put(screen, STYLE_PLAIN, " beyond what gleakd keeps are not in it");
		screen__end_line(screen);
	}
}

void text_part__alloc_sites(struct screen *screen, const struct report_allocations *allocations,
			    const struct alloc_sites_options *options)
{
	size_t few = options->all ? SIZE_MAX : options->few ? options->few : FIRST_FEW;
	size_t shown = 0;

	if (!allocations)
		return;
	if (*report__text(allocations->missing)) {
		screen__put(screen, STYLE_DIM, "allocated  ");
		screen__put(screen, STYLE_PLAIN, "not known where: ");
		screen__wrap(screen, STYLE_PLAIN, allocations->missing, MAX_LINES);
		return;
	}
	put_header(screen, allocations);
	for (size_t i = 0; i < allocations->n_sites; i++) {
		/* What grows is shown however small it is. */
		if (i >= few && allocations->sites[i].judgement.verdict != ALLOC_GROWING)
			continue;
		shown++;
		put_site(screen, allocations, &allocations->sites[i]);
		put_holders(screen, &allocations->sites[i]);
		put_verdict(screen, &allocations->sites[i]);
		put_due(screen, &allocations->sites[i]);
		if (options->stacks)
			put_stack(screen, &allocations->sites[i]);
	}
	put_rest(screen, allocations, shown);
}

/* --- in a watch --------------------------------------------------------------------------------- */

static void put_growing_header(struct screen *screen, const struct report_allocations *allocations,
			       uint64_t n)
{
	screen__put(screen, STYLE_GROWING, "memory grows");
	screen__put(screen, STYLE_PLAIN, " at ");
	screen__put_owned(screen, STYLE_BOLD, number__counted(n, "place"));
	screen__put(screen, STYLE_PLAIN,
		    allocations->source == ALLOC_SOURCE_SAMPLES ? ", by the runtime's own samples" :
								  ", by probes on its allocations");
	screen__end_line(screen);
}

static void put_growing(struct screen *screen, const struct report_allocations *allocations,
			const struct report_alloc_site *site, bool stacks)
{
	put_site(screen, allocations, site);
	put_holders(screen, site);
	put_verdict(screen, site);
	put_due(screen, site);
	if (stacks)
		put_stack(screen, site);
}

/* What does not grow yet, and will if it goes on. True: there is some. */
static bool put_rising(struct screen *screen, const struct report_allocations *allocations,
		       size_t max)
{
	size_t n = 0, shown = 0;

	for (size_t i = 0; i < allocations->n_sites; i++)
		n += allocations->sites[i].due_ns != 0;
	if (!n)
		return false;
	screen__put(screen, STYLE_GROWING, "memory rises");
	screen__put(screen, STYLE_PLAIN, " at ");
	screen__put_owned(screen, STYLE_BOLD, number__counted(n, "place"));
	screen__end_line(screen);
	put_titles(screen, allocations);
	for (size_t i = 0; i < allocations->n_sites && shown < max; i++) {
		if (!allocations->sites[i].due_ns)
			continue;
		put_growing(screen, allocations, &allocations->sites[i], false);
		shown++;
	}
	return true;
}

void text_part__memory_news(struct screen *screen, const struct text_news *news,
			    const struct report_target *target, size_t max, bool stacks)
{
	const struct report_allocations *allocations = target->allocations;
	size_t shown = 0;

	for (size_t i = 0; allocations && i < allocations->n_sites && shown < max; i++) {
		if (!text_news__memory(news, target, &allocations->sites[i]))
			continue;
		screen__end_line(screen);
		put_growing_header(screen, allocations, 1);
		put_titles(screen, allocations);
		put_growing(screen, allocations, &allocations->sites[i], stacks);
		shown++;
	}
}

static void put_flagged(struct screen *screen, const struct report_allocations *allocations,
			size_t n, size_t max, bool stacks)
{
	size_t shown = 0;

	put_growing_header(screen, allocations, n);
	put_titles(screen, allocations);
	for (size_t i = 0; i < allocations->n_sites && shown < max; i++) {
		if (!report__memory_flagged(&allocations->sites[i]))
			continue;
		put_growing(screen, allocations, &allocations->sites[i], stacks);
		shown++;
	}
	if (shown < n) {
		screen__to(screen, 4);
		screen__put_owned(screen, STYLE_DIM, number__counted(n - shown, "more place"));
		screen__end_line(screen);
	}
}

void text_part__growing_memory(struct screen *screen, const struct report_target *target,
			       size_t max, bool stacks)
{
	const struct report_allocations *allocations = target->allocations;
	size_t n = report__count_growing_memory(target);
	bool some = n;

	if (!allocations || !max)
		return;
	if (n)
		put_flagged(screen, allocations, n, max, stacks);
	some |= put_rising(screen, allocations, max);
	if (some)
		screen__end_line(screen);
}
