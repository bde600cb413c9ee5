/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_ALLOC_JUDGE_H
#define GLEAKD_TRACK_ALLOC_JUDGE_H

/*
 * Whether a place in the code allocates memory that stays, and more and more of it. It is a statement
 * about what was seen, and no accusation: whether that has an end only the program knows.
 *
 * Six periods up to the latest look are judged, each of one to four of the history's. Short ones tell of
 * a fast leak early; long ones of a slow one, of which a short period may have no sample.
 */
#include "track/alloc_history.h"

/* docs/heap.md and docs/verdicts.md tell these numbers, too. */
#define ALLOC_PERIODS	      6
#define ALLOC_MIN_RISE	      16 /* sampled objects: four standard deviations of that many */
#define ALLOC_MAX_FREED_PART  50 /* no more than one in so many of the rise was freed */
#define ALLOC_PERIOD_MAX_PART 2	 /* no period has more than one in so many of the rise: a burst */
#define ALLOC_HEAP_PART	      2	 /* the heap rises by no less than one in so many of what stays */
#define ALLOC_RISE_PERIODS    2	 /* so long it has risen before it is told when a verdict is due */
#define ALLOC_SLOWING_PART    2 /* the last half rises by no less than one in so many of the first */

/* Of all buckets of a place, over the looks of their pasts. */
struct alloc_evidence {
	struct alloc_times times;
	uint64_t min_window_ns;	      /* what six periods must span at least */
	uint64_t stayed[ALLOC_LOOKS]; /* sampled objects */
	uint64_t freed[ALLOC_LOOKS];
	double bytes[ALLOC_LOOKS]; /* that those that stayed stand for */
	/*
	 * Of what is followed only since watching began, all seems to grow until the first of it is freed. So what
	 * stays of all places together is held against the heap.
	 */
	bool held_against_heap;
	double heap[ALLOC_LOOKS]; /* bytes that collections left of it; 0: not known */
	double whole[ALLOC_LOOKS];
};

/* alloc_evidence__add - one more bucket, each of whose objects stands for @bytes. */
void alloc_evidence__add(struct alloc_evidence *evidence, const struct alloc_past *past,
			 double bytes);

/* alloc_evidence__of_heap - @heap_bytes at each look, @whole: of all places together. */
void alloc_evidence__of_heap(struct alloc_evidence *evidence, const double heap_bytes[ALLOC_LOOKS],
			     const struct alloc_evidence *whole);

enum alloc_verdict {
	ALLOC_NOT_JUDGED, /* too few looks that count */
	ALLOC_STEADY,
	ALLOC_GROWING,
};

const char *alloc_verdict__name(enum alloc_verdict verdict); /* "growing"; "" when not judged */

#define ALLOC_MAX_WHY 3

struct alloc_judgement {
	enum alloc_verdict verdict;
	double bytes_per_minute; /* of what stays, over the periods judged; 0: not judged */
	/* Of what does not grow yet, but rises: at what time of the looks it would if it goes on; 0: cannot be told. */
	uint64_t due_ns;
	unsigned int n_why;
	char why[ALLOC_MAX_WHY][160];
};

/* alloc_judge__of - of one place, at its latest look. */
struct alloc_judgement alloc_judge__of(const struct alloc_evidence *evidence);

#endif /* GLEAKD_TRACK_ALLOC_JUDGE_H */
