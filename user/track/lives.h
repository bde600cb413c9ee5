/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_LIVES_H
#define GLEAKD_TRACK_LIVES_H

/*
 * Goroutines one by one, for who keeps them: each is told of when it ends, with where it was created
 * and where it was parked last. Times are monotonic nanoseconds, as exact as a tick (track/ticks.h).
 * Neither the runtime's own goroutines are told of nor those that the tracker has no record of.
 */
#include "track/tracker.h"

/* Where a goroutine is: numbers of sites may be given anew, what else is here may not. */
struct tracker_place {
	uint32_t site; /* struct site_view.index */
	uint64_t creation_pc, start_pc, place;
	uint64_t call_pc; /* 0: the site is for all calls */
	uint32_t stack_id;
	uint8_t wait_reason;
};

struct tracker_life {
	uint64_t goid;
	struct tracker_place at;
	uint64_t begin_ns;
	uint64_t end_ns;	  /* 0: it exists */
	uint64_t parked_since_ns; /* of one that exists; 0: it is not parked */
	bool created;		  /* since the attach; else it is older than begin_ns */
	bool told;		  /* tracker__tell_alive() has told of it */
};

struct tracker_park {
	uint64_t goid;
	struct tracker_place at;
	uint64_t begin_ns, end_ns; /* it ended by then */
};

struct tracker_observer {
	void (*life)(void *ctx, const struct tracker_life *life); /* one that has ended */
	void (*park)(void *ctx, const struct tracker_park *park); /* likewise, if it was long */
	uint64_t long_park_ns;
	void *ctx;
};

/* tracker__observe - copied; what happened before is not told. */
void tracker__observe(struct tracker *tracker, const struct tracker_observer *observer);

/* tracker__tell_alive - observer.life() for those that exist: @all, or those not told of before. */
void tracker__tell_alive(struct tracker *tracker, bool all);

/* For records.c: a record's life, or its park, ends at @ticks. */
struct goroutine;
void lives__ended(struct tracker *tracker, const struct goroutine *g, uint64_t ticks);
void lives__unparked(struct tracker *tracker, const struct goroutine *g, uint64_t ticks);

#endif /* GLEAKD_TRACK_LIVES_H */
