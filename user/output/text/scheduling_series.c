// SPDX-License-Identifier: Apache-2.0
/*
 *	scheduling of shop (pid 4242)
 *	58 waits of more than 10 ms for a processor, in 3 of 17 censuses some waited, the longest for 230ms
 *	throttled for 1.5s, threads without a processor for 320ms
 *	13:30:22  read(3: /run/fifo)  for 1m12s, goroutine 7, thread 4711
 */
#include "output/text/scheduling_series.h"

#include <inttypes.h>

#include "base/duration.h"
#include "base/number.h"
#include "output/text/series.h"

#define MAX_CALL 60

struct sums {
	uint64_t waits, looks_with_late, longest_ns, throttled_ns, run_delay_ns;
};

static struct sums add_up(const struct timeline_target *target)
{
	const struct timeline_scheduling *all = target->scheduling;
	size_t n = target->n_scheduling;
	struct sums sums = {0};

	for (size_t i = 0; i < n; i++) {
		sums.looks_with_late += all[i].late > 0;
		sums.longest_ns = max_of(sums.longest_ns, all[i].longest_late_ns);
	}
	if (!n)
		return sums;
	sums.throttled_ns = all[n - 1].throttled_ns;
	sums.run_delay_ns = all[n - 1].run_delay_ns;
	if (all[0].latencies_known && all[n - 1].over_10ms > all[0].over_10ms)
		sums.waits = all[n - 1].over_10ms - all[0].over_10ms;
	return sums;
}

static void put_waits(struct screen *screen, const struct sums *sums, size_t looks)
{
	char count[NUMBER_COUNT_SIZE], time[DURATION_SIZE];

	if (!sums->waits && !sums->looks_with_late)
		return;
	number__count(sums->waits, count);
	screen__putf(screen, STYLE_PLAIN, "%s waits of more than 10 ms for a processor", count);
	if (sums->looks_with_late) {
		duration__format(sums->longest_ns, time);
		screen__putf(screen, STYLE_PLAIN,
			     ", in %" PRIu64 " of %zu censuses some waited, the longest for %s",
			     sums->looks_with_late, looks, time);
	}
	screen__end_line(screen);
}

static void put_delays(struct screen *screen, const struct sums *sums)
{
	char throttled[DURATION_SIZE], delay[DURATION_SIZE];

	if (!sums->throttled_ns && !sums->run_delay_ns)
		return;
	duration__format(sums->throttled_ns, throttled);
	duration__format(sums->run_delay_ns, delay);
	screen__putf(screen, STYLE_PLAIN, "throttled for %s, threads without a processor for %s",
		     throttled, delay);
	screen__end_line(screen);
}

static void put_call(struct screen *screen, const struct timeline *timeline,
		     const struct timeline_call *call)
{
	char lasted[DURATION_SIZE];

	duration__format(call->end_ns - call->begin_ns, lasted);
	series__put_time(screen, timeline, call->begin_ns);
	screen__put(screen, STYLE_DIM, "  ");
	screen__put_within(screen, STYLE_PLAIN, report__text(call->call), MAX_CALL);
	screen__putf(screen, STYLE_PLAIN, " for %s, goroutine %" PRIu64 ", thread %" PRIu64 "%s",
		     lasted, call->goid, call->thread, call->in_c ? ", in C" : "");
	screen__end_line(screen);
}

static void put_target(struct screen *screen, const struct timeline *timeline,
		       const struct timeline_target *target)
{
	struct sums sums = add_up(target);

	if (!sums.waits && !sums.looks_with_late && !target->n_calls)
		return;
	series__put_title(screen, "scheduling", target);
	put_waits(screen, &sums, target->n_scheduling);
	put_delays(screen, &sums);
	for (size_t i = 0; i < min_of(target->n_calls, (size_t)SERIES_ROWS); i++)
		put_call(screen, timeline, &target->calls[i]);
	if (target->n_calls > SERIES_ROWS)
		screen__putf(screen, STYLE_DIM, "and %zu more that stayed in a call",
			     target->n_calls - SERIES_ROWS);
	if (target->n_calls > SERIES_ROWS)
		screen__end_line(screen);
}

int scheduling_series__write(FILE *out, const struct timeline *timeline,
			     const struct screen_options *options)
{
	return series__write(out, timeline, options, put_target);
}
