// SPDX-License-Identifier: Apache-2.0
#include "track/site_past.h"

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

/* How many @origin created between each two points of its past, and how many of those are alive. */
static void fill_cohorts(const struct site *origin, uint64_t now, struct site_past *past)
{
	struct history_sample samples[SITE_MAX_COHORTS + 1];
	size_t n = history__points(origin->history, samples, ARRAY_SIZE(samples));

	for (size_t i = 1; i < n; i++) {
		struct site_cohort *cohort = &past->cohorts[past->n_cohorts];
		uint64_t alive;

		if (!samples[i].created)
			continue;
		cohort->from_ago_ns = ticks__age_ns(samples[i - 1].ticks, now);
		cohort->to_ago_ns = ticks__age_ns(samples[i].ticks, now);
		alive = (uint64_t)(age_histogram__between(origin->pass.created_life_ages,
							  cohort->to_ago_ns, cohort->from_ago_ns) +
				   0.5);
		cohort->created = samples[i].created;
		/* The histogram of ages has steps: not more can be alive than were created. */
		cohort->alive = min_of(alive, cohort->created);
		past->n_cohorts++;
	}
}

void site_past__fill(const struct site *site, const struct site *origin, uint64_t now_ticks,
		     struct site_past *ret_past)
{
	*ret_past = (struct site_past){0};
	if (site->history)
		fill_points(site->history, now_ticks, ret_past);
	if (origin->history && origin->pass.created_life_ages)
		fill_cohorts(origin, now_ticks, ret_past);
}
