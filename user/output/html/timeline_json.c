// SPDX-License-Identifier: Apache-2.0
#include "output/html/timeline_json.h"

#include "output/json/writer.h"

/* Bits of a life. */
#define LIFE_ENDED   1u
#define LIFE_CREATED 2u

/* What began before is at the beginning. */
static void put_time(struct json *json, const char *name, const struct timeline *timeline,
		     uint64_t time_ns)
{
	uint64_t begin_ns = timeline->begin_ns;

	json__real(json, name, report__seconds(time_ns - min_of(time_ns, begin_ns)));
}

/* A column of @items: @value of each, by @put. */
#define put_column(json, name, items, n, put, field)            \
	do {                                                    \
		json__array((json), (name));                    \
		for (size_t row_ = 0; row_ < (n); row_++)       \
			put((json), NULL, (items)[row_].field); \
		json__end_array(json);                          \
	} while (0)

#define put_times(json, name, timeline, items, n, field)                         \
	do {                                                                     \
		json__array((json), (name));                                     \
		for (size_t row_ = 0; row_ < (n); row_++)                        \
			put_time((json), NULL, (timeline), (items)[row_].field); \
		json__end_array(json);                                           \
	} while (0)

static void put_lifetimes(struct json *json, const uint64_t lifetimes[TRACKER_LIFETIMES])
{
	json__array(json, "lifetimes");
	for (size_t i = 0; i < TRACKER_LIFETIMES; i++)
		json__count(json, NULL, lifetimes[i]);
	json__end_array(json);
}

