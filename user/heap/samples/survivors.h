/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_SAMPLES_SURVIVORS_H
#define GLEAKD_HEAP_SAMPLES_SURVIVORS_H

/*
 * What became of objects from one garbage collection to the next. Once a span is swept, its allocBits are the
 * marks of that collection, and they stay so until the next one has marked, whatever is allocated in between
 * (src/runtime/mgcsweep.go): so an object that was there before is alive if its bit is set, and where it is
 * not, what is in its place now is another one.
 */
#include "heap/runtime/runtime.h"

enum survivor_fate {
	SURVIVOR_SAME,	 /* no collection since, or its span waits to be swept */
	SURVIVOR_STAYED, /* the collection since has found it */
	SURVIVOR_DEAD,
};

struct survivor {
	uint64_t mspan, base; /* its span: the runtime's struct, and where its objects begin */
	uint32_t index;	      /* of it in there */
	uint32_t sweepgen; /* mheap_.sweepgen when it was last known; of those that stayed as now */
	enum survivor_fate fate;
	bool missed; /* there were several: what is in its place may be another one */
};

#define SURVIVORS_MAX 256u /* of one check */

/* survivors__check - @n objects, SURVIVORS_MAX at most. Errors: -EFAULT, -ESRCH, -EINVAL, -ENOMEM. */
int survivors__check(const struct heap_runtime *runtime, struct survivor *all,
		     size_t n) __must_check;

/* survivors__sweepgen - mheap_.sweepgen: it grows by two when a collection has marked. */
int survivors__sweepgen(const struct heap_runtime *runtime, uint32_t *ret_sweepgen) __must_check;

#endif /* GLEAKD_HEAP_SAMPLES_SURVIVORS_H */
