/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_ROOTS_STACK_SCAN_H
#define GLEAKD_HEAP_ROOTS_STACK_SCAN_H

/*
 * The pointers of one goroutine's stack, as the collector finds them (src/runtime/mgcmark.go
 * scanstack): frame by frame with the compiler's maps, variables whose address was taken only while
 * something points to them, and word by word where there is no map: an asynchronously preempted
 * frame, or code that this file does not know. Where a walk does not come to the outermost frame, what
 * is left of the stack is taken word by word too, so that no pointer is missed.
 */
#include "heap/roots/frames.h"
#include "heap/mark/mark.h"

struct heap_stack {
	uint64_t lo, hi;	     /* bounds of the stack */
	uint64_t pc, sp, lr;	     /* where it stopped; lr: arm64 */
	uint64_t ctxt, panic, defer; /* g.sched.ctxt, _panic and _defer */
	uint64_t goid, startpc;	     /* whose it is; for heap_contents */
	bool again;
	const uint8_t *copy; /* of [from, hi) */
	uint64_t from;	     /* at most sp */
};

struct heap_stack_scanner;

struct heap_stack_totals {
	uint64_t stacks, frames;
	uint64_t guessed_frames; /* without a map */
	/* of which a part was taken word by word: no map of a whole rest */
	uint64_t guessed_stacks;
	/* chains of deferred calls that did not end or could not be read */
	uint64_t defers_refused;
};

/* heap_stack_scanner__new - all three must outlive it. -ENOMEM. */
int heap_stack_scanner__new(const struct heap_runtime *runtime, struct heap_frames *frames,
			    struct heap_mark *mark,
			    struct heap_stack_scanner **ret_scanner) __must_check;
void heap_stack_scanner__free(struct heap_stack_scanner *scanner);

/* What a visitor of the mark is told of a stack: every struct heap_contents of HEAP_IN_STACK is in one. */
struct heap_stack_contents {
	struct heap_contents contents;
	/* Of the frame that the word is in: the call that it stands at, link-time, and its end; 0: not known. */
	uint64_t pc;
	uint64_t frame;
};

/* heap_stack__contents - of the whole stack. @bias: of struct heap_runtime. */
struct heap_stack_contents heap_stack__contents(const struct heap_stack *stack, uint64_t bias);

/* heap_stack_contents__of - @contents must be of HEAP_IN_STACK. */
static inline const struct heap_stack_contents *
heap_stack_contents__of(const struct heap_contents *contents)
{
	_Static_assert(offsetof(struct heap_stack_contents, contents) == 0, "the head of it");
	return (const void *)contents;
}

/* heap_stack_scanner__scan - mark what a stack that does not run points to. -ENOMEM. */
int heap_stack_scanner__scan(struct heap_stack_scanner *scanner,
			     const struct heap_stack *stack) __must_check;

const struct heap_stack_totals *
heap_stack_scanner__totals(const struct heap_stack_scanner *scanner);

#endif /* GLEAKD_HEAP_ROOTS_STACK_SCAN_H */
