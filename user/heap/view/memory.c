// SPDX-License-Identifier: Apache-2.0
#include "heap/view/memory.h"

#include <errno.h>

#include "host/resident.h"

struct measurement {
	const struct heap_runtime *runtime;
	struct heap_resident resident;
	int err;
};

/* A mapping belongs to the heap when its first page is in an arena: they are mapped as a whole. */
static void add_mapping(void *ctx, const struct resident_mapping *mapping)
{
	struct measurement *m = ctx;
	uint64_t arena = 0;

	if (!mapping->bytes)
		return;
	if (!mapping->anonymous) {
		m->resident.files += mapping->bytes;
		return;
	}
	/* Above are the kernel's own: vsyscall. */
	if (!m->err && mapping->start < 1ULL << GO_HEAP_BITS)
		m->err = page_map__arena(&m->runtime->pages, mapping->start, &arena);
	if (arena)
		m->resident.heap += mapping->bytes;
	else
		m->resident.other += mapping->bytes;
}

struct heap_memory heap_memory__divide(const struct heap_resident *resident,
				       const struct heap_counters *counters,
				       const struct heap_mark_totals *marked)
{
	uint64_t elsewhere = resident->other + resident->files, in_heap;
	uint64_t own = min_of(counters->runtime_bytes, resident->other);
	struct heap_memory memory = {
		.rss_bytes = resident->heap + elsewhere,
		.live_bytes = marked->bytes,
		.objects = marked->objects,
		.stack_bytes = counters->stack_bytes,
		.runtime_bytes = own + counters->work_bytes,
		.gc_cycles = counters->gc_cycles,
	};

	/* What was allocated since the scan is not among what it saw. */
	memory.dead_bytes =
		counters->allocated_bytes - min_of(counters->allocated_bytes, marked->bytes);
	in_heap = memory.live_bytes + memory.dead_bytes + memory.stack_bytes + counters->work_bytes;
	memory.free_bytes = resident->heap - min_of(resident->heap, in_heap);
	memory.absent_bytes = in_heap - min_of(in_heap, resident->heap);
	memory.other_bytes = elsewhere - own;
	return memory;
}

int heap_memory__measure(const struct heap_runtime *runtime, const struct heap_scan_result *scan,
			 const char *proc_root, pid_t pid, struct heap_memory *ret_memory)
{
	struct measurement m = {.runtime = runtime};
	struct heap_counters counters;
	int err = resident__each(proc_root, pid, add_mapping, &m);

	if (!err)
		err = m.err;
	if (!err)
		err = heap_counters__read(runtime, &counters);
	if (err)
		return err;
	if (!counters.counted)
		return -EOPNOTSUPP;
	*ret_memory = heap_memory__divide(&m.resident, &counters, &scan->marked);
	return 0;
}
