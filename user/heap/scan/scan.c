// SPDX-License-Identifier: Apache-2.0
/*
 * Phases, each of which can be left and gone on with:
 *
 *	SPANS		the table of spans, and whether it is one
 *	GOROUTINES	all g structs, and what candidates wait on
 *	GLOBALS ... STACKS	roots by kind; after each all that they lead to is marked, so that what a
 *			candidate waits on is known to hang from a root of that kind
 *	WOKEN		stacks of candidates that turned out to be reachable, until there are none
 *	AGAIN		racing scans: variables, and stacks of goroutines that ran since, once more:
 *			references that went from the heap to them while it was marked
 *	VERIFY		racing scans: whether those that nothing leads to have stood still
 *	KEPT		if asked for, what only those keep
 *	SETTLE		what the visitor wants to be shown again
 *
 * g structs and the sudogs of candidates are hidden until their goroutine is known to be able to run:
 * they would lead from the list of all goroutines to everything.
 */
#include "heap/scan/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "heap/scan/private.h"

#define MAX_AGAIN 4u

const char *heap_scan_doubt__text(enum heap_scan_doubt doubt)
{
	static const char *const texts[] = {
		[HEAP_SCAN_SURE] = "",
		[HEAP_SCAN_ROOTS_UNREADABLE] = "a part of the roots could not be read",
		[HEAP_SCAN_STACKS_UNREADABLE] = "a stack could not be read",
		[HEAP_SCAN_HEAP_UNREADABLE] = "a part of the heap could not be read",
		[HEAP_SCAN_LIMITED] = "there was more of something than gleakd reads",
		[HEAP_SCAN_CHANGED] = "the process did not stand still",
	};

	return texts[doubt];
}

int heap_scan__new(const struct heap_runtime *runtime, const struct heap_scan_options *options,
		   struct heap_scan **ret_scan)
{
	struct heap_scan *scan = calloc(1, sizeof(*scan));
	struct heap_span_options spans;
	int err;

	if (!scan)
		return -ENOMEM;
	scan->runtime = runtime;
	if (options)
		scan->options = *options;
	spans.max_bytes = scan->options.max_heap_bytes;
	heap_goroutines__init(&scan->goroutines, runtime, scan->options.max_goroutines);
	err = heap_spans__new(runtime, &spans, &scan->spans);
	if (!err)
		err = heap_types__new(runtime, &scan->types);
	if (err) {
		heap_scan__free(scan);
		return err;
	}
	*ret_scan = scan;
	return 0;
}

void heap_scan__free(struct heap_scan *scan)
{
	if (!scan)
		return;
	heap_stacks__free(scan->stacks);
	heap_stack_scanner__free(scan->scanner);
	heap_frames__free(scan->frames);
	heap_roots__free(scan->roots);
	heap_mark__free(scan->mark);
	heap_types__free(scan->types);
	heap_spans__free(scan->spans);
	heap_goroutines__release(&scan->goroutines);
	free(scan->by_object);
	free(scan->reached);
	free(scan);
}

/* --- phases ------------------------------------------------------------------------------------- */

static int begin(struct heap_scan *scan)
{
	scan->result.started_ns = clock__monotonic_ns();
	return heap_spans__start(scan->spans);
}

static int read_spans(struct heap_scan *scan, uint64_t budget_ns, struct failure *failure)
{
	int err = heap_spans__step(scan->spans, budget_ns);

	if (err)
		return err;
	err = heap_spans__check(scan->spans, scan->options.exact, failure);
	if (!err)
		err = heap_modules__read(scan->runtime, &scan->modules);
	if (!err)
		err = heap_mark__new(scan->spans, scan->types, &scan->mark);
	if (!err)
		err = heap_roots__new(scan->runtime, &scan->modules, scan->spans, scan->mark,
				      &scan->roots);
	if (!err)
		err = heap_frames__new(scan->runtime, scan->modules.all[0].rodata, &scan->frames);
	if (!err)
		err = heap_stack_scanner__new(scan->runtime, scan->frames, scan->mark,
					      &scan->scanner);
	if (!err)
		err = heap_stacks__new(scan->runtime, scan->scanner, scan->mark, &scan->stacks);
	if (err)
		return err;
	heap_stacks__threads(scan->stacks, scan->options.threads, scan->options.n_threads);
	heap_mark__trace(scan->mark, scan->options.edge, scan->options.edge_ctx);
	heap_mark__visit(scan->mark, scan->options.visitor);
	if (scan->options.by_level)
		heap_mark__by_level(scan->mark);
	return heap_goroutines__start(&scan->goroutines, false);
}

