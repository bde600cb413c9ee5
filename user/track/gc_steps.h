/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_GC_STEPS_H
#define GLEAKD_TRACK_GC_STEPS_H

/*
 * The collections that have noted since when goroutines wait. All that one of them finds new are said to
 * wait since the end of the one before (src/runtime/mgcmark.go markroot, work.tstart): they came between
 * the two. A heap that grows is collected ever more seldom, so the steps of a young process are of very
 * different length.
 */
#include "base/common.h"

#define GC_STEPS_MAX 64

struct gc_steps {
	uint64_t ticks[GC_STEPS_MAX]; /* of collections, in rising order */
	size_t n;
	bool too_many; /* more than have room: of no use */
	uint64_t now_ticks;
	uint64_t recent_ticks; /* what waits since then, no collection has noted */
};

/* gc_steps__begin - of a process that has run for @life_ticks. */
void gc_steps__begin(struct gc_steps *steps, uint64_t now_ticks, uint64_t life_ticks);

/* gc_steps__note - a goroutine waits since @since_ticks. */
void gc_steps__note(struct gc_steps *steps, uint64_t since_ticks);

/*
 * gc_steps__of - the step in which a goroutine came that is said to wait since then: a step goes from
 * ticks[i] to the next, the first from the process' start, and the last to now.
 */
size_t gc_steps__of(const struct gc_steps *steps, uint64_t since_ticks);

/* Those that came after the first step, which says nothing of when in it they did. */
struct gc_steps_rise {
	uint64_t arrived, span_ns;
	/* steps, and those with as many as their length wants */
	unsigned int periods, periods_with;
};

/*
 * gc_steps__rise - whether @counts, by step, are as even as the steps are long, to the end: in all but one
 * of them, in four at least, came half as many as would be even, and in none twice as many.
 */
bool gc_steps__rise(const struct gc_steps *steps, const uint32_t *counts,
		    struct gc_steps_rise *ret_rise);

#endif /* GLEAKD_TRACK_GC_STEPS_H */
