/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_GOID_CLOCK_H
#define GLEAKD_TRACK_GOID_CLOCK_H

/*
 * How old a goroutine is, by its goid alone. Go hands goids out in order, except that each P takes
 * 16 at a time and keeps them until it needs them (src/runtime/proc.go newproc1, _GoidCacheBatch).
 * So a few pairs of (goid, time) tell the age of every goroutine created since the first of them.
 */
#include "base/common.h"

#define GOID_CLOCK_POINTS 128

/* A point says that at a time so many goids had been handed out: both rise from point to point. */
struct goid_clock {
	uint32_t n;
	struct goid_clock_point {
		uint64_t goid, ticks;
	} points[GOID_CLOCK_POINTS]; /* oldest first */
};

/* goid_clock__add - ignored unless both are past the last point's. */
void goid_clock__add(struct goid_clock *clock, uint64_t goid, uint64_t ticks);

/*
 * goid_clock__created_at - ticks when @goid was created, between the points around it; the first
 * point's for older ones, @now for one past the last.
 */
uint64_t goid_clock__created_at(const struct goid_clock *clock, uint64_t goid, uint64_t now);

#endif /* GLEAKD_TRACK_GOID_CLOCK_H */
