/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_HELD_H
#define GLEAKD_BASE_HELD_H

/*
 * Which piece of work the loop did longest without looking at anything else, so that it shows when something that
 * somebody else decides holds it up. For the thread of the loop alone; there is one in a process.
 */
#include "base/common.h"

enum held_by {
	HELD_BY_NOTHING, /* it waits */
	HELD_BY_OTHERS,
	HELD_BY_EVENTS,	   /* what probes tell */
	HELD_BY_PROCESSES, /* to find and attach them */
	HELD_BY_PROBES,	   /* what they cost, and whether they stay */
	HELD_BY_CENSUS,
	HELD_BY_HEAP,
	HELD_BY_REPORT,
	HELD_BY_COUNT,
};

const char *held_by__name(enum held_by by); /* "census" */

/* held__by - what was done until now is over, and this begins. */
void held__by(enum held_by by);

struct loop_hold {
	uint64_t ns;
	enum held_by by;
};

/* held__take - the longest piece of work since the last call. */
struct loop_hold held__take(void);

#endif /* GLEAKD_BASE_HELD_H */
