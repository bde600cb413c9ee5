// SPDX-License-Identifier: Apache-2.0
/*
 *	memory of shop (pid 4242)
 *	time            RSS     in use       live       goal     stacks  collections    stopped
 *	13:30:22      19 MB     4.3 MB     2.4 MB     5.5 MB     3.2 MB           41     4.2 ms
 */
#include "output/text/memory_series.h"

#include "base/number.h"
#include "output/text/series.h"

#define TIME_END    8
#define COLUMN	    11
#define COLLECTIONS 13
#define PAUSE_SIZE  (NUMBER_RATE_SIZE + 4)
#define N_BYTES	    5u

static void put_heads(struct screen *screen)
{
	static const char *const heads[N_BYTES] = {"RSS", "in use", "live", "goal", "stacks"};
	unsigned int at = TIME_END;

	screen__put(screen, STYLE_DIM, "time");
	for (unsigned int i = 0; i < N_BYTES; i++, at += COLUMN)
		screen__put_right(screen, STYLE_DIM, heads[i], at, COLUMN);
	screen__put_right(screen, STYLE_DIM, "collections", at, COLLECTIONS);
	screen__put_right(screen, STYLE_DIM, "stopped", at + COLLECTIONS, COLUMN);
	screen__end_line(screen);
}

/* Collections stop a process for microseconds each. */
static void pause_text(uint64_t ns, char out[PAUSE_SIZE])
{
	char number[NUMBER_RATE_SIZE];

	number__rate((double)ns / NSEC_PER_MSEC, number);
	snprintf(out, PAUSE_SIZE, "%s ms", number);
}

/* What is not known is left blank. */
static void put_row(struct screen *screen, const struct timeline *timeline,
		    const struct timeline_memory *memory)
{
	const uint64_t bytes[N_BYTES] = {memory->rss, memory->heap, memory->live, memory->goal,
					 memory->stacks};
	char text[NUMBER_BYTES_SIZE], count[NUMBER_COUNT_SIZE];
	char pause[PAUSE_SIZE];
	unsigned int at = TIME_END;

	series__put_time(screen, timeline, memory->time_ns);
	for (unsigned int i = 0; i < N_BYTES; i++, at += COLUMN) {
		number__bytes(bytes[i], text);
		screen__put_right(screen, STYLE_PLAIN, bytes[i] ? text : "", at, COLUMN);
	}
	number__count(memory->gc_cycles, count);
	screen__put_right(screen, STYLE_PLAIN, count, at, COLLECTIONS);
	pause_text(memory->pause_ns, pause);
	if (memory->timed)
		screen__put_right(screen, STYLE_PLAIN, pause, at + COLLECTIONS, COLUMN);
	screen__end_line(screen);
}

static void put_target(struct screen *screen, const struct timeline *timeline,
		       const struct timeline_target *target)
{
	size_t n = target->n_memory, rows = min_of(n, (size_t)SERIES_ROWS);

	if (n < 2)
		return;
	series__put_title(screen, "memory", target);
	put_heads(screen);
	for (size_t i = 0; i < rows; i++)
		put_row(screen, timeline, &target->memory[i * (n - 1) / (rows - 1)]);
}

int memory_series__write(FILE *out, const struct timeline *timeline,
			 const struct screen_options *options)
{
	return series__write(out, timeline, options, put_target);
}
