// SPDX-License-Identifier: Apache-2.0
#include "track/history.h"

#include <stdlib.h>
#include <string.h>

#include "track/ticks.h"

/* Slopes between all pairs of this many samples are computed: enough, and 276 at most. */
#define TREND_SAMPLES 24
#define TREND_PAIRS   (TREND_SAMPLES * (TREND_SAMPLES - 1) / 2)

/* Every second sample goes; who came and left until then counts for the next one that stays. */
static void halve_older_half(struct history *history)
{
	const size_t half = HISTORY_SAMPLES / 2;
	struct history_sample *samples = history->samples;

	for (size_t i = 0; i < half; i += 2) {
		samples[i + 2].arrivals += samples[i + 1].arrivals;
		samples[i + 2].departures += samples[i + 1].departures;
		samples[i / 2] = samples[i];
	}
	memmove(&samples[half / 2], &samples[half], half * sizeof(*samples));
	history->count -= half / 2;
}

void history__add(struct history *history, const struct history_sample *sample)
{
	struct history_sample *last = history->count ? &history->samples[history->count - 1] : NULL;

	if (last && last->ticks == sample->ticks) {
		last->goroutines = sample->goroutines;
		last->parked = sample->parked;
		last->arrivals += sample->arrivals;
		last->departures += sample->departures;
		return;
	}
	if (history->count == HISTORY_SAMPLES)
		halve_older_half(history);
	history->samples[history->count++] = *sample;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare_doubles);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static double slope_per_tick(const struct history_sample *a, const struct history_sample *b)
{
	return ((double)b->goroutines - a->goroutines) / (double)(b->ticks - a->ticks);
}

static double theil_sen(const struct history_sample *samples, size_t n)
{
	const double ticks_per_minute = 60.0 * NSEC_PER_SEC / (1 << TICK_SHIFT);
	double slopes[TREND_PAIRS];
	size_t used = min_of(n, (size_t)TREND_SAMPLES), n_slopes = 0;

	for (size_t i = 0; i < used; i++)
		for (size_t j = i + 1; j < used; j++)
			slopes[n_slopes++] = slope_per_tick(&samples[i * (n - 1) / (used - 1)],
							    &samples[j * (n - 1) / (used - 1)]);
	return median(slopes, n_slopes) * ticks_per_minute;
}

/* Median population of samples [@from, @to). */
static double typical(const struct history_sample *samples, size_t from, size_t to)
{
	double values[HISTORY_SAMPLES];

	for (size_t i = from; i < to; i++)
		values[i - from] = samples[i].goroutines;
	return median(values, to - from);
}

/* Quarters, or as many parts as there are samples. */
static void compare_quarters(const struct history_sample *samples, size_t n, struct trend *trend)
{
	size_t parts = min_of(n, (size_t)4);
	double before = 0;

	trend->steady = true;
	for (size_t i = 0; i < parts; i++) {
		double now = typical(samples, i * n / parts, (i + 1) * n / parts);

		if (i == 0)
			trend->rise = -now;
		else if (now < before)
			trend->steady = false;
		before = now;
	}
	trend->rise += before;
}

void history__trend(const struct history *history, uint64_t from, struct trend *ret_trend)
{
	const struct history_sample *samples = history->samples;
	size_t n = history->count;

	while (n && samples->ticks < from) {
		samples++;
		n--;
	}
	*ret_trend = (struct trend){0};
	if (n < 3)
		return;
	ret_trend->samples = (uint32_t)n;
	ret_trend->span_ns = ticks__age_ns(samples[0].ticks, samples[n - 1].ticks);
	ret_trend->first = samples[0].goroutines;
	ret_trend->last = samples[n - 1].goroutines;
	for (size_t i = 1; i < n; i++) {
		ret_trend->arrivals += samples[i].arrivals;
		ret_trend->departures += samples[i].departures;
	}
	ret_trend->per_minute = theil_sen(samples, n);
	compare_quarters(samples, n, ret_trend);
}
