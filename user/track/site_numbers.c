// SPDX-License-Identifier: Apache-2.0
#include "track/site_numbers.h"

#include <string.h>

static void fill_points(const struct history *history, uint64_t now, struct site_evidence *out)
{
	struct history_sample samples[SITE_MAX_POINTS];
	size_t n = history__points(history, samples, SITE_MAX_POINTS);

	out->n_points = n;
	for (size_t i = 0; i < n; i++) {
		out->points[i] = (struct site_point){
			.ago_ns = ticks__age_ns(samples[i].ticks, now),
			.goroutines = samples[i].goroutines,
			.arrivals = samples[i].arrivals,
			.departures = samples[i].departures,
		};
		out->arrivals += samples[i].arrivals;
		out->departures += samples[i].departures;
	}
}

/* Those whom @origin created between each two points of its past, and how many of them are alive. */
static void fill_cohorts(const struct site *origin, uint64_t now, struct site_evidence *out)
{
	struct history_sample samples[SITE_MAX_COHORTS + 1];
	size_t n = history__points(origin->history, samples, ARRAY_SIZE(samples));

	for (size_t i = 1; i < n; i++) {
		struct site_cohort *cohort = &out->cohorts[out->n_cohorts];
		uint64_t alive;

		if (!samples[i].created)
			continue;
		cohort->from_ago_ns = ticks__age_ns(samples[i - 1].ticks, now);
		cohort->to_ago_ns = ticks__age_ns(samples[i].ticks, now);
		alive = (uint64_t)(ages__between(origin->pass.alive, cohort->to_ago_ns,
						 cohort->from_ago_ns) +
				   0.5);
		cohort->created = samples[i].created;
		/* The histogram of ages has steps: not more can be alive than were created. */
		cohort->alive = min_of(alive, cohort->created);
		out->n_cohorts++;
	}
}

void site_numbers__fill(const struct tracker *tracker, const struct site *site,
			const struct opinion *opinion, uint64_t now_ticks,
			struct site_evidence *ret_evidence)
{
	const struct site *origin = site_table__at(tracker->sites, site->origin);
	uint64_t watched = ticks__age_ns(tracker->watch_ticks, now_ticks);

	*ret_evidence = (struct site_evidence){
		.observed_ns = min_of(watched, ticks__age_ns(site->first_ticks, now_ticks)),
		.stay_ns = opinion->stay_ns,
		.stayed = opinion->stayed,
		.left = opinion->left,
		.n_weights = opinion->n_weights,
	};
	for (size_t i = 0; i < SITE_AGE_STEPS; i++)
		ret_evidence->ages[i] = site->pass.age_steps[i];
	memcpy(ret_evidence->weights, opinion->weights, sizeof(ret_evidence->weights));
	if (site->history)
		fill_points(site->history, now_ticks, ret_evidence);
	if (origin->history && origin->pass.alive)
		fill_cohorts(origin, now_ticks, ret_evidence);
}
