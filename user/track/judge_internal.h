/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_JUDGE_INTERNAL_H
#define GLEAKD_TRACK_JUDGE_INTERNAL_H

/*
 * What the parts of one judgement share: judge.c (a verdict for each site), judge_pass.c (the pass over all
 * goroutines before it), judge_bundles.c (sites that are one leak).
 */
#include "track/tracker_internal.h"
#include "track/verdict.h"

/* With fewer members than the growth test needs (GROWTH_MIN_STAYED) a site gets no histograms. */
#define JUDGE_MIN_MEMBERS 8

/* What is the same for all sites of one judgement. */
struct judge {
	struct tracker *tracker;
	const struct tracker_policy *policy;
	uint64_t now; /* ticks */
	bool again;   /* the same moment as the last time */
	struct age_histogram connections, awake_connections;
};

/* judge__is_origin - @site stands for a `go` statement, not for a place (site_table.h). */
static inline bool judge__is_origin(const struct site *site)
{
	return !site->key.place && !site->key.wait_reason;
}

/* judge__begin_passes - empty what was found out of each site; judge__end_passes() releases it. */
void judge__begin_passes(struct judge *judge);
void judge__pass_all(struct judge *judge);
void judge__end_passes(const struct judge *judge);

/* judge__site - the verdict on site @index by itself, and the trend of its members. */
void judge__site(const struct judge *judge, uint32_t index, struct judgement *ret_judgement,
		 struct trend *ret_trend);

/*
 * judge__find_bundles - note in the passes which sites are parts of one leak. Without memory for it each is
 * judged by itself.
 */
void judge__find_bundles(const struct judge *judge);

#endif /* GLEAKD_TRACK_JUDGE_INTERNAL_H */
