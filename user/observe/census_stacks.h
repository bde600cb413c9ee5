/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_CENSUS_STACKS_H
#define GLEAKD_OBSERVE_CENSUS_STACKS_H

/*
 * Park stacks of a batch of goroutines. The target runs while it is read: between the copy of a g
 * and the copy of its stack the goroutine may have woken and parked elsewhere, or its stack may
 * have been moved, freed and given to another. So every g is read once more after its stack, and
 * the stack counts only if nothing that changes with a run (goid, status, trackingSeq, pc, sp, bp,
 * the stack's bounds) differs. Only stacks that passed are interned: a torn stack can waste a read,
 * but never make up a site. Private to the census.
 */
#include "base/common.h"
#include "observe/census_gather.h"
#include "observe/census_runtime.h"
#include "observe/stack_table.h"

/* Goroutines in one batch: two remote ranges each, if none are neighbours, and all of them in one system call. */
#define PARKED_BATCH (GATHER_SPANS / 2)

/* How much of a stack is read with the batch, and at most alone when frames lie deeper. */
#define STACK_FIRST_READ 2048u
#define STACK_DEEP_READ	 (64u << 10)

/* A goroutine whose stack is wanted. */
struct census_parked {
	uint64_t address; /* of its g */
	size_t slot;
	uint64_t read_at_ns; /* a moment before it was read */
	struct census_g g;
};

enum census_stack_state {
	CENSUS_STACK_READ,    /* complete, or cut at STACK_MAX_DEPTH or STACK_DEEP_READ */
	CENSUS_STACK_PARTIAL, /* the chain of frames ends before runtime.goexit; kept as it is */
	CENSUS_STACK_FAILED,  /* torn or unreadable: no stack */
};

/* What the top of a stack says. */
struct census_walked {
	enum census_stack_state state;
	uint32_t id;
	bool more; /* it takes more of the stack */
};

/* Large; in a mapping of its own that lives as long as a census. */
struct census_stacks_scratch {
	struct census_gather gather;		    /* of the tops of stacks */
	struct census_gather again;		    /* of the g, a second time */
	struct remote_span spans[2 * PARKED_BATCH]; /* first those, then these */
	size_t order[PARKED_BATCH];		    /* of parked, by sp */
	uint64_t addresses[PARKED_BATCH];	    /* of their g, ascending */
	const uint8_t *copies[PARKED_BATCH];	    /* of the tops of their stacks; NULL: unread */
	bool same[PARKED_BATCH];		    /* the g did not change meanwhile */
	struct census_walked walked[PARKED_BATCH];
	uint8_t verify[256u << 10]; /* second copies of g windows */
	uint8_t tops[PARKED_BATCH * STACK_FIRST_READ];
	uint8_t deep[STACK_DEEP_READ];
};

struct census_stacks {
	const struct census_runtime *runtime;
	struct stack_table *table;
	/*
	 * The stack that was interned last: goroutines that are read together often wait in the
	 * same place.
	 */
	uint64_t last_pcs[STACK_MAX_DEPTH];
	size_t last_depth;
	uint32_t last_id;
};

/* Called once for each, in any order; @stack_id is STACK_ID_NONE when FAILED. */
typedef void (*census_stack_fn)(void *ctx, const struct census_parked *parked, uint32_t stack_id,
				enum census_stack_state state);

/*
 * census_stacks__read - read the stacks of @parked (ascending by address, at most PARKED_BATCH).
 * Returns 0, or -ESRCH and -EPERM as remote__read_spans(); then @fn was called for none or some.
 */
int census_stacks__read(struct census_stacks *stacks, struct census_stacks_scratch *scratch,
			const struct census_parked *parked, size_t n, census_stack_fn fn,
			void *ctx) __must_check;

#endif /* GLEAKD_OBSERVE_CENSUS_STACKS_H */
