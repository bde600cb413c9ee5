/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_ROOTS_STACKS_H
#define GLEAKD_HEAP_ROOTS_STACKS_H

/*
 * Stacks of many goroutines as roots: g structs and stacks are read in batches, and every g after its
 * stack, before it as well where nobody knew by then where the stack is. A goroutine that ran in between is tried
 * again; one that runs has its whole stack taken word by word. Dead ones have nothing on theirs.
 */
#include "heap/goroutines/goroutines.h"
#include "heap/roots/stack_scan.h"

struct heap_stacks;

struct heap_stacks_totals {
	uint64_t bytes;	     /* that were looked at */
	uint64_t allocated;  /* of the stacks they are in */
	uint64_t whole;	     /* stacks taken word by word from one end to the other */
	uint64_t torn;	     /* that had to be read again */
	uint64_t unreadable; /* nothing can be proven by then */
};

/* One thread of a stopped target. */
struct heap_thread {
	uint64_t sp;
	const uint64_t *registers; /* all of them */
	size_t n_registers;
};

/* heap_stacks__new - all must outlive it. -ENOMEM. */
int heap_stacks__new(const struct heap_runtime *runtime, struct heap_stack_scanner *scanner,
		     struct heap_mark *mark, struct heap_stacks **ret_stacks) __must_check;
void heap_stacks__free(struct heap_stacks *stacks);

/* heap_stacks__threads - the target is stopped, and this is where its threads are. */
void heap_stacks__threads(struct heap_stacks *stacks, const struct heap_thread *threads, size_t n);

/* heap_stacks__add - the stack of @goroutine, which is copied, is a root. -ENOMEM. */
int heap_stacks__add(struct heap_stacks *stacks,
		     const struct heap_goroutine *goroutine) __must_check;

/*
 * heap_stacks__step - read what was added and mark from it, for about @budget_ns (0: to the end). 1:
 * there is more; 0: all read; -ESRCH, -ENOMEM. The g itself is revealed (heap_mark__reveal()).
 */
int heap_stacks__step(struct heap_stacks *stacks, uint64_t budget_ns) __must_check;

const struct heap_stacks_totals *heap_stacks__totals(const struct heap_stacks *stacks);

#endif /* GLEAKD_HEAP_ROOTS_STACKS_H */
