/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_ALLOC_HISTORY_H
#define GLEAKD_TRACK_ALLOC_HISTORY_H

/*
 * What became of the sampled objects of a process from one look to the next. An object that was there
 * in two looks, with a whole collection between them, has stayed: something leads to it. Only what
 * stayed is counted: what was allocated since may be garbage that nobody has looked for yet.
 *
 * So that it reaches further back the longer it lasts, and stays as large as it is, every other look is
 * forgotten once there are ALLOC_LOOKS, and looks are twice as far apart from then on. What was freed
 * between two looks is added up, so nothing of that is lost.
 *
 * Pure: it is told everything, and reads no clock. An object is known by its address and bucket; a new
 * one of the same bucket at the same address, which is sampled by chance as well, is taken for it.
 */
#include "base/common.h"

/* docs/heap.md and docs/verdicts.md tell these numbers to the user. */
#define ALLOC_MIN_PERIOD_NS (10 * NSEC_PER_SEC)
#define ALLOC_MAX_PERIOD_NS (300 * NSEC_PER_SEC)
/* Whoever looks at regular times is a little early now and then. */
#define ALLOC_SLACK_PART 16
#define ALLOC_MIN_CYCLES 2 /* that ended between two looks: then one has begun since the first */
#define ALLOC_LOOKS	 25

struct alloc_object {
	uint64_t address;
	uint64_t bucket; /* where it was allocated */
};

/* Looks that say what stayed, the oldest first. */
struct alloc_times {
	unsigned int n;
	uint64_t ns[ALLOC_LOOKS];
};

/* Of one bucket, at each of these looks. */
struct alloc_past {
	uint32_t stayed[ALLOC_LOOKS]; /* objects */
	uint32_t freed[ALLOC_LOOKS];  /* that had stayed until the look before */
};

struct alloc_history;

struct alloc_history_options {
	size_t max;	    /* objects of a look; a look at more says nothing */
	uint64_t period_ns; /* the least from look to look; 0: ALLOC_MIN_PERIOD_NS */
};

int alloc_history__new(const struct alloc_history_options *options,
		       struct alloc_history **ret_history) __must_check;
void alloc_history__free(struct alloc_history *history);

/*
 * alloc_history__take - @objects are those that are alive at @time_ns, when @gc_cycles collections had
 * ended; they are sorted. 1: taken; 0: too soon after the last one that was. Errors: -E2BIG
 * more than the maximum, -ENOMEM; then it begins anew.
 */
int alloc_history__take(struct alloc_history *history, uint64_t time_ns, uint64_t gc_cycles,
			struct alloc_object *objects, size_t n) __must_check;

/* alloc_history__is_due - whether a look at this time would be taken. */
bool alloc_history__is_due(const struct alloc_history *history, uint64_t time_ns,
			   uint64_t gc_cycles);

/* alloc_history__times - of the looks that pasts tell of. */
const struct alloc_times *alloc_history__times(const struct alloc_history *history);

/* alloc_history__past - of @bucket; one that was never seen has zeros. */
void alloc_history__past(const struct alloc_history *history, uint64_t bucket,
			 struct alloc_past *ret_past);

/*
 * alloc_history__each - visits all buckets of which something stayed; false from @visit stops.
 * alloc_history__restore_times, _past - into one that has taken nothing yet: it goes on from there. The
 * first look that it takes then tells what is there, and not what stayed. Times have to rise. -ENOMEM,
 * -E2BIG, -EINVAL.
 */
void alloc_history__each(const struct alloc_history *history,
			 bool (*visit)(void *ctx, uint64_t bucket, const struct alloc_past *past),
			 void *ctx);
int alloc_history__restore_times(struct alloc_history *history,
				 const struct alloc_times *times) __must_check;
int alloc_history__restore_past(struct alloc_history *history, uint64_t bucket,
				const struct alloc_past *past) __must_check;

#endif /* GLEAKD_TRACK_ALLOC_HISTORY_H */
