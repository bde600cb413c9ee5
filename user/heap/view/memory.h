/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_VIEW_MEMORY_H
#define GLEAKD_HEAP_VIEW_MEMORY_H

/*
 * What the memory of a process consists of. Every resident byte is in one part:
 *
 *	in the arenas of Go's heap	live and dead objects, stacks, and what is free
 *	elsewhere			what the runtime has mapped for itself, and what is not Go's
 *
 * Objects and stacks are counted by their size. Of one that was never written to, or is swapped out,
 * not all is resident: then the parts add up to more than the RSS, by `absent` bytes.
 */
#include "heap/view/counters.h"
#include "heap/scan/scan.h"

struct heap_memory {
	uint64_t rss_bytes;
	uint64_t live_bytes;	/* objects that something leads to, by a scan */
	uint64_t objects;	/* their number */
	uint64_t dead_bytes;	/* objects that nothing leads to, not freed yet */
	uint64_t free_bytes;	/* the rest of what is resident of the heap */
	uint64_t stack_bytes;	/* of goroutines */
	uint64_t runtime_bytes; /* the runtime's own structs: spans, bitmaps, profiles */
	uint64_t other_bytes;	/* the executable, C memory, mapped files */
	uint64_t absent_bytes;	/* counted above and not resident */
	uint64_t gc_cycles;
};

/*
 * heap_memory__measure - of process @pid, whose heap @scan, which has ended, has looked at. @proc_root is
 * where its /proc/PID/smaps is. Errors: as resident__each() and heap_counters__read(); -EOPNOTSUPP
 * the runtime's own counts were not found in it.
 */
int heap_memory__measure(const struct heap_runtime *runtime, const struct heap_scan_result *scan,
			 const char *proc_root, pid_t pid,
			 struct heap_memory *ret_memory) __must_check;

/* What is resident where. */
struct heap_resident {
	uint64_t heap;	/* in the arenas of the heap */
	uint64_t other; /* not of files, elsewhere */
	uint64_t files;
};

/* heap_memory__divide - the parts, from what is resident, what is counted and what is marked. */
struct heap_memory heap_memory__divide(const struct heap_resident *resident,
				       const struct heap_counters *counters,
				       const struct heap_mark_totals *marked);

#endif /* GLEAKD_HEAP_VIEW_MEMORY_H */
