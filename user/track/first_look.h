/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_FIRST_LOOK_H
#define GLEAKD_TRACK_FIRST_LOOK_H

/*
 * What the first census tells of the time before it. Nobody has been seen to come or to leave, but
 * the target's GC has noted since when goroutines wait (g.waitsince), and the order of their goids
 * tells how long they have lived at least. Two questions are answered for each site:
 *
 * - Has a member come here, or come here again, of late? Then others get past this place, and the
 *   longest wait alone proves nothing.
 * - Have the members come one by one for as long as the process runs, and waited here ever since,
 *   up to the present? A leak does. So do a few healthy things (tenants, subscribers), and so does
 *   whatever had a good reason to leave that one look cannot show: docs/verdicts.md.
 *
 * The GC writes the end of the GC before it into g.waitsince of those that it finds waiting
 * (track/collections.h), so the begin of a wait is known to the distance between two collections: two
 * minutes at most, unless the program has switched the GC off (forcegcperiod in src/runtime/proc.go). What
 * the order of arrivals tells takes the one end of that; how long a goroutine waits, the other.
 */
#include "base/common.h"

struct tracker;

/* What the first census told of the time before it, of one site. */
struct first_look {
	uint64_t moved_ticks; /* when a member is last known to have come here; 0: none is */
	/* Members that came one by one and have waited here ever since; 0: they did not come so. */
	uint64_t arrived;
	uint64_t span_ns;		    /* over this long */
	unsigned int periods, periods_with; /* parts of it; those in which enough came */
	uint64_t connections; /* goroutines in network waits that were created in between */
};

/* first_look__take - after the first census: fills in .first_look of all sites. -ENOMEM. */
int first_look__take(struct tracker *tracker, uint64_t now_ticks) __must_check;

#endif /* GLEAKD_TRACK_FIRST_LOOK_H */
