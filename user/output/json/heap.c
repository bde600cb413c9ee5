// SPDX-License-Identifier: Apache-2.0
#include "output/json/heap.h"

#include "base/clock.h"
#include "output/json/holders.h"

#include "output/json/site.h"

static void put_count(struct json *json, const char *name, bool known, uint64_t value)
{
	if (known)
		json__count(json, name, value);
	else
		json__null(json, name);
}

static void put_source(struct json *json, const struct report_allocations *allocations)
{
	json__text_or_null(json, "source",
			   allocations ? alloc_source__name(allocations->source) : "");
	json__text_or_null(json, "source_missing", allocations ? allocations->missing : "");
	if (allocations && allocations->source == ALLOC_SOURCE_SAMPLES)
		json__count(json, "sample_rate_bytes", allocations->rate);
	else
		json__null(json, "sample_rate_bytes");
	put_count(json, "unseen_alloc_bytes",
		  allocations && allocations->source == ALLOC_SOURCE_WINDOWS,
		  allocations ? allocations->unseen_bytes : 0);
}

/* What the runtime counts, whether its heap was looked at or not. */
static void put_counters(struct json *json, const struct report_target *target)
{
	const struct heap_counters *counters = &target->counters;
	bool known = target->counters_known;

	if (target->heap)
		json__count(json, "gc_cycles", target->heap->memory.gc_cycles);
	else
		put_count(json, "gc_cycles", known, counters->gc_cycles);
	if (known && counters->timed)
		json__short_time(json, "gc_pause_seconds_total", counters->pause_ns);
	else
		json__null(json, "gc_pause_seconds_total");
	if (known && counters->assisted)
		json__short_time(json, "gc_assist_seconds_last", counters->assist_ns);
	else
		json__null(json, "gc_assist_seconds_last");
	put_count(json, "heap_released_bytes", known && counters->returned,
		  counters->released_bytes);
	put_count(json, "heap_goal_bytes", known && counters->has_goal, counters->goal_bytes);
	put_count(json, "heap_in_use_bytes", known, counters->heap_bytes);
	put_count(json, "allocated_bytes_total", known && counters->counted, counters->total_bytes);
	put_count(json, "allocated_objects_total", known && counters->counted,
		  counters->total_objects);
}

/* What only a look at all of it tells is null without one. */
static void put_memory(struct json *json, const struct report_target *target)
{
	const struct heap_counters *counters = &target->counters;
	const struct heap_memory *memory = target->heap ? &target->heap->memory : NULL;
	bool counted = target->counters_known && counters->counted;

	json__object(json, "memory");
	put_count(json, "rss_bytes", memory || target->resident_bytes,
		  memory ? memory->rss_bytes : target->resident_bytes);
	put_count(json, "heap_live_bytes", memory || (target->counters_known && counters->marked),
		  memory ? memory->live_bytes : counters->live_bytes);
	put_count(json, "heap_dead_bytes", memory, memory ? memory->dead_bytes : 0);
	put_count(json, "heap_free_bytes", memory, memory ? memory->free_bytes : 0);
	put_count(json, "stack_bytes", memory || counted,
		  memory ? memory->stack_bytes : counters->stack_bytes);
	put_count(json, "runtime_bytes", memory || counted,
		  memory ? memory->runtime_bytes : counters->runtime_bytes + counters->work_bytes);
	put_count(json, "other_bytes", memory, memory ? memory->other_bytes : 0);
	put_count(json, "not_resident_bytes", memory, memory ? memory->absent_bytes : 0);
	put_count(json, "objects", memory, memory ? memory->objects : 0);
	put_counters(json, target);
	put_source(json, target->allocations);
	json__end_object(json);
}

static void put_known(struct json *json, const char *key, uint64_t count, bool known)
{
	if (known)
		json__count(json, key, count);
	else
		json__null(json, key);
}

