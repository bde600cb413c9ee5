// SPDX-License-Identifier: Apache-2.0
#include "output/text/series.h"

#include "base/clock.h"

#define MAX_NAME      32
#define TIME_OF_DAY   11 /* "2026-01-02T03:04:05.678Z" */
#define TIME_OF_DAY_N 8

int series__write(FILE *out, const struct timeline *timeline, const struct screen_options *options,
		  void (*put)(struct screen *screen, const struct timeline *timeline,
			      const struct timeline_target *target))
{
	const struct screen_options within = screen_options__within(options, SCREEN_MAX_REPORT);
	struct screen screen;

	screen__init(&screen, &within);
	for (size_t i = 0; i < timeline->n_targets; i++)
		put(&screen, timeline, &timeline->targets[i]);
	return screen__flush(&screen, out);
}

void series__put_title(struct screen *screen, const char *what,
		       const struct timeline_target *target)
{
	screen__end_line(screen);
	screen__put(screen, STYLE_BOLD, what);
	screen__put(screen, STYLE_PLAIN, " of ");
	screen__put_within(screen, STYLE_PLAIN, report__text(target->comm), MAX_NAME);
	screen__putf(screen, STYLE_PLAIN, " (pid %d)", (int)target->pid);
	screen__end_line(screen);
}

void series__put_time(struct screen *screen, const struct timeline *timeline, uint64_t time_ns)
{
	char time[CLOCK_RFC3339_SIZE];

	clock__rfc3339(timeline__realtime_ns(timeline, time_ns), time);
	screen__putf(screen, STYLE_DIM, "%.*s", TIME_OF_DAY_N, time + TIME_OF_DAY);
}
