/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_WAYS_PRIVATE_H
#define GLEAKD_HEAP_WAYS_PRIVATE_H

/*
 * What ways.c (what led to what, while a scan sees it) and found.c (ways, when it has ended) share. What led
 * to an object is the number of the object before it, plus one, or the number of a root.
 */
#include "base/index.h"
#include "heap/ways/ways.h"

#define WAYS_ROOT	 (1u << 31)
#define WAYS_FILTER_BITS (1u << 18)

struct ways_reference {
	uint32_t target;
	uint32_t origin; /* as in parents; 0: not known */
	uint64_t from;
	size_t length;
};

/* A goroutine, and the start of an object that it waits on. */
struct ways_waiter {
	uint64_t goid, object;
};

struct heap_ways {
	struct heap_ways_options options;
	struct heap_visitor visitor;
	struct heap_scan *scan;
	struct heap_spans *spans;
	bool failed; /* out of memory */

	uint32_t *parents; /* by slot */
	size_t n_parents;
	struct heap_root *roots;
	size_t n_roots, roots_capacity;

	struct heap_ways_target *targets;
	size_t n_targets, targets_capacity;
	struct index *by_object; /* targets */
	uint64_t filter[WAYS_FILTER_BITS / 64];
	struct ways_reference *references;
	size_t n_references, references_capacity;
	struct index *by_word; /* references, by word and object */
	uint64_t *sudogs;      /* sorted */
	size_t n_sudogs;
	struct ways_waiter *waiters; /* sorted */
	size_t n_waiters;
};

#endif /* GLEAKD_HEAP_WAYS_PRIVATE_H */
