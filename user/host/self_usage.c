// SPDX-License-Identifier: Apache-2.0
#include "host/self_usage.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/failure.h"
#include "host/process.h"

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

/* proc(5), /proc/PID/statm: size and resident, in pages. */
static uint64_t resident_bytes(const char *proc_root)
{
	char path[PATH_MAX];
	uint64_t resident = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/self/statm", proc_root);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%*u %" SCNu64, &resident) != 1)
		resident = 0;
	fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t process__start_seconds(uint64_t start_time_ticks)
{
	struct timespec since_boot;
	uint64_t ticks = (uint64_t)max_of(sysconf(_SC_CLK_TCK), 1L);
	uint64_t now = clock__realtime_ns() / NSEC_PER_SEC;

	/* Start times count the time that the host was suspended, too (fs/proc/array.c). */
	if (clock_gettime(CLOCK_BOOTTIME, &since_boot))
		return 0;
	return now - min_of(now, (uint64_t)since_boot.tv_sec) + start_time_ticks / ticks;
}

struct self_usage self_usage__read(const char *proc_root)
{
	struct self_usage usage = {.resident_bytes = resident_bytes(proc_root)};
	struct process_info self;
	struct failure failure;
	struct rusage used;

	if (!getrusage(RUSAGE_SELF, &used))
		usage.cpu_seconds = seconds(&used.ru_utime) + seconds(&used.ru_stime);
	if (!process__read(proc_root, getpid(), &self, &failure))
		usage.start_time_seconds = process__start_seconds(self.id.start_time);
	return usage;
}
