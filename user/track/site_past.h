/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_SITE_PAST_H
#define GLEAKD_TRACK_SITE_PAST_H

/*
 * The past of a site as numbers for people: how many there were when, how many are left of each
 * time.
 */
#include "track/site_table.h"
#include "track/site_view.h"

struct site_past {
	uint64_t arrivals, departures; /* over all points */
	size_t n_points, n_cohorts;
	struct site_point points[SITE_MAX_POINTS];    /* oldest first */
	struct site_cohort cohorts[SITE_MAX_COHORTS]; /* oldest first */
};

/*
 * Goroutines of one go statement that still exist, by when they were created: between which two
 * points of @history. To the tick, so that beside none that left no cohort misses one.
 * site_cohorts__new() returns NULL without memory, or without two points; free() frees it.
 */
struct site_cohorts *site_cohorts__new(const struct history *history);
/* site_cohorts__add - one that has existed since @existed_ticks. */
void site_cohorts__add(struct site_cohorts *cohorts, uint64_t existed_ticks);

/*
 * site_past__fill - of @site, whose go statement @origin stands for; during tracker__judge() only.
 */
void site_past__fill(const struct site *site, const struct site *origin, uint64_t now_ticks,
		     struct site_past *ret_past);

#endif /* GLEAKD_TRACK_SITE_PAST_H */
