// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

/* kernel/time/namespace.c: no clock may be moved beyond KTIME_SEC_MAX / 2, 146 years. */
#define MAX_OFFSET_SECONDS (146LL * 366 * 24 * 3600)

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* fs/proc/base.c timens_offsets: "monotonic", seconds, which may be negative, nanoseconds. */
int64_t clock__offset(const char *timens_offsets)
{
	const char *line = strstr(timens_offsets, "monotonic");
	int64_t seconds, nanoseconds;

	if (!line || sscanf(line, "monotonic %" SCNd64 " %" SCNd64, &seconds, &nanoseconds) != 2)
		return 0;
	if (seconds > MAX_OFFSET_SECONDS || seconds < -MAX_OFFSET_SECONDS || nanoseconds < 0 ||
	    nanoseconds >= (int64_t)NSEC_PER_SEC)
		return 0;
	return seconds * (int64_t)NSEC_PER_SEC + nanoseconds;
}

static int64_t own_offset(void)
{
	FILE *file __cleanup_fclose = fopen("/proc/self/timens_offsets", "re");
	char text[256];
	size_t length = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	text[length] = '\0';
	return clock__offset(text);
}

uint64_t clock__suspended_ns(void)
{
	struct timespec boot, monotonic;
	uint64_t boot_ns, monotonic_ns;

	/* In this order the time between the two reads is none that it was suspended for. */
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	boot_ns = (uint64_t)boot.tv_sec * NSEC_PER_SEC + (uint64_t)boot.tv_nsec;
	monotonic_ns = (uint64_t)monotonic.tv_sec * NSEC_PER_SEC + (uint64_t)monotonic.tv_nsec;
	return boot_ns - min_of(boot_ns, monotonic_ns);
}

uint64_t clock__monotonic_ns(void)
{
	static bool asked;
	static int64_t offset;

	/*
	 * The offset never changes: a process enters a time namespace at exec, when its offsets are
	 * fixed.
	 */
	if (!asked)
		offset = own_offset();
	asked = true;
	return read_clock(CLOCK_MONOTONIC) - (uint64_t)offset;
}

uint64_t clock__realtime_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t clock__thread_cpu_ns(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void clock__rfc3339(uint64_t realtime_ns, char out[CLOCK_RFC3339_SIZE])
{
	time_t seconds = (time_t)(realtime_ns / NSEC_PER_SEC);
	unsigned int ms = (unsigned int)(realtime_ns % NSEC_PER_SEC / NSEC_PER_MSEC);
	struct tm tm;
	char date[32];

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, CLOCK_RFC3339_SIZE, "%.19s.%03uZ", date, ms % 1000);
}

bool clock__from_rfc3339(const char *text, uint64_t *ret_realtime_ns)
{
	unsigned int ms = 0;
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	time_t seconds = rest ? timegm(&tm) : -1;
	int used = 0;

	if (seconds < 0 || sscanf(rest, ".%3uZ%n", &ms, &used) != 1 || used != 5 || rest[used])
		return false;
	*ret_realtime_ns = (uint64_t)seconds * NSEC_PER_SEC + ms * NSEC_PER_MSEC;
	return true;
}
