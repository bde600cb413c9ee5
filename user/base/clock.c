// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock__monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
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
