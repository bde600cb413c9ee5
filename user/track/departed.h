/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_DEPARTED_H
#define GLEAKD_TRACK_DEPARTED_H

/*
 * Goids of goroutines that are gone, the latest eight thousand. Go never reuses a goid, so whatever
 * arrives late about one of these (a reordered creation, a doubled exit, a census read from before
 * its exit) is recognised instead of bringing it back to life.
 *
 * A fixed, 4-way set-associative memory: a set forgets its oldest goid. Forgetting costs at most a
 * goroutine that the next census removes again.
 */
#include "base/common.h"

#define DEPARTED_SETS 2048
#define DEPARTED_WAYS 4

enum departed_flag {
	DEPARTED_ORPHAN = 1 << 0,    /* exited without a record, at the unknown site */
	DEPARTED_SWEPT = 1 << 1,     /* concluded from a census; its exit event has not been seen */
	DEPARTED_REPAIR = 1 << 2,    /* ... and counted as repaired */
	DEPARTED_UNCOUNTED = 1 << 3, /* its creation was not counted: older than the attach */
	DEPARTED_CONCLUDED = 1 << 4, /* its creation was counted as repaired */
};

struct departed_entry {
	uint64_t goid; /* 0: free */
	uint64_t ticks : 40;
	uint64_t flags : 24;
};

struct departed {
	struct departed_entry sets[DEPARTED_SETS][DEPARTED_WAYS]; /* latest first */
};

/* departed__find - NULL when @goid is not remembered. */
struct departed_entry *departed__find(struct departed *departed, uint64_t goid);
void departed__add(struct departed *departed, uint64_t goid, uint64_t ticks, unsigned int flags);

#endif /* GLEAKD_TRACK_DEPARTED_H */
