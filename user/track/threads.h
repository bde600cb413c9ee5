/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_THREADS_H
#define GLEAKD_TRACK_THREADS_H

/*
 * Whether the threads of a process become more and more, by how many there were at each look. The runtime makes one
 * for each goroutine that blocks in the kernel or in C, and never gives one back.
 *
 * Pure: what is seen is given with its time.
 */
#include "base/common.h"

/* So far back is looked for how few there were. */
#define THREADS_WINDOW_NS (10 * 60 * NSEC_PER_SEC)
/* Fewer more than that, or than twice as many, are what a service needs that has more to do than before. */
#define THREADS_MIN_RISE 16

#define THREADS_PERIODS 60

struct threads_rise {
	uint64_t from, to; /* threads */
	uint64_t over_ns;  /* 0: they do not rise */
};

/* All zero: nothing seen yet. */
struct threads {
	struct threads_period {
		uint64_t number; /* of THREADS_WINDOW_NS / THREADS_PERIODS since the clock began */
		uint64_t least, seen_ns; /* seen last with so few */
	} periods[THREADS_PERIODS];
};

/* threads__note - there are @n now. */
void threads__note(struct threads *threads, uint64_t n, uint64_t now_ns);

/*
 * threads__rise - from the last look in the window that found fewest to @n. @processors, which the runtime needs
 * a thread for each, are no rise; 0: not known.
 */
struct threads_rise threads__rise(const struct threads *threads, uint64_t n, uint64_t processors,
				  uint64_t now_ns);

#endif /* GLEAKD_TRACK_THREADS_H */
