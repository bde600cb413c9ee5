// SPDX-License-Identifier: Apache-2.0
/* What of groups is held up: only what is known of all of a group. */
#include "output/prometheus/textfile_parts.h"

static bool is_known(const struct metrics_group *group)
{
	const struct metrics_scheduling *scheduling = &group->scheduling;

	return scheduling->runtimes && scheduling->known == scheduling->runtimes;
}

static bool has_latencies(const struct metrics_group *group)
{
	const struct metrics_scheduling *scheduling = &group->scheduling;

	return scheduling->runtimes && scheduling->with_latencies == scheduling->runtimes;
}

static bool has_threads(const struct metrics_group *group)
{
	const struct metrics_scheduling *scheduling = &group->scheduling;

	return scheduling->runtimes && scheduling->with_threads == scheduling->runtimes;
}

static uint64_t over_10ms(const struct metrics_group *group)
{
	return group->counts.n[GROUP_OVER_10MS];
}

static uint64_t late(const struct metrics_group *group)
{
	return group->scheduling.late;
}

static uint64_t hogs(const struct metrics_group *group)
{
	return group->scheduling.hogs;
}

static uint64_t stuck(const struct metrics_group *group)
{
	return group->scheduling.stuck;
}

static uint64_t threads(const struct metrics_group *group)
{
	return group->scheduling.threads;
}

static uint64_t in_calls(const struct metrics_group *group)
{
	return group->scheduling.in_calls;
}

static uint64_t locked(const struct metrics_group *group)
{
	return group->scheduling.locked;
}

static const struct textfile_gauge gauges[] = {
	{"gleakd_sched_latency_over_10ms_total",
	 "Waits of goroutines for a processor that took more than 10 ms, of one in eight goroutines.",
	 EXPOSITION_COUNTER, has_latencies, over_10ms},
	{"gleakd_late_goroutines",
	 "Goroutines that have been waiting for a processor for more than 10 ms.", EXPOSITION_GAUGE,
	 is_known, late},
	{"gleakd_processor_hogs", "Goroutines that keep a processor while others wait for one.",
	 EXPOSITION_GAUGE, is_known, hogs},
	{"gleakd_stuck_syscalls", "Threads of goroutines that stay in one system call.",
	 EXPOSITION_GAUGE, is_known, stuck},
	{"gleakd_threads", "Threads of the operating system.", EXPOSITION_GAUGE, has_threads,
	 threads},
	{"gleakd_threads_in_calls",
	 "Goroutines in a system call or in C, each of which takes a thread.", EXPOSITION_GAUGE,
	 is_known, in_calls},
	{"gleakd_locked_goroutines", "Goroutines that have a thread to themselves.",
	 EXPOSITION_GAUGE, is_known, locked},
};

void textfile_part__scheduling(FILE *out, const struct metrics *metrics)
{
	textfile_part__gauges(out, metrics, gauges, ARRAY_SIZE(gauges));
}
