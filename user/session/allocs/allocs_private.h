/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_ALLOCS_ALLOCS_PRIVATE_H
#define GLEAKD_SESSION_ALLOCS_ALLOCS_PRIVATE_H

/* What alloc_watch.c and target_allocs.c share. */
#include "heap/runtime/modules.h"
#include "heap/types/allocated.h"
#include "heap/types/types.h"
#include "heap/view/counters.h"
#include "probe/alloc_windows.h"
#include "session/allocs/alloc_follow.h"
#include "session/allocs/alloc_modules.h"
#include "session/allocs/alloc_paces.h"
#include "session/allocs/target_allocs.h"
#include "session/heap/target_places.h"

/* Which set of labels is at an address: until a collection has ended no memory becomes another thing. */
struct label_addresses {
	struct label_address {
		uint64_t address;
		uint32_t labels;
	} * all;
	size_t n, capacity;
	struct index *by_address;
	uint64_t since_ns; /* when the collection before ended */
};

/* Each set of labels once, in words. */
struct label_texts {
	char **texts; /* owned; the first two are "" */
	size_t n, capacity;
	struct index *by_text;
	struct label_addresses now,
		before;		  /* since the last collection that was noticed, and until it */
	uint64_t before_until_ns; /* what is in `before` was there until then at least */
	uint32_t sweepgen;
	/* When the last collection did end, by the program's clock; 0: never, or not known. */
	uint64_t ended_ns;
	uint64_t looked_ns; /* no collection has ended between now.since_ns and then */
};

struct target_allocs {
	enum alloc_source source;
	struct failure missing, ended;
	uint64_t rate;
	struct alloc_watch *watch; /* NULL: it has no slot there */
	size_t slot;
	bool who, again;	      /* as in struct alloc_figures; goroutines are told apart */
	struct alloc_module *modules; /* ALLOC_MAX_MODULES of them */
	size_t n_modules;
	bool attached;

	const struct heap_runtime *runtime;
	struct heap_modules *runtime_modules;
	struct heap_types *types;
	struct heap_allocated *allocated;
	struct alloc_flow *flow;
	struct stack_table *stacks;
	struct label_texts labels;
	struct alloc_follow *follow; /* NULL: the runtime's samples are seen */
	struct object_places places; /* of what is followed; none before a scan */

	double max_overhead; /* of all windows */
	struct alloc_windows windows;
	struct alloc_paces paces;
	struct alloc_cost cost;
	double charged_ns,
		charged_to_ns; /* what hits are accounted with, up to what they should have cost */
	uint64_t gap; /* of the latest window: see alloc_probes__draw(); 0: all hits were told */
	struct alloc_weights weights;
	/* At the beginning of the period, and at the end of the latest window. */
	struct heap_class_counts counted, closed;
	bool counted_known, closed_known;
	uint64_t began_ns, period_began_ns, opened_ns; /* opened: the window that is open now */
	/* Of the latest window: while probes come and go some sites have one and others do not. */
	uint64_t valid_from_ns, valid_to_ns;
	/* CPU time of the target: when the period and the window began, and in windows of the period. */
	uint64_t period_cpu_ns, opened_cpu_ns, window_cpu_ns;
	uint64_t window_ns;   /* of the period, windows that are closed */
	uint64_t attached_ns; /* before that window */
	uint64_t n_windows;
	struct gl_alloc_counts counts, settled; /* now, and when the period began */
	uint64_t settled_records;
	uint64_t records;
	size_t fold_at; /* entries of the flow that are too many */
};

/*
 * What the target loses while the probes of one window come and go, beside their hits: 1.5 to 2 ms where others kept
 * two processors busy (tests/bench/run allocs).
 */
#define ALLOC_WINDOW_NS (2.0 * NSEC_PER_MSEC)

/* target_allocs__open - nothing is attached yet. -ENOMEM. */
int target_allocs__open(struct target *target, struct failure *failure) __must_check;

/*
 * target_allocs__plan - where the probes go, in all modules; by its source. Errors: as
 * alloc_plan__make(), -E2BIG too many modules, -ENOENT one is not readable.
 */
int target_allocs__plan(struct target *target, struct failure *failure) __must_check;

/* target_allocs__take - a record of the ring buffer, of this target. */
void target_allocs__take(struct target *target, const struct gl_alloc *record);

/*
 * target_allocs__draws - since records came too fast the program draws hits, with @gap or another. For the next window
 * that is chosen anew.
 */
void target_allocs__draws(struct target *target, uint64_t gap);

/* target_allocs__note_window - how long the window that is open, if one is, has been until @now_ns. */
void target_allocs__note_window(struct target *target, uint64_t now_ns);
/*
 * target_allocs__settle - the hits of the period become figures, and the next begins. A period ends with its window.
 * How long the pause before it was does not depend on what the window saw; the pause after it does, which is
 * longer after one that was dear. Without a window, it is as the time before.
 */
void target_allocs__settle(struct target *target);

/*
 * target_allocs__charge - of the target's CPU time, by all hits so far, with what they were seen to
 * cost. What is dearer from now on is not charged for what was before.
 */
double target_allocs__charge(struct target_allocs *allocs);

#endif /* GLEAKD_SESSION_ALLOCS_ALLOCS_PRIVATE_H */
