// SPDX-License-Identifier: Apache-2.0
#include "track/history.h"

#include <stdlib.h>
#include <string.h>

#include "track/ticks.h"

/* Slopes between all pairs of this many samples are computed: enough, and 276 at most. */
#define TREND_SAMPLES 24
#define TREND_PAIRS   (TREND_SAMPLES * (TREND_SAMPLES - 1) / 2)

/* Adds the arrivals, departures, creations and exits of @sample to those of @into. */
static void add_flows(struct history_sample *into, const struct history_sample *sample)
{
	into->arrivals += sample->arrivals;
	into->departures += sample->departures;
	into->created += sample->created;
	into->exited += sample->exited;
}

/* --- tiers --------------------------------------------------------------------------------------- */

static const uint64_t tier_seconds[HISTORY_TIERS] = {60, 3600, 86400};

static uint64_t step_of(size_t tier, uint64_t ticks)
{
	return (ticks << TICK_SHIFT) / (tier_seconds[tier] * NSEC_PER_SEC);
}

static void close_step(struct history *history, size_t t)
{
	struct history_tier *tier = history->tiers[t];

	if (!tier)
		tier = history->tiers[t] = calloc(1, sizeof(*tier));
	/* Without memory this part of the past stays unknown. */
	if (!tier)
		return;
	if (tier->count == HISTORY_TIER_SAMPLES) {
		tier->count--;
		memmove(&tier->samples[0], &tier->samples[1],
			tier->count * sizeof(tier->samples[0]));
	}
	tier->samples[tier->count++] = history->open[t];
}

static void add_to_tiers(struct history *history, const struct history_sample *sample)
{
	for (size_t t = 0; t < HISTORY_TIERS; t++) {
		struct history_sample *open = &history->open[t];
		struct history_sample flows = *open;

		if (open->ticks && step_of(t, open->ticks) != step_of(t, sample->ticks)) {
			close_step(history, t);
			flows = (struct history_sample){0};
		}
		*open = *sample;
		add_flows(open, &flows);
	}
}

/* --- recent samples ------------------------------------------------------------------------------ */

/* Drops every second sample of the older half; its arrivals and the like go to the one after it. */
static void halve_older_half(struct history *history)
{
	const size_t half = HISTORY_SAMPLES / 2;
	struct history_sample *samples = history->samples;

	for (size_t i = 0; i < half; i += 2) {
		add_flows(&samples[i + 2], &samples[i + 1]);
		samples[i / 2] = samples[i];
	}
	memmove(&samples[half / 2], &samples[half], half * sizeof(*samples));
	history->count -= half / 2;
}

void history__add(struct history *history, const struct history_sample *sample)
{
	struct history_sample *last = history->count ? &history->samples[history->count - 1] : NULL;

	add_to_tiers(history, sample);
	if (last && last->ticks == sample->ticks) {
		last->goroutines = sample->goroutines;
		last->parked = sample->parked;
		add_flows(last, sample);
		return;
	}
	if (history->count == HISTORY_SAMPLES)
		halve_older_half(history);
	history->samples[history->count++] = *sample;
}

void history__clear(struct history *history)
{
	for (size_t t = 0; t < HISTORY_TIERS; t++)
		free(history->tiers[t]);
	*history = (struct history){0};
}

void history__copy(struct history *to, const struct history *from)
{
	*to = *from;
	for (size_t t = 0; t < HISTORY_TIERS; t++) {
		if (!from->tiers[t])
			continue;
		to->tiers[t] = malloc(sizeof(*to->tiers[t]));
		if (to->tiers[t])
			*to->tiers[t] = *from->tiers[t];
	}
}

/* --- all of the past ------------------------------------------------------------------------------ */

#define ALL_SAMPLES (HISTORY_SAMPLES + HISTORY_TIERS * HISTORY_TIER_SAMPLES)

/* Copies the samples from before @end to @out; returns their number. */
static size_t take_before(const struct history_sample *samples, size_t count, uint64_t end,
			  struct history_sample *out)
{
	size_t n = 0;

