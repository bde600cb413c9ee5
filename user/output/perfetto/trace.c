// SPDX-License-Identifier: Apache-2.0
#include "output/perfetto/trace.h"

#include <errno.h>
#include <stdlib.h>

#include "base/stream.h"
#include "output/perfetto/execution.h"
#include "output/perfetto/heap_graph.h"
#include "output/perfetto/packets.h"
#include "output/perfetto/scheduling.h"
#include "output/perfetto/stacks.h"

/* perfetto: protos/perfetto/common/builtin_clock.proto */
enum clock { CLOCK_OF_DAY = 1, CLOCK_SINCE_BOOT = PACKET_CLOCK, CLOCK_WITH_SUSPEND = 6 };

typedef Gleakd__Perfetto__ClockSnapshot__Clock clock_message;

#define NAME_SIZE 512

/* --- clocks -------------------------------------------------------------------------------------- */

static void put_clock(struct packets *packets, const struct timeline_clock *at)
{
	Gleakd__Perfetto__TracePacket packet = GLEAKD__PERFETTO__TRACE_PACKET__INIT;
	Gleakd__Perfetto__ClockSnapshot snapshot = GLEAKD__PERFETTO__CLOCK_SNAPSHOT__INIT;
	const struct {
		enum clock id;
		uint64_t ns;
	} readings[] = {
		{CLOCK_OF_DAY, at->realtime_ns},
		{CLOCK_SINCE_BOOT, at->monotonic_ns},
		{CLOCK_WITH_SUSPEND, at->boottime_ns},
	};
	clock_message clocks[ARRAY_SIZE(readings)], *pointers[ARRAY_SIZE(readings)];

	for (size_t i = 0; i < ARRAY_SIZE(readings); i++) {
		clocks[i] = (clock_message)GLEAKD__PERFETTO__CLOCK_SNAPSHOT__CLOCK__INIT;
		clocks[i].has_clock_id = clocks[i].has_timestamp = true;
		clocks[i].clock_id = readings[i].id;
		clocks[i].timestamp = readings[i].ns;
		pointers[i] = &clocks[i];
	}
	snapshot.n_clocks = ARRAY_SIZE(readings);
	snapshot.clocks = pointers;
	packet.clock_snapshot = &snapshot;
	packet.has_timestamp = true;
	packet.timestamp = at->monotonic_ns;
	packets__put(packets, &packet);
}

/* --- sites --------------------------------------------------------------------------------------- */

static uint64_t most_of(const struct timeline_site *site)
{
	uint64_t most = 0;

	for (size_t i = 0; i < site->n_points; i++)
		most = max_of(most, site->points[i].goroutines);
	return most;
}

static int by_size(const void *a, const void *b)
{
	uint64_t left = most_of(*(const struct timeline_site *const *)a);
	uint64_t right = most_of(*(const struct timeline_site *const *)b);

	return (left < right) - (left > right);
}

static void name_site(const struct timeline_site *site, char out[NAME_SIZE])
{
	snprintf(out, NAME_SIZE, "%s %.300s%s%.100s%s", site->id,
		 report__text(site->start_function), *report__text(site->wait_reason) ? " [" : "",
		 report__text(site->wait_reason), *report__text(site->wait_reason) ? "]" : "");
}

static void put_site(struct packets *packets, uint64_t process, const struct timeline_site *site)
{
	char name[NAME_SIZE];
	uint64_t track;

	name_site(site, name);
	track = packets__counter(packets, process, name, PACKET_COUNT);
	for (size_t i = 0; i < site->n_points; i++)
		packets__value(packets, track, site->points[i].time_ns, site->points[i].goroutines);
	if (!site->n_verdicts)
		return;
	track = packets__track(packets, process, name);
	for (size_t i = 0; i < site->n_verdicts; i++)
		packets__instant(packets, track, site->verdicts[i].time_ns,
				 verdict__name(site->verdicts[i].verdict), site->verdicts[i].why);
}

static void put_sites(struct packets *packets, uint64_t process,
		      const struct timeline_target *target)
{
	const struct timeline_site **all =
		calloc(target->n_sites + 1, sizeof(const struct timeline_site *));
	size_t n = min_of(target->n_sites, (size_t)PERFETTO_MAX_SITES);

	if (!all) {
		packets->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < target->n_sites; i++)
		all[i] = &target->sites[i];
	qsort(all, target->n_sites, sizeof(const struct timeline_site *), by_size);
	for (size_t i = 0; i < n; i++)
		put_site(packets, process, all[i]);
	free(all);
}

/* --- memory -------------------------------------------------------------------------------------- */

