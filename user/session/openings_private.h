/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_OPENINGS_PRIVATE_H
#define GLEAKD_SESSION_OPENINGS_PRIVATE_H

/* What open_watch.c and target_openings.c share. */
#include "base/index.h"
#include "observe/stack_table.h"
#include "probe/alloc_windows.h"
#include "session/alloc_modules.h"
#include "session/target_openings.h"
#include "track/openings.h"

/* A line that opens things. */
struct opener {
	uint64_t key;		     /* of function, file and line */
	struct report_frame *frames; /* owned: the line, and behind it the stack */
	size_t n_stack;
};

struct target_openings {
	struct open_watch *watch;
	struct failure missing;
	size_t slot;
	struct alloc_module *modules; /* ALLOC_MAX_MODULES of them */
	size_t n_modules;
	bool wanted, attached;
	struct alloc_windows windows;
	struct alloc_cost cost;
	struct gl_alloc_counts counts;
	uint64_t records, n_windows;
	struct openings *seen;
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

/* target_openings__spent_ns - of the target's CPU time, by all hits so far. */
double target_openings__spent_ns(const struct target_openings *openings);

/* open_watch__drain - take in what is in the ring. */
void open_watch__drain(struct open_watch *watch);

#endif /* GLEAKD_SESSION_OPENINGS_PRIVATE_H */
