/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_VIEW_COUNTERS_H
#define GLEAKD_HEAP_VIEW_COUNTERS_H

/*
 * What the runtime itself counts of its memory: a few reads, however large the heap is. These are the
 * figures of runtime/metrics and runtime.MemStats, without their stop of the world: the processors'
 * own counts of the last moment, a few kilobytes each, may not be in them yet.
 */
#include "heap/runtime/runtime.h"

struct heap_counters {
	uint32_t gc_cycles;  /* MemStats.NumGC, /gc/cycles/total:gc-cycles */
	uint64_t heap_bytes; /* of spans in use: MemStats.HeapInuse */
	/* Each with whether it is known. */
	bool counted;
	uint64_t stack_bytes;	    /* MemStats.StackInuse, /memory/classes/heap/stacks:bytes */
	uint64_t allocated_bytes;   /* MemStats.HeapAlloc: objects that have not been freed */
	uint64_t allocated_objects; /* MemStats.HeapObjects */
	/* Since the program began: MemStats.TotalAlloc and Mallocs, /gc/heap/allocs:bytes and :objects. */
	uint64_t total_bytes, total_objects;
	uint64_t work_bytes;	/* spans of the heap that hold mark work and bitmaps */
	uint64_t runtime_bytes; /* what the runtime has mapped for itself elsewhere */
	bool marked;
	uint64_t live_bytes; /* that the last collection found: /gc/heap/live:bytes */
	bool has_goal;
	/*
	 * At which the next collection ends: /gc/heap/goal:bytes by GOGC alone. Not known where a memory
	 * limit (GOMEMLIMIT) has its say, or with GOGC=off.
	 */
	uint64_t goal_bytes;
	bool timed;
	uint64_t pause_ns; /* of all collections: MemStats.PauseTotalNs */
	bool returned;
	uint64_t released_bytes; /* of the heap, given back to the system: MemStats.HeapReleased */
	bool assisted;
	/* That goroutines which allocate have spent on the collection under way, or on the last one. */
	uint64_t assist_ns;
};

/* heap_counters__read - -EFAULT unreadable, or it makes no sense; -ESRCH. */
int heap_counters__read(const struct heap_runtime *runtime,
			struct heap_counters *ret_counters) __must_check;

/*
 * heap_counters__last_gc - when the last collection ended, by the process's monotonic clock; 0: none has.
 * Errors: -ENODATA it cannot be found; -EFAULT, -ESRCH.
 */
int heap_counters__last_gc(const struct heap_runtime *runtime, uint64_t *ret_ns) __must_check;

#define HEAP_COLLECTIONS_MAX 256 /* src/runtime/mstats.go pause_end */

/*
 * heap_counters__collections - when the last collections ended, by the process's monotonic clock, the latest
 * first. The runtime has only the wall clock's times of those before the last: where that clock was set
 * in between, they are off by as much. Returns how many. Errors: as heap_counters__last_gc(); -EAGAIN
 * there was one meanwhile.
 */
int heap_counters__collections(const struct heap_runtime *runtime,
			       uint64_t ret_ns[HEAP_COLLECTIONS_MAX]) __must_check;

#define HEAP_COUNTED_CLASSES 68 /* size classes; 0: large objects */

/* What was allocated of each size class since the program began. */
struct heap_class_counts {
	uint64_t objects[HEAP_COUNTED_CLASSES];
	uint64_t large_bytes;
};

/*
 * heap_class_counts__read - the runtime counts a span of small objects when it is full, or a collection
 * begins. Errors: -ENODATA this version does not count them; -EFAULT, -ESRCH.
 */
int heap_class_counts__read(const struct heap_runtime *runtime,
			    struct heap_class_counts *ret_counts) __must_check;

#endif /* GLEAKD_HEAP_VIEW_COUNTERS_H */