static void put_memory(struct packets *packets, uint64_t process,
		       const struct timeline_target *target)
{
	uint64_t rss = packets__counter(packets, process, "RSS", PACKET_BYTES);
	uint64_t heap = packets__counter(packets, process, "heap in use", PACKET_BYTES);
	uint64_t live = packets__counter(packets, process, "heap live at last GC", PACKET_BYTES);
	uint64_t goal =
		packets__counter(packets, process, "heap at which the next GC ends", PACKET_BYTES);
	uint64_t stacks = packets__counter(packets, process, "stacks", PACKET_BYTES);
	uint64_t pauses = packets__counter(packets, process, "stopped by GC so far", PACKET_NS);
	uint64_t assists = packets__counter(packets, process, "assists of the last GC", PACKET_NS);
	uint64_t released =
		packets__counter(packets, process, "heap given back to the system", PACKET_BYTES);
	uint64_t threads = packets__counter(packets, process, "threads", PACKET_COUNT);
	uint64_t gc = packets__track(packets, process, "GC");

	for (size_t i = 0; i < target->n_memory; i++) {
		const struct timeline_memory *memory = &target->memory[i];

		packets__value(packets, rss, memory->time_ns, memory->rss);
		packets__value(packets, heap, memory->time_ns, memory->heap);
		if (memory->marked)
			packets__value(packets, live, memory->time_ns, memory->live);
		if (memory->counted)
			packets__value(packets, stacks, memory->time_ns, memory->stacks);
		if (memory->goal)
			packets__value(packets, goal, memory->time_ns, memory->goal);
		if (memory->timed)
			packets__value(packets, pauses, memory->time_ns, memory->pause_ns);
		if (memory->threads)
			packets__value(packets, threads, memory->time_ns, memory->threads);
		if (memory->assisted)
			packets__value(packets, assists, memory->time_ns, memory->assist_ns);
		if (memory->returned)
			packets__value(packets, released, memory->time_ns, memory->released);
	}
	for (size_t i = 0; i < target->n_gcs; i++) {
		const struct timeline_gc *at = &target->gcs[i];
		char name[64];

		if (at->first == at->last)
			snprintf(name, sizeof(name), "GC %llu", (unsigned long long)at->first);
		else
			snprintf(name, sizeof(name), "GC %llu to %llu",
				 (unsigned long long)at->first, (unsigned long long)at->last);
		packets__slice(packets, gc, at->begin_ns, at->end_ns, name);
	}
}

/* --- what is open -------------------------------------------------------------------------------- */

static void put_resources(struct packets *packets, uint64_t process,
			  const struct timeline_target *target)
{
	for (size_t i = 0; i < min_of(target->n_resources, (size_t)PERFETTO_MAX_RESOURCES); i++) {
		const struct timeline_resource *resource = &target->resources[i];
		const char *calls = report__text(resource->calls);
		char name[NAME_SIZE];
		uint64_t track;

		snprintf(name, sizeof(name), "open %s %.300s%s%.100s",
			 resource_kind__name(resource->kind), report__text(resource->held_by),
			 *calls ? " calls " : "", calls);
		track = packets__counter(packets, process, name, PACKET_COUNT);
		for (size_t p = 0; p < resource->n_points; p++)
			packets__value(packets, track, resource->points[p].time_ns,
				       resource->points[p].outstanding);
	}
}

/* --- who allocates -------------------------------------------------------------------------------- */

/* "allocated so far by goroutine 17 main.worker", "... by tenant=red" */
static void name_allocator(const struct timeline_allocator *allocator, char name[NAME_SIZE])
{
	const char *function = *report__text(allocator->start_function) ?
				       allocator->start_function :
				       report__text(allocator->created_by);

	if (allocator->goid)
		snprintf(name, NAME_SIZE, "allocated so far by goroutine %llu %.300s",
			 (unsigned long long)allocator->goid, function);
	else if (*report__text(allocator->name))
		snprintf(name, NAME_SIZE, "allocated so far by %.300s", allocator->name);
	else
		snprintf(name, NAME_SIZE, "allocated so far by %.300s",
			 *function ? function : "others");
}

static void put_allocators(struct packets *packets, uint64_t process,
			   const struct timeline_target *target)
{
	for (size_t i = 0; i < min_of(target->n_allocators, (size_t)PERFETTO_MAX_ALLOCATORS); i++) {
		const struct timeline_allocator *allocator = &target->allocators[i];
		char name[NAME_SIZE];
		uint64_t track;

		name_allocator(allocator, name);
		track = packets__counter(packets, process, name, PACKET_BYTES);
		for (size_t p = 0; p < allocator->n_points; p++)
			packets__value(packets, track, allocator->points[p].time_ns,
				       allocator->points[p].bytes);
	}
}