/* Of a site that was never suspected there is nothing to be told. */
static void put_verdicts(struct json *json, const struct timeline *timeline,
			 const struct timeline_site *site)
{
	bool suspected = false;

	for (size_t i = 0; i < site->n_verdicts; i++)
		suspected |= verdict__is_suspect(site->verdicts[i].verdict);
	json__array(json, "verdicts");
	for (size_t i = 0; i < site->n_verdicts && suspected; i++) {
		const struct timeline_verdict *at = &site->verdicts[i];

		/* That it is more sure than before is no change, nor how it began, if that is nothing. */
		if (i ? at[-1].verdict == at->verdict : !verdict__is_suspect(at->verdict))
			continue;
		json__object(json, NULL);
		put_time(json, "t", timeline, at->time_ns);
		json__text(json, "verdict", verdict__name(at->verdict));
		json__text(json, "why", at->why);
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_site(struct json *json, const struct timeline *timeline,
		     const struct timeline_site *site)
{
	json__object(json, NULL);
	json__text(json, "id", site->id);
	json__text(json, "function", site->function);
	json__text(json, "start_function", site->start_function);
	json__text(json, "wait_reason", site->wait_reason);
	put_times(json, "t", timeline, site->points, site->n_points, time_ns);
	put_column(json, "n", site->points, site->n_points, json__count, goroutines);
	put_verdicts(json, timeline, site);
	put_lifetimes(json, site->lifetimes);
	json__end_object(json);
}

/* An index of sites; -1: none. */
static void put_index(struct json *json, const struct timeline_target *target, uint32_t site)
{
	if (site < target->n_sites)
		json__count(json, NULL, site);
	else
		json__real(json, NULL, -1);
}

static void put_parks(struct json *json, const struct timeline *timeline,
		      const struct timeline_target *target)
{
	const struct timeline_park *parks = target->parks;
	size_t n = target->n_parks;

	json__count(json, "all_parks", target->all_parks);
	json__seconds(json, "long_park_seconds", target->long_park_ns);
	json__object(json, "parks");
	put_column(json, "goid", parks, n, json__count, goid);
	put_times(json, "begin", timeline, parks, n, begin_ns);
	put_times(json, "end", timeline, parks, n, end_ns);
	json__array(json, "site");
	for (size_t i = 0; i < n; i++)
		put_index(json, target, parks[i].site);
	json__end_array(json);
	json__end_object(json);
}

static void put_lives(struct json *json, const struct timeline *timeline,
		      const struct timeline_target *target)
{
	const struct timeline_life *lives = target->lives;
	size_t n = target->n_lives;

	json__count(json, "all_lives", target->all_lives);
	json__object(json, "lives");
	put_column(json, "goid", lives, n, json__count, goid);
	put_times(json, "begin", timeline, lives, n, begin_ns);
	put_times(json, "end", timeline, lives, n, end_ns);
	json__array(json, "site");
	for (size_t i = 0; i < n; i++)
		put_index(json, target, lives[i].site);
	json__end_array(json);
	json__array(json, "flags");
	for (size_t i = 0; i < n; i++)
		json__count(json, NULL,
			    (lives[i].ended ? LIFE_ENDED : 0) |
				    (lives[i].created ? LIFE_CREATED : 0));
	json__end_array(json);
	json__end_object(json);
}

static void put_memory(struct json *json, const struct timeline *timeline,
		       const struct timeline_target *target)
{
	const struct timeline_memory *memory = target->memory;
	size_t n = target->n_memory;

	json__object(json, "memory");
	put_times(json, "t", timeline, memory, n, time_ns);
	put_column(json, "gc", memory, n, json__count, gc_cycles);
	put_column(json, "rss", memory, n, json__count, rss);
	put_column(json, "heap", memory, n, json__count, heap);
	put_column(json, "allocated", memory, n, json__count, allocated);
	put_column(json, "live", memory, n, json__count, live);
	put_column(json, "goal", memory, n, json__count, goal);
	put_column(json, "stacks", memory, n, json__count, stacks);
	put_column(json, "paused_ns", memory, n, json__count, pause_ns);
	put_column(json, "threads", memory, n, json__count, threads);
	put_column(json, "assist_ns", memory, n, json__count, assist_ns);
	put_column(json, "released", memory, n, json__count, released);
	json__end_object(json);
	json__object(json, "gcs");
	put_times(json, "t", timeline, target->gcs, target->n_gcs, end_ns);
	json__array(json, "n");
	for (size_t i = 0; i < target->n_gcs; i++)
		json__count(json, NULL, target->gcs[i].last - target->gcs[i].first + 1);
	json__end_array(json);
	json__end_object(json);
}

static void put_allocs(struct json *json, const struct timeline *timeline,
		       const struct timeline_target *target)
{
	json__array(json, "allocs");
	for (size_t i = 0; i < target->n_allocs; i++) {
		const struct timeline_alloc *alloc = &target->allocs[i];

		json__object(json, NULL);
		json__text(json, "id", alloc->id);
		json__text(json, "function", alloc->function);
		json__text(json, "type", alloc->type);
		put_times(json, "t", timeline, alloc->points, alloc->n_points, time_ns);
		put_column(json, "bytes", alloc->points, alloc->n_points, json__count,
			   in_use_bytes);
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_allocators(struct json *json, const struct timeline *timeline,
			   const struct timeline_target *target)
{
	json__array(json, "allocators");
	for (size_t i = 0; i < target->n_allocators; i++) {
		const struct timeline_allocator *one = &target->allocators[i];

		json__object(json, NULL);
		json__text(json, "by", one->by);
		json__text(json, "name", one->name);
		json__count(json, "goid", one->goid);
		json__text(json, "created_by", one->created_by);
		json__text(json, "start_function", one->start_function);
		put_times(json, "t", timeline, one->points, one->n_points, time_ns);
		put_column(json, "bytes", one->points, one->n_points, json__count, bytes);
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_resources(struct json *json, const struct timeline *timeline,
			  const struct timeline_target *target)
{
	json__array(json, "resources");
	for (size_t i = 0; i < target->n_resources; i++) {
		const struct timeline_resource *resource = &target->resources[i];

		json__object(json, NULL);
		json__text(json, "kind", resource_kind__name(resource->kind));
		json__text(json, "held_by", resource->held_by);
		json__text(json, "calls", resource->calls);
		put_times(json, "t", timeline, resource->points, resource->n_points, time_ns);
		put_column(json, "n", resource->points, resource->n_points, json__count,
			   outstanding);
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_scheduling(struct json *json, const struct timeline *timeline,
			   const struct timeline_target *target)
{
	const struct timeline_scheduling *scheduling = target->scheduling;
	const struct timeline_call *calls = target->calls;
	size_t n = target->n_scheduling;

	json__object(json, "scheduling");
	put_times(json, "t", timeline, scheduling, n, time_ns);
	put_column(json, "over_10ms", scheduling, n, json__count, over_10ms);
	put_column(json, "late", scheduling, n, json__count, late);
	put_column(json, "hogs", scheduling, n, json__count, hogs);
	put_column(json, "throttled_ns", scheduling, n, json__count, throttled_ns);
	put_column(json, "run_delay_ns", scheduling, n, json__count, run_delay_ns);
	put_column(json, "stolen_ns", scheduling, n, json__count, stolen_ns);
	put_column(json, "in_calls", scheduling, n, json__count, in_calls);
	put_column(json, "locked", scheduling, n, json__count, locked);
	json__end_object(json);
	json__object(json, "calls");
	put_times(json, "begin", timeline, calls, target->n_calls, begin_ns);
	put_times(json, "end", timeline, calls, target->n_calls, end_ns);
	put_column(json, "goid", calls, target->n_calls, json__count, goid);
	put_column(json, "thread", calls, target->n_calls, json__count, thread);
	put_column(json, "call", calls, target->n_calls, json__text, call);
	json__end_object(json);
}

static void put_target(struct json *json, const struct report *report,
		       const struct timeline *timeline, const struct timeline_target *target)
{
	json__object(json, NULL);
	if (target->target)
		json__count(json, "target", (uint64_t)(target->target - report->targets));
	else
		json__null(json, "target");
	json__array(json, "sites");
	for (size_t i = 0; i < target->n_sites; i++)
		put_site(json, timeline, &target->sites[i]);
	json__end_array(json);
	put_lives(json, timeline, target);
	put_parks(json, timeline, target);
	put_memory(json, timeline, target);
	put_allocs(json, timeline, target);
	put_allocators(json, timeline, target);
	put_resources(json, timeline, target);
	put_scheduling(json, timeline, target);
	put_lifetimes(json, target->lifetimes);
	json__end_object(json);
}

int timeline__write_json(FILE *out, const struct report *report, const struct timeline *timeline)
{
	struct json json;

	json__begin(&json);
	json__object(&json, NULL);
	json__real(&json, "began",
		   report__seconds(timeline__realtime_ns(timeline, timeline->begin_ns)));
	json__seconds(&json, "seconds", timeline->end_ns - timeline->begin_ns);
	json__text(&json, "host", timeline->host);
	json__text(&json, "kernel", timeline->kernel);
	json__text(&json, "version", timeline->version);
	json__bool(&json, "complete", timeline->complete);
	json__array(&json, "targets");
	for (size_t i = 0; i < timeline->n_targets; i++)
		put_target(&json, report, timeline, &timeline->targets[i]);
	json__end_array(&json);
	json__end_object(&json);
	return json__finish(&json, out);
}
