// SPDX-License-Identifier: Apache-2.0
#include "host/self_usage.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/failure.h"
#include "host/access.h"
#include "host/process.h"
#include "host/pids.h"
#include "host/resident.h"

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

uint64_t process__start_seconds_at(uint64_t start_time_ticks, uint64_t realtime_ns,
				   uint64_t boottime_ns)
{
	const struct process_id id = {.start_time = start_time_ticks};
	uint64_t age = process_id__uptime_ns(id, boottime_ns);

	/* Both are rounded to seconds first: the two fractions change at different moments. */
	return (realtime_ns - min_of(realtime_ns, age)) / NSEC_PER_SEC;
}

uint64_t process__start_seconds(uint64_t start_time_ticks)
{
	/* Start times count the time that the host was suspended, too (fs/proc/array.c). */
	return process__start_seconds_at(start_time_ticks, clock__realtime_ns(),
					 process_id__boottime_ns());
}

/* Read once: setting the clock later must not look like a restart. */
static uint64_t own_start_seconds(const char *proc_root)
{
	static uint64_t seconds;
	struct process_info self;
	struct failure failure;

	if (!seconds && !process__read(proc_root, getpid(), &self, &failure))
		seconds = process__start_seconds(self.id.start_time);
	return seconds;
}

struct self_usage self_usage__read(const char *proc_root)
{
	struct self_usage usage = {
		.resident_bytes = resident__of(proc_root, 0),
		.start_time_seconds = own_start_seconds(proc_root),
	};
	struct access_usage agent;
	struct rusage used;

	if (!getrusage(RUSAGE_SELF, &used))
		usage.cpu_seconds = seconds(&used.ru_utime) + seconds(&used.ru_stime);
	access__usage(&agent, false);
	usage.cpu_seconds += agent.cpu_seconds;
	usage.resident_bytes += agent.resident_bytes;
	return usage;
}

uint64_t self_usage__cpu_ns(void)
{
	struct access_usage agent;

	access__usage(&agent, false);
	return clock__thread_cpu_ns() + (uint64_t)(agent.cpu_seconds * (double)NSEC_PER_SEC);
}