static int read_goroutines(struct heap_scan *scan, uint64_t budget_ns)
{
	int err = heap_goroutines__step(&scan->goroutines, budget_ns);

	if (!err)
		err = heap_waits__read(&scan->goroutines);
	if (!err)
		err = scan_candidates__prepare(scan);
	if (!err)
		err = heap_roots__hide_processors(scan->roots);
	if (!err && scan->options.ready)
		err = scan->options.ready(scan->options.ready_ctx, scan);
	return err;
}

/* Queues the stacks of all that are no candidates. */
static int add_stacks(struct heap_scan *scan)
{
	struct heap_goroutines *goroutines = &scan->goroutines;

	for (size_t i = 0; i < goroutines->n; i++) {
		struct heap_goroutine *g = &goroutines->all[i];
		int err;

		if (g->candidate || g->scanned)
			continue;
		g->scanned = true;
		err = heap_stacks__add(scan->stacks, g);
		if (err)
			return err;
	}
	return 0;
}

/* Everything that is reachable by now is marked, and candidates told. Then the next phase. */
static int drain(struct heap_scan *scan, uint64_t budget_ns, enum heap_root_kind kind)
{
	int err;

	if (scan->options.by_level && scan->phase < SCAN_STACKS)
		return 0;
	err = heap_mark__drain(scan->mark, budget_ns);
	return err ? err : scan_candidates__settle(scan, kind);
}

static int run_globals(struct heap_scan *scan, uint64_t budget_ns)
{
	int err = scan->roots_read ? 0 : heap_roots__globals(scan->roots, budget_ns);

	if (err)
		return err;
	scan->roots_read = true;
	return drain(scan, budget_ns, HEAP_ROOT_GLOBAL);
}

static int run_specials(struct heap_scan *scan, uint64_t budget_ns)
{
	int err = scan->roots_read ? 0 : heap_roots__specials(scan->roots, budget_ns);

	if (err)
		return err;
	scan->roots_read = true;
	return drain(scan, budget_ns, HEAP_ROOT_FINALIZER);
}

static int run_runtime(struct heap_scan *scan, uint64_t budget_ns)
{
	int err = 0;

	if (!scan->roots_read) {
		err = heap_roots__processors(scan->roots);
		if (!err)
			err = scan_threads__mark(scan);
	}
	if (err)
		return err;
	scan->roots_read = true;
	return drain(scan, budget_ns, HEAP_ROOT_RUNTIME);
}

static int run_stacks(struct heap_scan *scan, uint64_t budget_ns)
{
	int err = scan->roots_read ? 0 : add_stacks(scan);

	if (err)
		return err;
	scan->roots_read = true;
	err = heap_stacks__step(scan->stacks, budget_ns);
	return err ? err : drain(scan, budget_ns, HEAP_ROOT_GOROUTINE);
}

/* Until no more are found. */
static int run_woken(struct heap_scan *scan, uint64_t budget_ns)
{
	int err = scan_candidates__add_stacks(scan);

	if (!err)
		err = heap_stacks__step(scan->stacks, budget_ns);
	if (!err)
		err = drain(scan, budget_ns, HEAP_ROOT_WAITING);
	if (err)
		return err;
	scan->result.rounds++;
	return scan->n_reached != 0;
}

