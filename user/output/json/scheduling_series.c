// SPDX-License-Identifier: Apache-2.0
#include "output/json/scheduling_series.h"

#include "base/clock.h"

static void put_time(struct json *json, const struct timeline *timeline, uint64_t ns)
{
	char time[CLOCK_RFC3339_SIZE];

	clock__rfc3339(timeline__realtime_ns(timeline, ns), time);
	json__text(json, "time", time);
}

static void put_moment(struct json *json, const struct timeline *timeline,
		       const struct timeline_scheduling *at)
{
	json__object(json, NULL);
	put_time(json, timeline, at->time_ns);
	if (at->latencies_known)
		json__count(json, "latency_over_10ms", at->over_10ms);
	else
		json__null(json, "latency_over_10ms");
	json__count(json, "late", at->late);
	json__seconds(json, "longest_late_seconds", at->longest_late_ns);
	json__count(json, "hogs", at->hogs);
	json__count(json, "stuck_syscalls", at->stuck);
	json__seconds(json, "throttled_seconds_total", at->throttled_ns);
	json__seconds(json, "run_delay_seconds_total", at->run_delay_ns);
	json__seconds(json, "stolen_seconds_total", at->stolen_ns);
	json__count(json, "threads_in_calls", at->in_calls);
	json__count(json, "locked_goroutines", at->locked);
	json__end_object(json);
}

static void put_call(struct json *json, const struct timeline *timeline,
		     const struct timeline_call *call)
{
	json__object(json, NULL);
	put_time(json, timeline, call->begin_ns);
	json__seconds(json, "seconds", call->end_ns - call->begin_ns);
	json__count(json, "goid", call->goid);
	json__count(json, "thread", call->thread);
	json__text(json, "call", call->call);
	json__bool(json, "in_c", call->in_c);
	json__end_object(json);
}

void json__scheduling_series(struct json *json, const struct timeline *timeline,
			     const struct report_target *target)
{
	const struct timeline_target *found = timeline__find(timeline, target);

	if (!found)
		return;
	json__array(json, "scheduling_series");
	for (size_t i = 0; i < found->n_scheduling; i++)
		put_moment(json, timeline, &found->scheduling[i]);
	json__end_array(json);
	json__array(json, "stuck_calls");
	for (size_t i = 0; i < found->n_calls; i++)
		put_call(json, timeline, &found->calls[i]);
	json__end_array(json);
}
