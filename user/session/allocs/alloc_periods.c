// SPDX-License-Identifier: Apache-2.0
/* From windows to figures: what the hits of a period stand for. */
#include <stdlib.h>

#include "base/clock.h"
#include "session/allocs/allocs_private.h"
#include "session/target_internal.h"

void target_allocs__note_window(struct target *target, uint64_t now_ns)
{
	struct target_allocs *allocs = target->allocs;
	uint64_t cpu_ns = allocs->opened_cpu_ns;

	if (!allocs->attached)
		return;
	(void)!process__cpu_ns(target__pid(target), &cpu_ns);
	allocs->window_cpu_ns += cpu_ns - min_of(cpu_ns, allocs->opened_cpu_ns);
	allocs->opened_cpu_ns = cpu_ns;
	allocs->window_ns += now_ns - allocs->opened_ns;
	allocs->attached_ns += now_ns - allocs->opened_ns;
	allocs->opened_ns = now_ns;
}

/* By how much *@before has grown, which is now from now on. */
static uint64_t grown(uint64_t now, uint64_t *before)
{
	uint64_t more = now > *before ? now - *before : 0;

	*before += more;
	return more;
}

/* What the runtime has counted from the beginning of the period until now, or until @closed; false: not known. */
static bool count_period(struct target_allocs *allocs, bool closed, struct alloc_counts *counts)
{
	struct heap_class_counts now = allocs->closed;

	if (allocs->source == ALLOC_SOURCE_SAMPLE_HITS || !allocs->counted_known)
		return false;
	if (closed ? !allocs->closed_known : heap_class_counts__read(allocs->runtime, &now) != 0)
		return false;
	/* What is being moved from one of its counters to another may be missing for a moment. */
	for (size_t c = 0; c < ALLOC_CLASSES; c++)
		counts->objects[c] = grown(now.objects[c], &allocs->counted.objects[c]);
	counts->large_bytes = grown(now.large_bytes, &allocs->counted.large_bytes);
	return true;
}

/* What one has cost in this period, with its share of the records. */
static double hits_ns(const struct target_allocs *allocs)
{
	double hits = (double)(allocs->counts.hits - allocs->settled.hits);
	uint64_t records = allocs->records - allocs->settled_records + allocs->counts.lost -
			   allocs->settled.lost;

	return allocs->cost.hit_ns +
	       (hits > 0 ? (double)records * allocs->cost.record_ns / hits : 0);
}

/* Kinds of allocations are some hundred, goroutines come and go. */
#define FOLD_ENTRIES ((size_t)8192)

/* All hits have been settled. */
static void fold(struct target_allocs *allocs)
{
	uint32_t *map;
	size_t n;

	alloc_flow__entries(allocs->flow, &n);
	if (allocs->who || n < max_of(allocs->fold_at, FOLD_ENTRIES) ||
	    alloc_flow__fold(allocs->flow, &map))
		return;
	if (allocs->follow)
		alloc_follow__renumber(allocs->follow, map);
	free(map);
	alloc_flow__entries(allocs->flow, &n);
	allocs->fold_at = 2 * n;
}

void target_allocs__settle(struct target *target)
{
	struct target_allocs *allocs = target->allocs;
	uint64_t now_ns = allocs->valid_to_ns;
	struct alloc_period period = {.ns_per_hit = hits_ns(allocs)};
	struct alloc_counts counts;
	uint64_t cpu_ns = allocs->opened_cpu_ns;
	/* Then it ended with the window: the kernel takes its time for probes to go. */
	bool closed = !allocs->attached && allocs->window_ns;

	if (!closed) {
		now_ns = clock__monotonic_ns();
		target_allocs__note_window(target, now_ns);
		(void)!process__cpu_ns(target__pid(target), &cpu_ns);
	}
	if (!allocs->window_ns) {
		if (allocs->n_windows && count_period(allocs, closed, &counts)) {
			alloc_weights__extend(&allocs->weights, allocs->flow, &counts);
			allocs->period_began_ns = now_ns;
			allocs->period_cpu_ns = cpu_ns;
		}
		return;
	}
	period.period_ns = now_ns - allocs->period_began_ns;
	period.window_ns = allocs->window_ns;
	period.cpu_ns = allocs->window_cpu_ns;
	period.all_cpu_ns = cpu_ns - min_of(cpu_ns, allocs->period_cpu_ns);
	period.complete = allocs->window_ns >= period.period_ns &&
			  allocs->counts.lost == allocs->settled.lost;
	if (count_period(allocs, closed, &counts))
		period.counted = &counts;
	alloc_weights__settle(&allocs->weights, allocs->flow, &period);
	allocs->window_ns = 0;
	allocs->window_cpu_ns = 0;
	allocs->period_began_ns = now_ns;
	allocs->period_cpu_ns = cpu_ns;
	allocs->settled = allocs->counts;
	allocs->settled_records = allocs->records;
	fold(allocs);
}
