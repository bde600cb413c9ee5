/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_MEMORY_GLOBALS_H
#define GLEAKD_GOLANG_MEMORY_GLOBALS_H

/*
 * Addresses of the variables in which the runtime counts its memory. With a .symtab they are looked
 * up. Without, they are recovered from the functions that use them, as mheap_ is (heap_globals.h).
 */
#include "golang/binary.h"

/* Link-time addresses; 0: not found. */
struct memory_globals {
	uint64_t memstats;	/* runtime.memstats, src/runtime/mstats.go */
	uint64_t gc_controller; /* runtime.gcController, mgcpacer.go */
};

/*
 * memory_globals__find - @binary must be bound; @remote and @load_bias stand for a process that runs
 * it, and @mheap is the link-time address of its mheap_. Both are verified by their contents.
 */
struct memory_globals memory_globals__find(struct go_binary *binary, struct remote *remote,
					   uint64_t load_bias, uint64_t mheap);

/*
 * What the collector is held to, read from the target's addresses. False: unreadable, or these are
 * not what they are said to be.
 */
bool memory_globals__is_memstats(struct remote *remote, const struct go_layout *layout,
				 uint64_t mheap, uint64_t memstats);
bool memory_globals__is_gc_controller(struct remote *remote, const struct go_layout *layout,
				      uint64_t mheap, uint64_t gc_controller);

#define GO_HEAP_STATS 3 /* src/runtime/mstats.go consistentHeapStats.stats */

#endif /* GLEAKD_GOLANG_MEMORY_GLOBALS_H */
