/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_CLOCK_H
#define GLEAKD_BASE_CLOCK_H

/*
 * Two clocks. Durations and event times use CLOCK_MONOTONIC in nanoseconds, the clock of
 * bpf_ktime_get_ns(), of the Go runtime's nanotime() and of g.waitsince. Wall time is for display
 * only. Pure modules never read a clock; they are given `now_ns`.
 *
 * A time namespace (time_namespaces(7)) moves the monotonic clock for the processes in it, but not
 * for BPF programs. Here the monotonic clock is always the host's.
 */
#include "base/common.h"

/* clock__monotonic_ns - the host's, in whatever time namespace gleakd runs. */
uint64_t clock__monotonic_ns(void);

/*
 * clock__offset - how far a time namespace moves the monotonic clock ahead of the host's, from the
 * text of /proc/PID/timens_offsets; 0 when the text does not say.
 */
int64_t clock__offset(const char *timens_offsets);
uint64_t clock__realtime_ns(void);

/*
 * clock__suspended_ns - for how long the machine has been suspended since boot: by so much CLOCK_BOOTTIME is ahead,
 * give or take what a time namespace moves the two by. Waits and ages do not count it, for the monotonic clock
 * stands still meanwhile.
 */
uint64_t clock__suspended_ns(void);

/* clock__thread_cpu_ns - CPU time used by the calling thread, for budgets and self-metrics. */
uint64_t clock__thread_cpu_ns(void);

#define CLOCK_RFC3339_SIZE sizeof("2026-01-02T03:04:05.678Z")

/* clock__rfc3339 - UTC with milliseconds, as Go's time.RFC3339Nano would print it. */
void clock__rfc3339(uint64_t realtime_ns, char out[CLOCK_RFC3339_SIZE]);

/* clock__from_rfc3339 - the time that clock__rfc3339() has made @text of; false: it is none. */
bool clock__from_rfc3339(const char *text, uint64_t *ret_realtime_ns);

#endif /* GLEAKD_BASE_CLOCK_H */
