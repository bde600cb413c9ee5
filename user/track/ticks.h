/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_TICKS_H
#define GLEAKD_TRACK_TICKS_H

/*
 * Compact time: 40 bits of 2^18 ns (262 us), counted like CLOCK_MONOTONIC from the host's boot.
 *
 * Absolute, so goroutines parked long before the attach need no signed arithmetic; 2^58 ns are nine
 * years of uptime, after which ticks stand still at the maximum and ages stop growing (nothing
 * wraps). An event and a census read that are less than 262 us apart may get the same ticks: each
 * rule of the merge says what it does then.
 */
#include "base/common.h"

#define TICK_SHIFT 18
#define TICK_BITS  40
#define TICK_MAX   ((1ULL << TICK_BITS) - 1)

/* ticks__of - @time_ns in ticks, rounded down. */
static inline uint64_t ticks__of(uint64_t time_ns)
{
	return min_of(time_ns >> TICK_SHIFT, TICK_MAX);
}

/* ticks__age_ns - nanoseconds from @since to @now; 0 when @since is not in the past. */
static inline uint64_t ticks__age_ns(uint64_t since, uint64_t now)
{
	return now > since ? (now - since) << TICK_SHIFT : 0;
}

#endif /* GLEAKD_TRACK_TICKS_H */