static int run_again(struct heap_scan *scan, uint64_t budget_ns)
{
	int err = 0;

	if (!scan->roots_read) {
		heap_mark__again(scan->mark);
		err = heap_roots__globals(scan->roots, budget_ns);
		if (!err)
			err = scan_again__add_stacks(scan);
		if (!err) {
			scan->roots_read = true;
			scan->n_again++;
			scan->late_before = scan->spans->totals.late;
		}
	}
	if (!err)
		err = heap_stacks__step(scan->stacks, budget_ns);
	if (!err)
		err = drain(scan, budget_ns, HEAP_ROOT_GOROUTINE);
	if (err || !scan->options.visitor || scan->spans->totals.late == scan->late_before ||
	    scan->n_again == MAX_AGAIN)
		return err;
	/* What was in spans that nobody knew of is shown where it hangs, too. */
	scan->roots_read = false;
	return 1;
}

/* What those keep that nothing leads to: the collector does not free it either. */
static int run_kept(struct heap_scan *scan, uint64_t budget_ns)
{
	int err = 0;

	for (size_t i = 0; i < scan->goroutines.n && !scan->roots_read && !err; i++) {
		const struct heap_goroutine *g = &scan->goroutines.all[i];

		if (g->candidate && g->reached_by == HEAP_ROOT_NONE)
			err = scan_candidates__add_stack(scan, (uint32_t)i);
	}
	if (err)
		return err;
	scan->roots_read = true;
	err = heap_stacks__step(scan->stacks, budget_ns);
	return err ? err : heap_mark__drain(scan->mark, budget_ns);
}

static int run_phase(struct heap_scan *scan, uint64_t budget_ns, struct failure *failure)
{
	switch (scan->phase) {
	case SCAN_BEGIN:
		return begin(scan);
	case SCAN_SPANS:
		return read_spans(scan, budget_ns, failure);
	case SCAN_GOROUTINES:
		return read_goroutines(scan, budget_ns);
	case SCAN_GLOBALS:
		return run_globals(scan, budget_ns);
	case SCAN_SPECIALS:
		return run_specials(scan, budget_ns);
	case SCAN_RUNTIME:
		return run_runtime(scan, budget_ns);
	case SCAN_STACKS:
		return run_stacks(scan, budget_ns);
	case SCAN_WOKEN:
	case SCAN_WOKEN_AGAIN:
		return run_woken(scan, budget_ns);
	case SCAN_AGAIN:
		return scan->options.exact ? 0 : run_again(scan, budget_ns);
	case SCAN_VERIFY:
		return scan->options.exact ? 0 : scan_again__verify(scan);
	case SCAN_KEPT:
		return scan->options.whole ? run_kept(scan, budget_ns) : 0;
	case SCAN_SETTLE:
		return heap_mark__settle(scan->mark, budget_ns);
	case SCAN_DONE:
		break;
	}
	return 0;
}

/* --- the end ------------------------------------------------------------------------------------ */

static enum heap_scan_doubt doubt(const struct heap_scan *scan)
{
	const struct heap_scan_result *r = &scan->result;

	if (r->spans.unreadable || r->marked.pieces_unreadable)
		return HEAP_SCAN_HEAP_UNREADABLE;
	if (r->roots.unreadable || scan->threads_unknown)
		return HEAP_SCAN_ROOTS_UNREADABLE;
	if (r->stacks.unreadable || r->frames.defers_refused || scan->goroutines.unreadable)
		return HEAP_SCAN_STACKS_UNREADABLE;
	if (r->marked.late_refused)
		return HEAP_SCAN_LIMITED;
	/* While it runs some spans are always just being set up. */
	if (scan->options.exact && (r->spans.refused || r->marked.spans_changed || r->stacks.torn))
		return HEAP_SCAN_CHANGED;
	return HEAP_SCAN_SURE;
}