	while (n < count && samples[n].ticks < end) {
		out[n] = samples[n];
		n++;
	}
	return n;
}

static void take_flow(uint32_t *flow, uint32_t told)
{
	*flow -= min_of(*flow, told);
}

/* Takes the arrivals and the like of @told away from those of @sample. */
static void take_flows(struct history_sample *sample, const struct history_sample *told)
{
	take_flow(&sample->arrivals, told->arrivals);
	take_flow(&sample->departures, told->departures);
	take_flow(&sample->created, told->created);
	take_flow(&sample->exited, told->exited);
}

/*
 * Appends the recent samples from after the @n of the tiers. Together the recent ones tell all that
 * ever came and left, so the first of them that is taken gets what the tiers did not tell.
 */
static size_t take_recent(const struct history *history, struct history_sample *out, size_t n)
{
	struct history_sample told = {0}, all = {0};
	size_t tiers = n;

	for (size_t i = 0; i < n; i++)
		add_flows(&told, &out[i]);
	for (size_t i = 0; i < history->count; i++) {
		const struct history_sample *sample = &history->samples[i];

		add_flows(&all, sample);
		if (n && sample->ticks <= out[n - 1].ticks)
			continue;
		out[n] = *sample;
		if (n++ == tiers) {
			add_flows(&out[tiers], &all);
			take_flows(&out[tiers], sample);
			take_flows(&out[tiers], &told);
		}
	}
	return n;
}

/* All samples, oldest first: each tier up to where the next finer one begins. */
static size_t all_samples(const struct history *history, struct history_sample out[ALL_SAMPLES])
{
	uint64_t begins[HISTORY_TIERS + 1];
	size_t n = 0;

	/* The recent samples are sparse in their older half: the minutes know that time better. */
	begins[0] = history->count ? history->samples[history->count / 2].ticks : 0;
	for (size_t t = 0; t < HISTORY_TIERS; t++) {
		const struct history_tier *tier = history->tiers[t];

		begins[t + 1] = tier ? min_of(begins[t], tier->samples[0].ticks) : begins[t];
	}
	for (size_t t = HISTORY_TIERS; t-- > 0;) {
		const struct history_tier *tier = history->tiers[t];

		if (tier)
			n += take_before(tier->samples, tier->count, begins[t], out + n);
	}
	return take_recent(history, out, n);
}

size_t history__points(const struct history *history, struct history_sample *points, size_t max)
{
	struct history_sample all[ALL_SAMPLES];
	size_t n = all_samples(history, all), used = min_of(n, max), next = 0;

	for (size_t i = 0; i < used; i++) {
		size_t at = used > 1 ? i * (n - 1) / (used - 1) : n - 1;
		struct history_sample flows = {0};

		for (; next <= at; next++)
			add_flows(&flows, &all[next]);
		points[i] = all[at];
		points[i].arrivals = flows.arrivals;
		points[i].departures = flows.departures;
		points[i].created = flows.created;
		points[i].exited = flows.exited;
	}
	return used;
}

/* The last sample not after @ticks, or the first one. */
static const struct history_sample *sample_at(const struct history *history, uint64_t ticks)
{
	const struct history_sample *found = &history->samples[0];

	for (size_t i = 1; i < history->count && history->samples[i].ticks <= ticks; i++)
		found = &history->samples[i];
	return found;
}

double history__rise(const struct history *history, uint64_t from, uint64_t to)
{
	double rise;

	if (!history->count)
		return 0;
	rise = (double)sample_at(history, to)->goroutines - sample_at(history, from)->goroutines;
	return max_of(rise, 0.0);
}

const struct history_sample *history__latest(const struct history *history)
{
	return history->count ? &history->samples[history->count - 1] : NULL;
}

bool history__covers(const struct history *history, uint64_t from)
{
	return history->count && history->samples[0].ticks <= from;
}

/* --- trend ---------------------------------------------------------------------------------------- */

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
