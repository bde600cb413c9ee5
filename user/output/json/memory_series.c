// SPDX-License-Identifier: Apache-2.0
#include "output/json/memory_series.h"

#include "base/clock.h"

static void put_known(struct json *json, const char *name, bool known, uint64_t n)
{
	if (known)
		json__count(json, name, n);
	else
		json__null(json, name);
}

static void put_moment(struct json *json, const struct timeline *timeline,
		       const struct timeline_memory *memory)
{
	char time[CLOCK_RFC3339_SIZE];

	clock__rfc3339(timeline__realtime_ns(timeline, memory->time_ns), time);
	json__object(json, NULL);
	json__text(json, "time", time);
	put_known(json, "rss_bytes", memory->rss, memory->rss);
	json__count(json, "heap_in_use_bytes", memory->heap);
	put_known(json, "heap_live_bytes", memory->marked, memory->live);
	put_known(json, "heap_goal_bytes", memory->goal, memory->goal);
	put_known(json, "allocated_bytes", memory->counted, memory->allocated);
	put_known(json, "allocated_objects", memory->counted, memory->objects);
	put_known(json, "stack_bytes", memory->counted, memory->stacks);
	json__count(json, "gc_cycles", memory->gc_cycles);
	if (memory->timed)
		json__short_time(json, "gc_pause_seconds_total", memory->pause_ns);
	else
		json__null(json, "gc_pause_seconds_total");
	if (memory->assisted)
		json__short_time(json, "gc_assist_seconds_last", memory->assist_ns);
	else
		json__null(json, "gc_assist_seconds_last");
	put_known(json, "heap_released_bytes", memory->returned, memory->released);
	put_known(json, "threads", memory->threads, memory->threads);
	json__end_object(json);
}

void json__memory_series(struct json *json, const struct timeline *timeline,
			 const struct report_target *target)
{
	const struct timeline_target *found = timeline__find(timeline, target);

	if (!found)
		return;
	json__array(json, "memory_series");
	for (size_t i = 0; i < found->n_memory; i++)
		put_moment(json, timeline, &found->memory[i]);
	json__end_array(json);
}
