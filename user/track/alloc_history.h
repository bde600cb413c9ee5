/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_ALLOC_HISTORY_H
#define GLEAKD_TRACK_ALLOC_HISTORY_H

/*
 * What became of the sampled objects of a process from one look to the next. An object that was there
 * in two looks, with a whole collection between them, has stayed: something leads to it. Only what
 * stayed is counted: what was allocated since may be garbage that nobody has looked for yet.
 *
 * Pure: it is told everything, and reads no clock. An object is known by its address and bucket; a new
 * one of the same bucket at the same address, which is sampled by chance as well, is taken for it.
 */
#include "base/common.h"

/* docs/heap.md tells these numbers to the user. */
#define ALLOC_PERIODS	    6
#define ALLOC_MIN_PERIOD_NS (10 * NSEC_PER_SEC)
#define ALLOC_MIN_CYCLES    2 /* that ended between two looks: then one has begun since the first */

struct alloc_object {
	uint64_t address;
	uint64_t bucket; /* where it was allocated */
};

/* Of one bucket, the latest last. */
struct alloc_past {
	unsigned int n; /* looks at which it could be said what stayed, at most ALLOC_PERIODS + 1 */
	uint32_t stayed[ALLOC_PERIODS + 1]; /* objects */
	uint32_t freed[ALLOC_PERIODS + 1];  /* that had stayed until the look before */
};

struct alloc_history;

/* alloc_history__new - @max: objects of a look; a look at more says nothing. -ENOMEM. */
int alloc_history__new(size_t max, struct alloc_history **ret_history) __must_check;
void alloc_history__free(struct alloc_history *history);

/*
 * alloc_history__take - @objects are those that are alive at @time_ns, when @gc_cycles collections had
 * ended; they are sorted. 1: taken; 0: too soon after the last one that was. Errors: -E2BIG
 * more than the maximum, -ENOMEM; then it begins anew.
 */
int alloc_history__take(struct alloc_history *history, uint64_t time_ns, uint64_t gc_cycles,
			struct alloc_object *objects, size_t n) __must_check;

/* alloc_history__past - of @bucket; one that was never seen has zeros. */
void alloc_history__past(const struct alloc_history *history, uint64_t bucket,
			 struct alloc_past *ret_past);

/* alloc_history__window_ns - from the first to the last of the looks that a past tells of. */
uint64_t alloc_history__window_ns(const struct alloc_history *history);

#endif /* GLEAKD_TRACK_ALLOC_HISTORY_H */
