/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_HISTORY_H
#define GLEAKD_TRACK_HISTORY_H

/*
 * The past of one site: a sample per census, in bounded memory for as long as the site lives. When
 * the array is full, every second sample of its older half goes, again and again: the latest are
 * complete, older ones sparser the older they are, and the very first stays.
 */
#include "base/common.h"

#define HISTORY_SAMPLES 64

struct history_sample {
	uint64_t ticks;
	uint32_t goroutines, parked;
	uint32_t arrivals, departures; /* since the sample before */
};

struct history {
	uint32_t count;
	struct history_sample samples[HISTORY_SAMPLES]; /* oldest first */
};

/* history__add - @sample must not be older than the last one; an equal time replaces it. */
void history__add(struct history *history, const struct history_sample *sample);

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
