// SPDX-License-Identifier: Apache-2.0
#include "output/perfetto/execution.h"

#include <inttypes.h>

#include "output/perfetto/trace.h"

#define NAME_SIZE 512

static const char *const state_names[] = {
	[TIMELINE_RUNNABLE] = "runnable",
	[TIMELINE_RUNNING] = "running",
	[TIMELINE_IN_SYSCALL] = "syscall",
	[TIMELINE_WAITING] = "waiting",
};

static void put_spans(struct packets *packets, uint64_t parent, const char *name,
		      const struct timeline_span *spans, size_t n)
{
	uint64_t track = n ? packets__track(packets, parent, name) : 0;

	for (size_t i = 0; i < n; i++)
		packets__slice(packets, track, spans[i].begin_ns, spans[i].end_ns, spans[i].name);
}

static void put_levels(struct packets *packets, uint64_t parent, const char *name,
		       const struct timeline_level *levels, size_t n)
{
	uint64_t track = n ? packets__counter(packets, parent, name, PACKET_BYTES) : 0;

	for (size_t i = 0; i < n; i++)
		packets__value(packets, track, levels[i].time_ns, levels[i].value);
}

static void put_goroutine(struct packets *packets, uint64_t parent,
			  const struct timeline_traced *goroutine)
{
	const char *function = report__text(goroutine->function);
	char name[NAME_SIZE];
	uint64_t track;

	snprintf(name, sizeof(name), "goroutine %" PRIu64 "%s%.400s", goroutine->goid,
		 *function ? " " : "", function);
	track = packets__track(packets, parent, name);
	for (size_t i = 0; i < goroutine->n_states; i++) {
		const struct timeline_span *at = &goroutine->states[i];
		bool has_reason = at->state == TIMELINE_WAITING && *report__text(at->name);

		packets__slice(packets, track, at->begin_ns, at->end_ns,
			       has_reason ? at->name : state_names[at->state]);
	}
	put_spans(packets, track, "regions", goroutine->regions, goroutine->n_regions);
}

void perfetto_execution__put(struct packets *packets, uint64_t process,
			     const struct timeline_trace *trace)
{
	uint64_t parent = packets__track(packets, process, "execution trace");
	size_t n = min_of(trace->n_goroutines, (size_t)PERFETTO_MAX_LIVES);

	put_spans(packets, parent, "GC", trace->gcs, trace->n_gcs);
	put_spans(packets, parent, "stop of the world", trace->stops, trace->n_stops);
	put_levels(packets, parent, "heap live", trace->heap, trace->n_heap);
	put_levels(packets, parent, "heap goal", trace->goal, trace->n_goal);
	for (size_t i = 0; i < n; i++)
		put_goroutine(packets, parent, &trace->goroutines[i]);
}
