/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_WAYS_WAYS_H
#define GLEAKD_HEAP_WAYS_WAYS_H

/*
 * What leads to objects: a visitor of a scan (mark/mark.h) that keeps for each object what led to it first,
 * which with `by_level` is the shortest way, and of those that are asked about all references. Memory:
 * 4 bytes per object that holds pointers, 32 per object that a root leads to, and references up to a
 * limit.
 */
#include "heap/scan/scan.h"

struct heap_ways;

enum heap_way_root {
	HEAP_WAY_UNKNOWN,
	HEAP_WAY_VARIABLE,
	HEAP_WAY_STACK,
	HEAP_WAY_FINALIZER, /* something with a finalizer, cleanup or weak pointer, or their queues */
	HEAP_WAY_RUNTIME,   /* its processors: timers, caches */
	HEAP_WAY_GOROUTINE, /* what describes one, its g */
	HEAP_WAY_ROOTS,
};

const char *heap_way_root__name(enum heap_way_root kind); /* "global", "stack", ... */

struct heap_root {
	enum heap_way_root kind;
	int32_t place;	  /* on a stack: of the word, from the end of the frame that it is in */
	uint64_t address; /* of the word; 0: it is not in memory */
	uint64_t goid;	  /* whose stack; 0 */
	uint64_t pc; /* link-time, where the function stands whose frame it is in; 0: not known */
};

struct heap_step {
	uint64_t object, size; /* start; bytes of its slot */
	uint64_t slot;	       /* its number (mark/mark.h) */
	/* The word that leads here: in the object of the step before, or the root's; 0: not known. */
	uint64_t from;
};

#define HEAP_WAY_STEPS 64

/* One way from a root. Of a longer one the middle is left out. */
struct heap_way {
	struct heap_root root;
	size_t length; /* objects, the last included */
	size_t n_steps;
	size_t left_out; /* objects between the two halves */
	struct heap_step steps[HEAP_WAY_STEPS];
};

struct heap_ways_options {
	uint64_t max_bytes; /* of memory; 0: no limit */
	size_t max_targets; /* 0: 65,536 */
	size_t max_ways;    /* of all targets, that are kept; 0: 65,536 */
};

/* heap_ways__new - -ENOMEM. */
int heap_ways__new(const struct heap_ways_options *options,
		   struct heap_ways **ret_paths) __must_check;
void heap_ways__free(struct heap_ways *ways);

/*
 * heap_ways__begin - of @scan, whose goroutines have been read (heap_scan_options.ready), and whose
 * visitor is that of heap_ways__visitor(). Both must outlive what follows. Errors: -E2BIG its objects
 * are too many for the memory allowed, -ENOMEM.
 */
int heap_ways__begin(struct heap_ways *ways, struct heap_scan *scan) __must_check;
const struct heap_visitor *heap_ways__visitor(const struct heap_ways *ways);

/*
 * heap_ways__ask - about the object that @address is in, from now on. Goroutines that wait on it do not
 * hold it: their stacks do not count, nor does the object's list of them. Returns its number, the same for
 * each object; -ENOENT: there is none; -E2BIG more than allowed; -ENOMEM.
 */
int heap_ways__ask(struct heap_ways *ways, uint64_t address) __must_check;

struct heap_ways_target {
	uint64_t object, size, slot;
	size_t n_ways; /* references, those that were not kept too */
};

/* heap_ways__settle - once the scan has ended: references by which an object holds itself do not count. */
void heap_ways__settle(struct heap_ways *ways);

/* heap_ways__targets - what was asked about, by number. */
const struct heap_ways_target *heap_ways__targets(const struct heap_ways *ways, size_t *ret_n);

/*
 * heap_ways__to - the ways to target number @target that were kept, the shortest first; at most @max
 * of them. Returns how many, or -ESRCH, -ENOMEM.
 */
int heap_ways__to(struct heap_ways *ways, size_t target, struct heap_way *found,
		  size_t max) __must_check;

/* heap_ways__bytes - memory that it has taken. */
uint64_t heap_ways__bytes(const struct heap_ways *ways);

#endif /* GLEAKD_HEAP_WAYS_WAYS_H */
