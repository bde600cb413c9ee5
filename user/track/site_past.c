// SPDX-License-Identifier: Apache-2.0
#include "track/site_past.h"

#include <stdlib.h>

#include "track/ticks.h"

static void fill_points(const struct history *history, uint64_t now, struct site_past *past)
{
	struct history_sample samples[SITE_MAX_POINTS];
	size_t n = history__points(history, samples, SITE_MAX_POINTS);

	past->n_points = n;
	for (size_t i = 0; i < n; i++) {
		past->points[i] = (struct site_point){
			.ago_ns = ticks__age_ns(samples[i].ticks, now),
			.goroutines = samples[i].goroutines,
			.arrivals = samples[i].arrivals,
			.departures = samples[i].departures,
		};
		past->arrivals += samples[i].arrivals;
		past->departures += samples[i].departures;
	}
}

#define MAX_POINTS (SITE_MAX_COHORTS + 1)

struct site_cohorts {
	size_t n_points;
	uint64_t ticks[MAX_POINTS];   /* rising */
	uint32_t created[MAX_POINTS]; /* since the point before */
	uint64_t alive[MAX_POINTS];   /* of those that began to exist after the point before */
};

struct site_cohorts *site_cohorts__new(const struct history *history)
{
	struct site_cohorts *cohorts = calloc(1, sizeof(*cohorts));
	struct history_sample samples[MAX_POINTS];

	if (!cohorts)
		return NULL;
	cohorts->n_points = history__points(history, samples, MAX_POINTS);
	for (size_t i = 0; i < cohorts->n_points; i++) {
		cohorts->ticks[i] = samples[i].ticks;
		cohorts->created[i] = samples[i].created;
	}
	return cohorts;
}

void site_cohorts__add(struct site_cohorts *cohorts, uint64_t existed_ticks)
{
	size_t i = cohorts->n_points;

	/* Most are asked for where leaks are, and most of those are young. */
	while (i > 0 && existed_ticks <= cohorts->ticks[i - 1])
		i--;
	if (i < cohorts->n_points)
		cohorts->alive[i]++;
}

/*
 * A goroutine is counted as created when it is told of, a little after it began to exist: what a cohort
 * has more than were counted for it was counted for the next.
 */
static void fill_cohorts(const struct site_cohorts *cohorts, uint64_t now, struct site_past *past)
{
	uint64_t counted_later = 0;

	for (size_t i = 1; i < cohorts->n_points; i++) {
		uint64_t alive = cohorts->alive[i] + counted_later;
		struct site_cohort *cohort = &past->cohorts[past->n_cohorts];

		counted_later = alive - min_of(alive, (uint64_t)cohorts->created[i]);
		if (!cohorts->created[i])
			continue;
		cohort->from_ago_ns = ticks__age_ns(cohorts->ticks[i - 1], now);
		cohort->to_ago_ns = ticks__age_ns(cohorts->ticks[i], now);
		cohort->created = cohorts->created[i];
		cohort->alive = alive - counted_later;
		past->n_cohorts++;
	}
}

void site_past__fill(const struct site *site, const struct site *origin, uint64_t now_ticks,
		     struct site_past *ret_past)
{
	*ret_past = (struct site_past){0};
	if (site->history)
		fill_points(site->history, now_ticks, ret_past);
	if (origin->pass.cohorts)
		fill_cohorts(origin->pass.cohorts, now_ticks, ret_past);
}