static void put_alloc_site(struct json *json, const struct report_allocations *allocations,
			   const struct report_alloc_site *site)
{
	char due[CLOCK_RFC3339_SIZE] = "";

	if (site->due_ns)
		clock__rfc3339(site->due_ns, due);
	json__object(json, NULL);
	json__text(json, "id", site->id);
	put_known(json, "in_use_bytes", site->in_use_bytes, allocations->in_use_known);
	put_known(json, "in_use_objects", site->in_use_objects, allocations->in_use_known);
	json__count(json, "alloc_bytes", site->alloc_bytes);
	json__count(json, "alloc_objects", site->alloc_objects);
	json__real(json, "relative_error", site->relative_error);
	json__real(json, "alloc_relative_error", site->alloc_relative_error);
	if (allocations->growth_known)
		json__real(json, "growth_bytes_per_minute", site->growth_per_minute);
	else
		json__null(json, "growth_bytes_per_minute");
	if (site->rate_known)
		json__real(json, "alloc_bytes_per_second", site->bytes_per_second);
	else
		json__null(json, "alloc_bytes_per_second");
	json__text_or_null(json, "verdict", alloc_verdict__name(site->judgement.verdict));
	json__array(json, "why");
	for (unsigned int i = 0; i < site->judgement.n_why; i++)
		json__text(json, NULL, site->judgement.why[i]);
	json__end_array(json);
	json__text_or_null(json, "due", due);
	json__text_or_null(json, "type", site->type);
	json__frame(json, "allocated_at", &site->allocated_at);
	json__stack(json, "stack", site->stack, site->n_stack);
	json__array(json, "held_by");
	for (size_t i = 0; i < REPORT_MAX_HELD_BY && site->held_by[i]; i++)
		json__text(json, NULL, site->held_by[i]);
	json__end_array(json);
	json__text_or_null(json, "silenced", site->suppressed ? site->suppressed_reason : "");
	json__end_object(json);
}

static void put_alloc_sites(struct json *json, const struct report_allocations *allocations)
{
	json__array(json, "alloc_sites");
	for (size_t i = 0; i < allocations->n_sites; i++) {
		if (allocations->watched && i >= REPORT_FEW_ALLOC_SITES &&
		    allocations->sites[i].judgement.verdict != ALLOC_GROWING)
			continue;
		put_alloc_site(json, allocations, &allocations->sites[i]);
	}
	json__end_array(json);
}

static void put_group(struct json *json, const struct report_alloc_groups *groups,
		      const struct report_alloc_group *group)
{
	json__object(json, NULL);
	json__text_or_null(json, "name", report__text(group->name));
	put_known(json, "goid", group->goid, groups->by == REPORT_ALLOC_BY_GOROUTINE);
	json__count(json, "goroutines", group->goroutines);
	json__count(json, "alloc_bytes", group->alloc_bytes);
	json__count(json, "alloc_objects", group->alloc_objects);
	json__real(json, "alloc_bytes_per_second", group->bytes_per_second);
	json__real(json, "relative_error", group->relative_error);
	put_known(json, "in_use_bytes", group->in_use_bytes, groups->in_use_known);
	put_known(json, "in_use_objects", group->in_use_objects, groups->in_use_known);
	json__text_or_null(json, "start_function", report__text(group->start_function));
	json__frame(json, "created_by", &group->created_by);
	json__frame(json, "allocated_at", &group->allocated_at);
	json__end_object(json);
}

static void put_alloc_groups(struct json *json, const struct report_alloc_groups *groups)
{
	const struct alloc_figures *figures = &groups->figures;

	json__object(json, "allocating");
	json__text(json, "by", report_alloc_by__name(groups->by));
	json__text_or_null(json, "source", alloc_source__name(figures->source));
	json__text_or_null(json, "missing", *figures->missing ? figures->missing : figures->ended);
	put_known(json, "sample_rate_bytes", figures->rate, figures->rate);
	json__real(json, "watched_seconds", report__seconds(figures->watched_ns));
	json__real(json, "attached_seconds", report__seconds(figures->attached_ns));
	json__count(json, "windows", figures->windows);
	json__count(json, "hits", figures->hits);
	json__count(json, "lost", figures->lost);
	json__count(json, "refused", figures->refused);
	json__real(json, "cost_seconds", report__seconds(figures->cost_ns));
	json__array(json, "groups");
	for (size_t i = 0; i < groups->n_groups; i++)
		put_group(json, groups, &groups->groups[i]);
	json__end_array(json);
	json__end_object(json);
}

void json__heap(struct json *json, const struct report_target *target)
{
	if (target->heap || target->counters_known || target->resident_bytes)
		put_memory(json, target);
	if (target->heap)
		json__holders(json, target->heap);
	if (target->allocations)
		put_alloc_sites(json, target->allocations);
	if (target->alloc_groups)
		put_alloc_groups(json, target->alloc_groups);
}
