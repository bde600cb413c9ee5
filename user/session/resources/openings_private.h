/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_RESOURCES_OPENINGS_PRIVATE_H
#define GLEAKD_SESSION_RESOURCES_OPENINGS_PRIVATE_H

/* What open_watch.c and target_openings.c share. */
#include "base/index.h"
#include "observe/stack_table.h"
#include "probe/alloc_windows.h"
#include "session/allocs/alloc_modules.h"
#include "session/resources/target_openings.h"
#include "track/openings.h"
#include "track/pools.h"

/* A line that opens things. */
struct opener {
	uint64_t key;		     /* of function, file and line */
	uint32_t of_function;	     /* the first number of those of its function */
	struct report_frame *frames; /* owned: the line, and behind it the stack */
	size_t n_stack;
};

/* What is attached at one time. */
struct open_lane {
	struct failure missing;
	size_t slot;
	struct alloc_module *modules; /* ALLOC_MAX_MODULES of them */
	size_t n_modules;
	bool wanted, attached;
	/* All probes were attached from the one to the other; closed 0: they are. */
	uint64_t opened_ns, closed_ns;
	struct alloc_windows windows;
	struct gl_alloc_counts counts;
	uint64_t records, n_windows;
	uint64_t watched_ns; /* by windows that are over */
};

struct target_openings {
	struct open_watch *watch;
	struct alloc_cost cost;
	bool shares;			      /* what probes may cost, with those on goroutines */
	struct open_lane lanes[OPEN_WATCHED]; /* by enum open_watched */
	struct openings *seen;
	struct pool_uses *pools;
	struct stack_table *stacks;
	uint32_t *of_stack; /* openers of stacks, by their ids; 0: not asked yet */
	size_t n_of_stack, of_stack_capacity;
	struct opener *openers; /* from number 1 on */
	size_t n_openers, openers_capacity;
	struct index *by_key;
};

/* target_openings__open - nothing is attached yet. -ENOMEM. */
int target_openings__open(struct target *target, struct open_watch *watch) __must_check;

/* target_openings__take - a record of the ring buffer, of this target. */
void target_openings__take(struct target *target, const struct gl_alloc *record);

/* target_openings__spent_ns - of the target's CPU time, by all hits of @lane so far. */
double target_openings__spent_ns(const struct target_openings *openings,
				 const struct open_lane *lane);

/* open_watch__forget - @target is to be freed. */
void open_watch__forget(struct open_watch *watch, const struct target *target);

/* open_watch__drain - take in what is in the ring. */
void open_watch__drain(struct open_watch *watch);

#endif /* GLEAKD_SESSION_RESOURCES_OPENINGS_PRIVATE_H */
