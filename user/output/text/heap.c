// SPDX-License-Identifier: Apache-2.0
#include "output/text/heap.h"

#include <stdio.h>

#include "base/number.h"
#include "output/text/alloc_sites.h"
#include "output/text/holders.h"
#include "output/text/target.h"

#define LABEL	  8 /* columns of "memory  " */
#define MAX_LINES 6
#define MAX_ALONE 100 /* lines of a part that is told alone, on a high screen */
#define TEXT_MAX  512

/*
 * "RSS 412 MB = Go heap 360 MB (310 MB live, 32 MB dead, 18 MB free) + stacks 22 MB + runtime 12 MB +
 * not Go's 18 MB"
 */
static void put_parts(struct screen *screen, const struct heap_memory *memory)
{
	char rss[NUMBER_BYTES_SIZE], heap[NUMBER_BYTES_SIZE], live[NUMBER_BYTES_SIZE],
		dead[NUMBER_BYTES_SIZE], spare[NUMBER_BYTES_SIZE], stacks[NUMBER_BYTES_SIZE],
		runtime[NUMBER_BYTES_SIZE], other[NUMBER_BYTES_SIZE], absent[NUMBER_BYTES_SIZE];
	char text[TEXT_MAX];
	int n;

	number__bytes(memory->rss_bytes, rss);
	number__bytes(memory->live_bytes + memory->dead_bytes + memory->free_bytes, heap);
	number__bytes(memory->live_bytes, live);
	number__bytes(memory->dead_bytes, dead);
	number__bytes(memory->free_bytes, spare);
	number__bytes(memory->stack_bytes, stacks);
	number__bytes(memory->runtime_bytes, runtime);
	number__bytes(memory->other_bytes, other);
	number__bytes(memory->absent_bytes, absent);
	n = snprintf(
		text, sizeof(text),
		"RSS %s = Go heap %s (%s live, %s dead, %s free) + stacks %s + runtime %s + not "
		"Go's %s",
		rss, heap, live, dead, spare, stacks, runtime, other);
	if (memory->absent_bytes && n > 0 && (size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n,
			 "; %s of it not resident: never written to, or swapped out", absent);
	screen__put(screen, STYLE_DIM, "memory  ");
	screen__wrap(screen, STYLE_PLAIN, text, MAX_LINES);
}

static void put_counts(struct screen *screen, const struct heap_memory *memory)
{
	screen__to(screen, LABEL);
	screen__put_owned(screen, STYLE_BOLD, number__counted(memory->objects, "live object"));
	screen__put(screen, STYLE_PLAIN, ", ");
	screen__put_owned(screen, STYLE_PLAIN,
			  number__counted(memory->gc_cycles, "garbage collection"));
	screen__put(screen, STYLE_PLAIN, " so far");
	screen__end_line(screen);
}

static bool shows(const struct heap_text_options *options, enum report_alloc_by by)
{
	return options->by == REPORT_ALLOC_BY_ALL || options->by == by;
}

/* Lines of each part. */
struct lines {
	unsigned int types, holders, places;
};

static void put_found(struct screen *screen, const struct report_target *target,
		      const struct heap_text_options *options, const struct lines *lines)
{
	const struct holders_options holders = {
		.all = options->all,
		.no_types = !shows(options, REPORT_ALLOC_BY_TYPE),
		.no_holders = !shows(options, REPORT_ALLOC_BY_HOLDER),
		.max_types = lines->types,
		.max_holders = lines->holders,
	};
	const struct alloc_sites_options sites = {
		.stacks = options->stacks,
		.all = options->all,
		.few = lines->places,
	};

	text_part__holders(screen, target->heap, &holders);
	if (target->alloc_groups) {
		screen__end_line(screen);
		text_part__alloc_groups(screen, target->alloc_groups, &sites);
	}
	if (target->allocations && shows(options, REPORT_ALLOC_BY_SITE)) {
		screen__end_line(screen);
		text_part__alloc_sites(screen, target->allocations, &sites);
	}
}

/* From as much as is told where there is room to as little as says something of each part. */
static const struct lines steps[] = {
	{10, 25, 10}, {10, 20, 8}, {8, 16, 8}, {8, 14, 7}, {7, 12, 6},
	{6, 10, 5},   {5, 9, 5},   {5, 8, 4},  {4, 7, 4},  {4, 6, 3},
	{3, 5, 3},    {3, 4, 2},   {2, 3, 2},  {2, 3, 1},  {1, 2, 1},
};

/* What was asked for alone has all of the screen. */
static struct lines lines_at(const struct heap_text_options *options, size_t step)
{
	unsigned int n = MAX_ALONE - (unsigned int)min_of(step, (size_t)MAX_ALONE - 1);

	if (options->by == REPORT_ALLOC_BY_ALL)
		return steps[min_of(step, ARRAY_SIZE(steps) - 1)];
	return (struct lines){n, n, n};
}

/* The most that does not end behind the last row; stacks, and all of it, are read by going back. */
static void fit_found(struct screen *screen, const struct report_target *target,
		      const struct heap_text_options *options)
{
	struct screen_mark mark = screen__mark(screen);
	struct lines lines = steps[0];

	if (options->last_row == SIZE_MAX || options->all || options->stacks) {
		put_found(screen, target, options, &lines);
		return;
	}
	for (size_t step = 0; step < MAX_ALONE; step++) {
		lines = lines_at(options, step);
		screen__rollback(screen, mark);
		put_found(screen, target, options, &lines);
		if (screen->lines <= options->last_row)
			return;
	}
}

void text_part__heap(struct screen *screen, const struct report_target *target,
		     const struct heap_text_options *options)
{
	if (!target->heap) {
		screen__put(screen, STYLE_PLAIN,
			    target->exited_target ? "it ended before its heap was read" :
						    "its heap was not read");
		screen__end_line(screen);
		return;
	}
	put_parts(screen, &target->heap->memory);
	put_counts(screen, &target->heap->memory);
	fit_found(screen, target, options);
}
