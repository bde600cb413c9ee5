/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_SCAN_SCAN_H
#define GLEAKD_HEAP_SCAN_SCAN_H

/*
 * One scan of a heap: which goroutines wait for something that nothing leads to any more. It is what
 * the runtime's own leak profile does with the world stopped (src/runtime/mgc.go findGoroutineLeaks of
 * Go 1.26): everything is marked from all roots but the stacks of candidates; a candidate whose
 * channel or lock gets marked is reachable, and its stack becomes a root too; until no more are found.
 *
 * The target may run (a racing scan) or be stopped (an exact one). A racing scan can miss a reference
 * that moves from a place not yet read to one that has been. What it calls unreachable is confirmed
 * by further scans (confirm.h), and only an exact one proves. Either says nothing at all when a part
 * of the roots could not be read.
 *
 * In steps, so that whoever has other things to do can. Memory: see mark/mark.h and spans/spans.h.
 */
#include "heap/goroutines/goroutines.h"
#include "heap/mark/mark.h"
#include "heap/runtime/modules.h"
#include "heap/roots/roots.h"
#include "heap/roots/stacks.h"

struct heap_scan;

struct heap_scan_options {
	uint64_t max_heap_bytes; /* of spans; 0: 1 TiB. A larger heap is not scanned */
	size_t max_goroutines;	 /* 0: 16 million */
	/*
	 * The target is stopped, and these are its threads: all of them, with their registers. They
	 * must outlive the scan.
	 */
	bool exact;
	const struct heap_thread *threads;
	size_t n_threads;
	/*
	 * In the end the stacks of those that nothing leads to are roots too: everything is marked that
	 * the collector keeps.
	 */
	bool whole;
	/* Called for each object that is reached (mark/mark.h), until the scan has ended. */
	heap_edge_fn edge;
	void *edge_ctx;
	/* Sees the whole scan (mark/mark.h), and must outlive it; or NULL. */
	const struct heap_visitor *visitor;
	/*
	 * Called once it is known which goroutines there are and what they wait on, and nothing has been
	 * marked. An error ends the scan. NULL: nobody.
	 */
	int (*ready)(void *ctx, struct heap_scan *scan);
	void *ready_ctx;
	/*
	 * Shortest ways first: by level (mark/mark.h), from roots of all kinds at once but for the stacks of
	 * candidates. What kind of root leads to a candidate is then not told.
	 */
	bool by_level;
};

/* Why a scan that has ended says nothing. */
enum heap_scan_doubt {
	HEAP_SCAN_SURE,
	HEAP_SCAN_ROOTS_UNREADABLE,  /* variables, specials, queues */
	HEAP_SCAN_STACKS_UNREADABLE, /* stacks or g structs */
	HEAP_SCAN_HEAP_UNREADABLE,   /* marked objects */
	HEAP_SCAN_LIMITED,	     /* something was beyond a limit of ours */
	HEAP_SCAN_CHANGED,	     /* the target is said to be stopped, and is not */
};

const char *heap_scan_doubt__text(enum heap_scan_doubt doubt); /* "a stack could not be read" */

struct heap_scan_result {
	enum heap_scan_doubt doubt;
	uint64_t started_ns, finished_ns; /* monotonic */
	uint64_t cpu_ns;
	size_t goroutines, candidates, unreachable;
	size_t moved;  /* candidates that ran during the scan */
	size_t rounds; /* how many times newly reachable candidates were found */
	struct heap_span_totals spans;
	struct heap_mark_totals marked; /* in the end: what is alive */
	struct heap_root_totals roots;
	struct heap_stacks_totals stacks;
	struct heap_stack_totals frames;
};

/*
 * Bytes of heap that a scan may look at per byte it may use: the table of spans takes an eightieth of
 * the heap, marks another at most (mark/mark.h).
 */
#define HEAP_SCAN_PER_MEMORY 16

/* heap_scan__new - @runtime must outlive it, and @options what they point to. -ENOMEM. */
int heap_scan__new(const struct heap_runtime *runtime, const struct heap_scan_options *options,
		   struct heap_scan **ret_scan) __must_check;
void heap_scan__free(struct heap_scan *scan);

/*
 * heap_scan__step - go on for about @budget_ns (0: to the end). 1: there is more; 0: the result is
 * there. Errors end the scan: -ESRCH the process ended, -EOPNOTSUPP what is read is no heap (the
 * failure says why), -EAGAIN it changed too fast to be read, -E2BIG more goroutines than allowed,
 * -ENOMEM.
 */
int heap_scan__step(struct heap_scan *scan, uint64_t budget_ns,
		    struct failure *failure) __must_check;

/* heap_scan__result - of a scan that has ended. */
const struct heap_scan_result *heap_scan__result(const struct heap_scan *scan);

/* heap_scan__goroutines - all of them, in the order of allgs; reached_by of candidates is set. */
const struct heap_goroutines *heap_scan__goroutines(const struct heap_scan *scan);

/*
 * heap_scan__is_unreachable - whether @g was found to wait for what nothing leads to, which counts if
 * the scan is sure. Not goroutine 1 in select{}: it is how a program waits for its end, although its
 * stack is no root either (src/runtime/mgc.go findGoroutineLeaks).
 */
bool heap_scan__is_unreachable(const struct heap_goroutine *g);

/* What goroutines keep from being collected, and nothing else does. */
struct heap_retained {
	uint64_t objects, bytes; /* of the heap, the goroutines' own g structs included */
	uint64_t stack_bytes;	 /* whole stacks */
};

/*
 * heap_scan__retain - what the unreachable goroutines @indices (in heap_goroutines.all, @n of them)
 * keep. What groups share counts for the first that is asked about. Ends as heap_scan__step().
 */
int heap_scan__retain(struct heap_scan *scan, const size_t *indices, size_t n,
		      struct heap_retained *ret_retained) __must_check;

/* heap_scan__roots - of what kind the roots are that are being read; HEAP_ROOT_NONE: of several. */
enum heap_root_kind heap_scan__roots(const struct heap_scan *scan);

/* heap_scan__mark - what has been marked, for whoever goes on from there. */
struct heap_mark *heap_scan__mark(struct heap_scan *scan);

#endif /* GLEAKD_HEAP_SCAN_SCAN_H */
