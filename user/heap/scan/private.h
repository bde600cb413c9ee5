/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_SCAN_PRIVATE_H
#define GLEAKD_HEAP_SCAN_PRIVATE_H

/* What the parts of a scan share: scan.c (phases), candidates.c, again.c, threads.c. */
#include "heap/scan/scan.h"

enum scan_phase {
	SCAN_BEGIN,
	SCAN_SPANS,
	SCAN_GOROUTINES,
	SCAN_GLOBALS,
	SCAN_SPECIALS,
	SCAN_RUNTIME,
	SCAN_STACKS,
	SCAN_WOKEN,
	SCAN_AGAIN,
	SCAN_WOKEN_AGAIN,
	SCAN_VERIFY,
	SCAN_KEPT,
	SCAN_SETTLE,
	SCAN_DONE,
};

struct scan_waiter {
	uint64_t object; /* start of the object that it waits on */
	uint32_t g;	 /* in goroutines.all */
};

struct heap_scan {
	const struct heap_runtime *runtime;
	struct heap_scan_options options;
	struct heap_scan_result result;
	enum scan_phase phase;
	bool roots_read;      /* of this phase */
	unsigned int n_again; /* looks at variables and stacks once more */
	size_t late_before;   /* younger spans, before the last of them */

	struct heap_spans *spans;
	struct heap_types *types;
	struct heap_mark *mark;
	struct heap_modules modules;
	struct heap_roots *roots;
	struct heap_frames *frames;
	struct heap_stack_scanner *scanner;
	struct heap_stacks *stacks;
	struct heap_goroutines goroutines;
	uint64_t threads_unknown; /* threads that could not be told where they are */

	struct scan_waiter *by_object; /* sorted */
	size_t n_by_object;
	uint32_t *reached; /* candidates found to be reachable, whose stacks are not roots yet */
	size_t n_reached;
};

/* scan_candidates__prepare - hide all g structs and candidates' sudogs, and watch what they wait on. */
int scan_candidates__prepare(struct heap_scan *scan) __must_check;

/* scan_candidates__settle - those whose object has been marked hang from a root of @kind. */
int scan_candidates__settle(struct heap_scan *scan, enum heap_root_kind kind) __must_check;

/* scan_candidates__add_stacks - of all that were found reachable since the last call. */
int scan_candidates__add_stacks(struct heap_scan *scan) __must_check;

/* scan_candidates__add_stack - goroutine @i may run: its stack, g and sudogs lead on. */
int scan_candidates__add_stack(struct heap_scan *scan, uint32_t i) __must_check;

/* scan_again__add_stacks - goroutines that ran or came to be since they were read. */
int scan_again__add_stacks(struct heap_scan *scan) __must_check;

/* scan_again__verify - candidates that nothing leads to and that ran meanwhile are taken back. */
int scan_again__verify(struct heap_scan *scan) __must_check;

/* scan_threads__mark - registers and system stacks of a stopped target. */
int scan_threads__mark(struct heap_scan *scan) __must_check;

#endif /* GLEAKD_HEAP_SCAN_PRIVATE_H */
