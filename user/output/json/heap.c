// SPDX-License-Identifier: Apache-2.0
#include "output/json/heap.h"

static void put_memory(struct json *json, const struct heap_memory *memory)
{
	json__object(json, "memory");
	json__count(json, "rss_bytes", memory->rss_bytes);
	json__count(json, "heap_live_bytes", memory->live_bytes);
	json__count(json, "heap_dead_bytes", memory->dead_bytes);
	json__count(json, "heap_free_bytes", memory->free_bytes);
	json__count(json, "stack_bytes", memory->stack_bytes);
	json__count(json, "runtime_bytes", memory->runtime_bytes);
	json__count(json, "other_bytes", memory->other_bytes);
	json__count(json, "not_resident_bytes", memory->absent_bytes);
	json__count(json, "objects", memory->objects);
	json__count(json, "gc_cycles", memory->gc_cycles);
	json__end_object(json);
}

void json__heap(struct json *json, const struct report_target *target)
{
	if (target->heap)
		put_memory(json, &target->heap->memory);
}
