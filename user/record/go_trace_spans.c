// SPDX-License-Identifier: Apache-2.0
/* What becomes of the events of an execution trace: states of goroutines, spans, series. */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "record/go_trace_private.h"

bool go_trace__number(struct go_trace *trace, uint64_t goid, uint32_t *ret_number)
{
	uint64_t hash = hash__keyed_word(goid);
	struct index_search search = index__search(trace->by_goid, hash);

	while (index__next(&search)) {
		if (trace->goroutines[search.number].goid != goid)
			continue;
		*ret_number = search.number;
		return true;
	}
	if (trace->n_goroutines == GO_TRACE_MAX_GOROUTINES) {
		trace->timeline.left_out++;
		return false;
	}
	if (!array__reserve(trace->goroutines, trace->goroutines_capacity,
			    trace->n_goroutines + 1) ||
	    index__add(trace->by_goid, hash, (uint32_t)trace->n_goroutines)) {
		trace->err = -ENOMEM;
		return false;
	}
	*ret_number = (uint32_t)trace->n_goroutines++;
	trace->goroutines[*ret_number] =
		(struct traced){.goid = goid, .function = "", .reason = ""};
	return true;
}

struct traced_thread *go_trace__thread(struct go_trace *trace, uint64_t m)
{
	uint64_t hash = hash__keyed_word(m);
	struct index_search search = index__search(trace->by_m, hash);

	while (index__next(&search)) {
		if (trace->threads[search.number].m == m)
			return &trace->threads[search.number];
	}
	if (trace->n_threads == GO_TRACE_MAX_THREADS) {
		trace->timeline.left_out++;
		return NULL;
	}
	if (!array__reserve(trace->threads, trace->threads_capacity, trace->n_threads + 1) ||
	    index__add(trace->by_m, hash, (uint32_t)trace->n_threads)) {
		trace->err = -ENOMEM;
		return NULL;
	}
	trace->threads[trace->n_threads] = (struct traced_thread){.m = m};
	return &trace->threads[trace->n_threads++];
}

/* --- spans --------------------------------------------------------------------------------------- */

void go_trace__add_span(struct go_trace *trace, struct span_list *list,
			const struct owned_span *span)
{
	if (list->n == list->max) {
		trace->timeline.left_out++;
		return;
	}
	if (!array__reserve(list->items, list->capacity, list->n + 1)) {
		trace->err = -ENOMEM;
		return;
	}
	list->items[list->n] = *span;
	list->items[list->n].span.end_ns = max_of(span->span.begin_ns, span->span.end_ns);
	list->n++;
}

void go_trace__add_level(struct go_trace *trace, struct level_list *list, uint64_t ns,
			 uint64_t value)
{
	if (list->n == GO_TRACE_MAX_LEVELS) {
		trace->timeline.left_out++;
		return;
	}
	if (!array__reserve(list->items, list->capacity, list->n + 1))
		trace->err = -ENOMEM;
	else
		list->items[list->n++] = (struct timeline_level){ns, value};
}

/* Clocks of threads differ by less than one that two events may share. */
static void end_state(struct go_trace *trace, uint32_t goroutine, uint64_t ns)
{
	struct traced *traced = &trace->goroutines[goroutine];
	const struct owned_span span = {goroutine,
					{.begin_ns = traced->since_ns,
					 .end_ns = ns,
					 .name = traced->reason,
					 .state = traced->state}};

	if (!traced->known || ns <= traced->since_ns)
		return;
	if (traced->state == TIMELINE_RUNNING)
		traced->running_ns += ns - traced->since_ns;
	go_trace__add_span(trace, &trace->states, &span);
}

void go_trace__enter(struct go_trace *trace, uint32_t goroutine, enum timeline_state state,
		     const char *reason, uint64_t ns)
{
	struct traced *traced = &trace->goroutines[goroutine];

	end_state(trace, goroutine, ns);
	traced->since_ns = max_of(traced->since_ns, ns);
	traced->known = true;
	traced->state = state;
	traced->reason = reason;
}

void go_trace__leave(struct go_trace *trace, uint32_t goroutine, uint64_t ns)
{
	struct traced *traced = &trace->goroutines[goroutine];

	end_state(trace, goroutine, ns);
	traced->since_ns = max_of(traced->since_ns, ns);
	traced->known = false;
}

/* --- the end ------------------------------------------------------------------------------------- */

