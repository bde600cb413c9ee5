/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_DEPARTED_H
#define GLEAKD_TRACK_DEPARTED_H

/*
 * The goids of those goroutines that have exited last. Go never reuses a goid. So what is told late
 * of one of these (a creation out of order, a second exit, something a census read before the exit)
 * is recognised, and does not make a record of a goroutine that is gone.
 *
 * A 4-way set-associative cache: a new goid overwrites the oldest of its set. It begins small, and
 * doubles, up to eight thousand goids, when it would have to overwrite entries that are not old
 * yet. If an entry is missed, the worst is a record that the next census removes again.
 */
#include "base/common.h"
#include "track/ticks.h"

#define DEPARTED_MIN_SETS 32
#define DEPARTED_MAX_SETS 2048
#define DEPARTED_WAYS	  4
/* Neither a census nor a full ring buffer tells of something that is older. */
#define DEPARTED_KEEP_TICKS ticks__of(10 * NSEC_PER_SEC)

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

struct departed;

int departed__new(struct departed **ret_departed) __must_check;
void departed__free(struct departed *departed);

/* departed__find - NULL when there is no entry for @goid. Valid until the next one is added. */
struct departed_entry *departed__find(struct departed *departed, uint64_t goid);
void departed__add(struct departed *departed, uint64_t goid, uint64_t ticks, unsigned int flags);

#endif /* GLEAKD_TRACK_DEPARTED_H */
