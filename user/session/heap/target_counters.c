// SPDX-License-Identifier: Apache-2.0
/* What a target's runtime counts of its memory, and for how long that is good. */
#include "session/heap/target_heap.h"
#include "session/target_internal.h"
#include "session/target_still.h"

/* What only rises: while it is not known it stays as it was, as counters of metrics have to. */
static struct heap_counters totals_of(const struct heap_counters *counted)
{
	return (struct heap_counters){
		.gc_cycles = counted->gc_cycles,
		.total_bytes = counted->total_bytes,
		.total_objects = counted->total_objects,
		.pause_ns = counted->pause_ns,
	};
}

/* The runtime moves its counts about: for a moment some may be in none of the places. */
static void keep_rising(struct heap_counters *now, const struct heap_counters *before)
{
	now->gc_cycles = max_of(now->gc_cycles, before->gc_cycles);
	now->total_bytes = max_of(now->total_bytes, before->total_bytes);
	now->total_objects = max_of(now->total_objects, before->total_objects);
	now->pause_ns = max_of(now->pause_ns, before->pause_ns);
}

bool target_heap__counters(struct target *target, uint64_t now_ns,
			   struct heap_counters *ret_counters)
{
	const struct heap_runtime *runtime;
	struct failure failure;

	*ret_counters = totals_of(&target->memory_counted);
	if (target__state(target) != TARGET_LIVE || now_ns < target->counters_due_ns)
		return false;
	if (target_still__since(target, target->memory_counted_ns)) {
		*ret_counters = target->memory_counted;
		return true;
	}
	if (target_heap__runtime(target, &runtime, &failure) ||
	    heap_counters__read(runtime, ret_counters)) {
		*ret_counters = totals_of(&target->memory_counted);
		target->counters_due_ns = now_ns + TARGET_COUNTERS_RETRY_NS;
		return false;
	}
	keep_rising(ret_counters, &target->memory_counted);
	target->memory_counted = *ret_counters;
	target->memory_counted_ns = now_ns;
	return true;
}

bool target_heap__counters_lately(struct target *target, uint64_t now_ns,
				  struct heap_counters *ret_counters)
{
	bool lately = target->memory_counted_ns &&
		      now_ns < target->memory_counted_ns + TARGET_COUNTERS_LATELY_NS;

	if (!lately || target__state(target) != TARGET_LIVE || now_ns < target->counters_due_ns)
		return target_heap__counters(target, now_ns, ret_counters);
	*ret_counters = target->memory_counted;
	return true;
}