/* --- goroutines ---------------------------------------------------------------------------------- */

static int by_length(const void *a, const void *b)
{
	const struct timeline_life *left = *(const struct timeline_life *const *)a;
	const struct timeline_life *right = *(const struct timeline_life *const *)b;
	uint64_t of_left = left->end_ns - left->begin_ns,
		 of_right = right->end_ns - right->begin_ns;

	if (of_left != of_right)
		return of_left > of_right ? -1 : 1;
	return (left->goid > right->goid) - (left->goid < right->goid);
}

static const struct timeline_site *site_of(const struct timeline_target *target, uint32_t site)
{
	return site < target->n_sites ? &target->sites[site] : NULL;
}

/* Its parks lie within it, one after the other. */
static void put_life(struct packets *packets, uint64_t parent, const struct timeline_target *target,
		     const struct timeline_life *life)
{
	const struct timeline_site *site = site_of(target, life->site);
	const char *function = site ? site->start_function : "?";
	uint64_t track, until = life->begin_ns;
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "goroutine %llu %.400s", (unsigned long long)life->goid,
		 report__text(function));
	track = packets__track(packets, parent, name);
	packets__begin(packets, track, life->begin_ns, function);
	for (size_t i = 0; i < target->n_parks; i++) {
		const struct timeline_park *park = &target->parks[i];
		const struct timeline_site *at = site_of(target, park->site);
		uint64_t begin = max_of(park->begin_ns, until);
		uint64_t end = min_of(park->end_ns, life->end_ns);

		if (park->goid != life->goid || begin >= end)
			continue;
		packets__slice(packets, track, begin, end,
			       at && *at->wait_reason ? at->wait_reason : "parked");
		until = end;
	}
	packets__end(packets, track, life->end_ns);
}

static void put_lives(struct packets *packets, uint64_t process,
		      const struct timeline_target *target)
{
	const struct timeline_life **all =
		calloc(target->n_lives + 1, sizeof(const struct timeline_life *));
	size_t n = min_of(target->n_lives, (size_t)PERFETTO_MAX_LIVES);
	uint64_t parent;

	if (!all) {
		packets->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < target->n_lives; i++)
		all[i] = &target->lives[i];
	qsort(all, target->n_lives, sizeof(const struct timeline_life *), by_length);
	parent = packets__track(packets, process, "goroutines that lived longest");
	for (size_t i = 0; i < n; i++)
		put_life(packets, parent, target, all[i]);
	free(all);
}

/* ------------------------------------------------------------------------------------------------- */

static void put_target(struct packets *packets, const struct timeline *timeline, uint32_t number)
{
	const struct timeline_target *target = &timeline->targets[number];
	uint64_t process = packets__process(packets, target->pid, target->comm);

	put_sites(packets, process, target);
	if (target->n_memory)
		put_memory(packets, process, target);
	put_allocators(packets, process, target);
	put_resources(packets, process, target);
	perfetto_scheduling__put(packets, process, target);
	if (target->n_lives)
		put_lives(packets, process, target);
	if (timeline->trace && !number)
		perfetto_execution__put(packets, process, timeline->trace);
	perfetto_stacks__put(packets, target, timeline->end_ns);
	if (target->target)
		perfetto_heap_graph__put(packets, target->target, number, timeline->end_ns);
}

int perfetto__write(FILE *out, const struct timeline *timeline)
{
	struct packets packets = {.out = out};

	for (size_t i = 0; i < timeline->n_clocks; i++)
		put_clock(&packets, &timeline->clocks[i]);
	for (size_t i = 0; i < timeline->n_targets; i++)
		put_target(&packets, timeline, (uint32_t)i);
	return packets.err ? packets.err : stream__flush(out);
}

int perfetto__write_report(FILE *out, const struct report *report)
{
	const struct timeline_clock clock = {
		.monotonic_ns = report->realtime_ns,
		.realtime_ns = report->realtime_ns,
		.boottime_ns = report->realtime_ns,
	};
	struct timeline_target *targets = calloc(report->n_targets + 1, sizeof(*targets));
	const struct timeline timeline = {
		.begin_ns = report->realtime_ns,
		.end_ns = report->realtime_ns,
		.clocks = &clock,
		.n_clocks = 1,
		.targets = targets,
		.n_targets = report->n_targets,
	};
	int err;

	if (!targets)
		return -ENOMEM;
	for (size_t i = 0; i < report->n_targets; i++) {
		targets[i].target = &report->targets[i];
		targets[i].pid = report->targets[i].pid;
		targets[i].comm = report->targets[i].comm;
	}
	err = perfetto__write(out, &timeline);
	free(targets);
	return err;
}
