/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_ALLOC_PACE_H
#define GLEAKD_TRACK_ALLOC_PACE_H

/*
 * What others than those who do nothing but allocate have of a size class while hardly anything disturbs them:
 * windows on each allocation slow the latter 15 to 20 times, which leaves others a processor, and fewer collections.
 *
 * Known from the runtime's refills, one for each span of a class: whoever takes an object when a span has none left
 * tells of all that was taken from it. That is right on average where one takes several spans' worth between two
 * collections, and wrong between goroutines that take turns in step; so it says only what all others have together.
 * Hits slow somebody fast by a tenth to a quarter, and hardly anybody else: so that is taken by time, and held against
 * what the runtime counts of the class, which is exact.
 *
 * Pure, and bounded.
 */
#include "base/common.h"

#define ALLOC_PACE_CLASSES 68
#define ALLOC_PACE_FAST \
	16 /* no more keep a processor busy with that at a time, on machines that gleakd was seen on */

struct alloc_pace_class {
	double spans, taken; /* that were used up by whomever, and objects taken from them */
	/* By others, since the window began and in all windows; empty: caches that had no span. */
	struct alloc_pace_group {
		double spans, taken, empty;
	} now, all;
	/* Of windows: sums of the squares of what they had, and of its products with their time. */
	double squares, products;
	uint64_t windows;
	double ns, ns_squares; /* of windows, in which no record was lost */
	/* At the end of the first one, and at that of the latest: time, and what the runtime had counted. */
	double first_ns, first_counted, last_ns, last_counted;
};

struct alloc_pace {
	struct {
		uint64_t goid;
		double lately; /* the part of windows that it was seen to do little else in */
	} fast[ALLOC_PACE_FAST];
	struct alloc_pace_class classes[ALLOC_PACE_CLASSES];
};

/* alloc_pace__begin - of a window on each allocation; _saturated: goroutine @goid did little else in it. */
void alloc_pace__begin(struct alloc_pace *pace);
void alloc_pace__saturated(struct alloc_pace *pace, uint64_t goid);
bool alloc_pace__is_fast(const struct alloc_pace *pace, uint64_t goid);

/* alloc_pace__refill - by goroutine @goid, of a cache that had taken @taken objects from its span; 0: it had none. */
void alloc_pace__refill(struct alloc_pace *pace, uint64_t goid, uint8_t size_class, uint64_t taken);

/* A window that is over, all records of which have been told. */
struct alloc_pace_window {
	uint64_t ns;
	bool complete;			      /* none was lost */
	bool seen[ALLOC_PACE_CLASSES];	      /* there were records of this class */
	uint64_t now_ns;		      /* any clock, */
	uint64_t counted[ALLOC_PACE_CLASSES]; /* and what the runtime had counted by then */
};

void alloc_pace__settle(struct alloc_pace *pace, const struct alloc_pace_window *window);

/*
 * alloc_pace__part - what others have of a class, and how far off that may be, as a part of it. False: that is
 * not known well enough.
 */
bool alloc_pace__part(const struct alloc_pace *pace, size_t c, double *ret_part, double *ret_error);

#endif /* GLEAKD_TRACK_ALLOC_PACE_H */