static void finish(struct heap_scan *scan)
{
	struct heap_scan_result *r = &scan->result;

	r->finished_ns = clock__monotonic_ns();
	r->goroutines = scan->goroutines.n;
	r->spans = scan->spans->totals;
	r->marked = *heap_mark__totals(scan->mark);
	r->roots = *heap_roots__totals(scan->roots);
	r->stacks = *heap_stacks__totals(scan->stacks);
	r->frames = *heap_stack_scanner__totals(scan->scanner);
	for (size_t i = 0; i < scan->goroutines.n; i++) {
		const struct heap_goroutine *g = &scan->goroutines.all[i];

		r->candidates += g->candidate;
		r->unreachable += heap_scan__is_unreachable(g);
		r->moved += g->reached_by == HEAP_ROOT_MOVED;
	}
	r->doubt = doubt(scan);
	heap_mark__trace(scan->mark, NULL, NULL);
}

/* Of errors that the parts have no words for. */
static int explain(int err, struct failure *failure)
{
	switch (err) {
	case -ESRCH:
		return failure__set(failure, err, "the process has ended");
	case -ENOMEM:
		return failure__set(failure, err, "out of memory");
	case -E2BIG:
		return failure__set(failure, err, "it has more goroutines or spans than are read");
	default:
		return failure__set(
			failure, -EAGAIN,
			"the heap could not be read, it changes too fast (%s); try again",
			strerror(-err));
	}
}

int heap_scan__step(struct heap_scan *scan, uint64_t budget_ns, struct failure *failure)
{
	uint64_t cpu = clock__thread_cpu_ns(), end = clock__monotonic_ns() + budget_ns;
	int err = 0;

	/* Each call does something, however short its time is. */
	for (bool first = true; scan->phase != SCAN_DONE; first = false) {
		uint64_t now = clock__monotonic_ns();

		if (budget_ns && now >= end && !first) {
			err = 1;
			break;
		}
		err = run_phase(scan, budget_ns ? max_of(end, now + 1) - now : 0, failure);
		if (err < 0)
			break;
		if (err)
			continue;
		scan->phase++;
		scan->roots_read = false;
		if (scan->phase == SCAN_DONE)
			finish(scan);
	}
	scan->result.cpu_ns += clock__thread_cpu_ns() - cpu;
	return err < 0 && err != -EOPNOTSUPP ? explain(err, failure) : err;
}

const struct heap_scan_result *heap_scan__result(const struct heap_scan *scan)
{
	return &scan->result;
}

const struct heap_goroutines *heap_scan__goroutines(const struct heap_scan *scan)
{
	return &scan->goroutines;
}

bool heap_scan__is_unreachable(const struct heap_goroutine *g)
{
	return g->candidate && g->reached_by == HEAP_ROOT_NONE &&
	       !(g->goid == 1 && g->wait_class == WAIT_SELECT_NONE);
}

enum heap_root_kind heap_scan__roots(const struct heap_scan *scan)
{
	switch (scan->phase) {
	case SCAN_GLOBALS:
		return HEAP_ROOT_GLOBAL;
	case SCAN_SPECIALS:
		return HEAP_ROOT_FINALIZER;
	case SCAN_RUNTIME:
		return HEAP_ROOT_RUNTIME;
	default:
		return HEAP_ROOT_NONE;
	}
}

struct heap_mark *heap_scan__mark(struct heap_scan *scan)
{
	return scan->mark;
}

int heap_scan__retain(struct heap_scan *scan, const size_t *indices, size_t n,
		      struct heap_retained *ret_retained)
{
	struct heap_mark_totals before = *heap_mark__totals(scan->mark), after;
	uint64_t stacks = heap_stacks__totals(scan->stacks)->allocated;
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		if (indices[i] < scan->goroutines.n)
			err = scan_candidates__add_stack(scan, (uint32_t)indices[i]);
	}
	if (!err)
		err = heap_stacks__step(scan->stacks, 0);
	if (!err)
		err = heap_mark__drain(scan->mark, 0);
	if (err)
		return err;
	after = *heap_mark__totals(scan->mark);
	*ret_retained = (struct heap_retained){
		.objects = after.objects - before.objects,
		.bytes = after.bytes - before.bytes,
		.stack_bytes = heap_stacks__totals(scan->stacks)->allocated - stacks,
	};
	return 0;
}