/* Who is in another comes after it. */
static int by_nesting(const void *a, const void *b)
{
	const struct timeline_span *left = &((const struct owned_span *)a)->span;
	const struct timeline_span *right = &((const struct owned_span *)b)->span;

	if (left->begin_ns != right->begin_ns)
		return left->begin_ns < right->begin_ns ? -1 : 1;
	return (left->end_ns < right->end_ns) - (left->end_ns > right->end_ns);
}

/* The spans of each goroutine, in their order, behind those of the one before. */
static int share_out(struct go_trace *trace, const struct span_list *list,
		     struct timeline_traced *all, bool regions)
{
	size_t *next = calloc(trace->n_goroutines + 1, sizeof(*next));
	struct timeline_span *spans = arena__take(&trace->arena, list->n + 1, sizeof(*spans));

	if (!next || !spans) {
		free(next);
		return -ENOMEM;
	}
	for (size_t i = 0; i < list->n; i++)
		next[list->items[i].goroutine + 1]++;
	for (size_t i = 0; i < trace->n_goroutines; i++) {
		size_t n = next[i + 1];

		next[i + 1] += next[i];
		if (regions) {
			all[i].regions = &spans[next[i]];
			all[i].n_regions = n;
		} else {
			all[i].states = &spans[next[i]];
			all[i].n_states = n;
		}
	}
	for (size_t i = 0; i < list->n; i++)
		spans[next[list->items[i].goroutine]++] = list->items[i].span;
	free(next);
	return 0;
}

static int by_time_running(const void *a, const void *b)
{
	const struct timeline_traced *left = a, *right = b;

	if (left->running_ns != right->running_ns)
		return left->running_ns > right->running_ns ? -1 : 1;
	return (left->goid > right->goid) - (left->goid < right->goid);
}

static const struct timeline_span *all_of(struct go_trace *trace, const struct span_list *list,
					  size_t *ret_n)
{
	struct timeline_span *spans = arena__take(&trace->arena, list->n + 1, sizeof(*spans));

	for (size_t i = 0; i < list->n && spans; i++)
		spans[i] = list->items[i].span;
	*ret_n = spans ? list->n : 0;
	return spans;
}

static void end_what_is_open(struct go_trace *trace)
{
	uint64_t end_ns = trace->last_ns;

	for (size_t i = 0; i < trace->n_goroutines; i++)
		go_trace__leave(trace, (uint32_t)i, end_ns);
	for (size_t i = trace->n_open_regions; i-- > 0;) {
		trace->open_regions[i].span.end_ns = end_ns;
		go_trace__add_span(trace, &trace->regions, &trace->open_regions[i]);
	}
	trace->gc.span.end_ns = trace->stop.span.end_ns = end_ns;
	if (trace->gc.span.name)
		go_trace__add_span(trace, &trace->gcs, &trace->gc);
	if (trace->stop.span.name)
		go_trace__add_span(trace, &trace->stops, &trace->stop);
}

int go_trace__finish(struct go_trace *trace)
{
	struct timeline_trace *timeline = &trace->timeline;
	struct timeline_traced *all;

	end_what_is_open(trace);
	all = arena__take(&trace->arena, trace->n_goroutines + 1, sizeof(*all));
	if (!all || trace->err)
		return -ENOMEM;
	if (trace->regions.n)
		qsort(trace->regions.items, trace->regions.n, sizeof(*trace->regions.items),
		      by_nesting);
	for (size_t i = 0; i < trace->n_goroutines; i++)
		all[i] = (struct timeline_traced){.goid = trace->goroutines[i].goid,
						  .function = trace->goroutines[i].function,
						  .running_ns = trace->goroutines[i].running_ns};
	if (share_out(trace, &trace->states, all, false) ||
	    share_out(trace, &trace->regions, all, true))
		return -ENOMEM;
	if (trace->n_goroutines)
		qsort(all, trace->n_goroutines, sizeof(*all), by_time_running);
	timeline->goroutines = all;
	timeline->n_goroutines = trace->n_goroutines;
	timeline->gcs = all_of(trace, &trace->gcs, &timeline->n_gcs);
	timeline->stops = all_of(trace, &trace->stops, &timeline->n_stops);
	timeline->heap = trace->heap.items;
	timeline->n_heap = trace->heap.n;
	timeline->goal = trace->goal.items;
	timeline->n_goal = trace->goal.n;
	timeline->end_ns = trace->last_ns;
	return trace->arena.failed ? -ENOMEM : 0;
}
