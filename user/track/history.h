/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_HISTORY_H
#define GLEAKD_TRACK_HISTORY_H

/*
 * How many goroutines a site has had, in bounded memory for as long as the site exists. Two views:
 *
 * - recent samples, one per census. When their array is full, every second sample of its older half
 *   goes, again and again: the latest are complete, older ones sparser the older they are, and the
 *   very first stays. The trend comes from these.
 * - tiers with even steps further back: a sample per minute for an hour, per hour for two days, per
 *   day for two months. A tier is allocated when its first step is over.
 */
#include "base/common.h"

#define HISTORY_SAMPLES	     64
#define HISTORY_TIERS	     3
#define HISTORY_TIER_SAMPLES 60

struct history_sample {
	uint64_t ticks;
	uint32_t goroutines, parked;
	uint32_t arrivals, departures; /* since the sample before */
	uint32_t created, exited;      /* likewise, by the site's go statement wherever they are */
};

struct history_tier {
	uint32_t count;
	struct history_sample samples[HISTORY_TIER_SAMPLES]; /* oldest first */
};

struct history {
	uint32_t count;
	struct history_sample samples[HISTORY_SAMPLES]; /* oldest first */
	struct history_tier *tiers[HISTORY_TIERS];	/* minutes, hours, days; owned */
	struct history_sample open[HISTORY_TIERS];	/* the step of each tier under way */
};

/* history__add - @sample must not be older than the last one; an equal time replaces it. */
void history__add(struct history *history, const struct history_sample *sample);

/* history__clear - forget everything and free the tiers. */
void history__clear(struct history *history);

/* history__copy - a deep copy; tiers that find no memory are left out. */
void history__copy(struct history *to, const struct history *from);

/*
 * history__points - up to @max samples that show all of the past, oldest first, coarser further
 * back; arrivals and the like are since the point before. Returns their number.
 */
size_t history__points(const struct history *history, struct history_sample *points, size_t max);

/*
 * history__rise - how much goroutines rose from @from to @to ticks, 0 when it fell or is unknown.
 */
double history__rise(const struct history *history, uint64_t from, uint64_t to);

/* history__latest - the last sample; NULL before the first. */
const struct history_sample *history__latest(const struct history *history);

/* history__covers - whether it reaches back to @from ticks. */
bool history__covers(const struct history *history, uint64_t from);

/* What the number of goroutines did over a window of the past. */
struct trend {
	uint32_t samples;
	uint64_t span_ns; /* from the first to the last sample of the window */
	uint32_t first, last;
	double per_minute; /* Theil-Sen: median of the slopes between all pairs of samples */
	double rise;	   /* from the median of the first quarter to that of the last */
	bool steady;	   /* no quarter's median is below that of the quarter before */
	uint64_t arrivals, departures;
};

/* history__trend - over the samples since @from ticks; all zero with fewer than 3. */
void history__trend(const struct history *history, uint64_t from, struct trend *ret_trend);

#endif /* GLEAKD_TRACK_HISTORY_H */
