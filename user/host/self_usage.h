/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_SELF_USAGE_H
#define GLEAKD_HOST_SELF_USAGE_H

/* What gleakd itself uses of the host. What cannot be read is 0. */
#include "base/common.h"

struct self_usage {
	double cpu_seconds; /* user and system */
	uint64_t resident_bytes;
	uint64_t start_time_seconds; /* since the epoch */
};

/* self_usage__read - getrusage(2) and @proc_root/self. */
struct self_usage self_usage__read(const char *proc_root);

/*
 * process__start_seconds_at - when a process with that start time began, in seconds since the
 * epoch; @realtime_ns and @boottime_ns are clocks that were read at the same moment. The result is
 * the same for every such pair.
 */
uint64_t process__start_seconds_at(uint64_t start_time_ticks, uint64_t realtime_ns,
				   uint64_t boottime_ns);

/*
 * process__start_seconds - when a process with that start time (clock ticks since boot, field 22 of
 * /proc/PID/stat) began, in seconds since the epoch, by the present clocks.
 */
uint64_t process__start_seconds(uint64_t start_time_ticks);

/* self_usage__cpu_ns - of the calling thread, and of whoever reads for this process. */
uint64_t self_usage__cpu_ns(void);

#endif /* GLEAKD_HOST_SELF_USAGE_H */
