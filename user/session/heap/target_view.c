// SPDX-License-Identifier: Apache-2.0
#include "session/heap/target_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "golang/variables.h"
#include "heap/view/counters.h"
#include "session/allocs/target_samples.h"
#include "session/heap/target_heap.h"
#include "session/heap/target_places.h"
#include "session/target_internal.h"

#define SLICE_NS (20 * NSEC_PER_MSEC)
/* Scans until one is sure of all roots. */
#define ATTEMPTS 3
/* What grows with the heap of the memory that paths need: two bytes per slot, half of what there is. */
#define MEMORY_PER_SLOT 4
/* Debug information is in memory for a moment only. */
#define MEMORY_PER_DEBUG_BYTE 4

struct target_view {
	struct go_variables *variables;
	struct heap_paths *paths;
	struct heap_growth *growth;
	struct heap_view shown;
	struct heap_look look; /* the last one */
	bool filled, kept;
};

int target_view__check_size(const struct target *target, const struct heap_runtime *runtime,
			    const struct target_view_options *options, struct failure *failure)
{
	uint64_t max = options->max_memory * HEAP_SCAN_PER_MEMORY;
	char heap[NUMBER_BYTES_SIZE], most[NUMBER_BYTES_SIZE];
	struct heap_counters counters;
	int err = heap_counters__read(runtime, &counters);

	if (err)
		return failure__set(failure, err, "process %d: %s", target__pid(target),
				    err == -ESRCH ? "it has ended" :
						    "the size of its heap cannot be read");
	if (counters.heap_bytes <= max)
		return 0;
	number__bytes(counters.heap_bytes, heap);
	number__bytes(max, most);
	return failure__set(failure, -E2BIG,
			    "process %d has a heap of %s, and what gleakd may use is enough for "
			    "%s; allow more with --max-memory",
			    target__pid(target), heap, most);
}

static int run_scan(struct heap_scan *scan, const struct target_view_options *options,
		    struct failure *failure)
{
	int more;

	do {
		more = heap_scan__step(scan, SLICE_NS, failure);
		if (more == 1 && options->interrupted && options->interrupted(options->ctx))
			return failure__set(failure, -EINTR, "interrupted");
	} while (more == 1);
	return more;
}

static int measure(struct target *target, const struct heap_runtime *runtime,
		   const struct heap_scan *scan, struct failure *failure)
{
	int err = heap_memory__measure(runtime, heap_scan__result(scan), target->options.proc_root,
				       target__pid(target), &target->view->shown.memory);

	if (err == -EOPNOTSUPP)
		return failure__set(failure, err,
				    "process %d: what its runtime counts of its memory was not "
				    "found in it; a newer gleakd may know this Go version",
				    target__pid(target));
	return err ? failure__set(failure, err, "process %d: its memory cannot be measured: %s",
				  target__pid(target), strerror(-err)) :
		     0;
}

/* NULL: *@ret_err says why. */
static struct target_view *open_view(struct target *target, const struct heap_runtime *runtime,
				     const struct target_view_options *options, int *ret_err,
				     struct failure *failure)
{
	struct target_view *view = target->view;
	int err;

	*ret_err = 0;
	if (view)
		return view;
	view = calloc(1, sizeof(*view));
	if (!view) {
		*ret_err = failure__set(failure, -ENOMEM, "out of memory");
		return NULL;
	}
	target->view = view;
	err = go_variables__read(target->executable->binary,
				 (size_t)options->max_memory / MEMORY_PER_DEBUG_BYTE,
				 &view->variables);
	if (!err)
		err = heap_growth__new(&view->growth);
	if (!err)
		err = heap_paths__new(runtime, view->variables,
				      options->max_memory / MEMORY_PER_SLOT, &view->paths);
	if (!err) {
		heap_paths__draw(view->paths, heap_growth__members(view->growth));
		return view;
	}
	target_view__close(target);
	*ret_err = failure__set(failure, err, "process %d: %s", target__pid(target),
				err == -ENOMEM ? "out of memory" : "its modules cannot be read");
	return NULL;
}

int target_view__names(struct target *target, const struct heap_runtime *runtime,
		       const struct target_view_options *options, struct heap_paths **ret_paths,
		       struct go_variables **ret_variables, struct failure *failure)
{
	int err;
	const struct target_view *view = open_view(target, runtime, options, &err, failure);

	if (!view)
		return err;
	*ret_paths = view->paths;
	*ret_variables = view->variables;
	return 0;
}

/* For whoever wants to see more of a scan than what the view shows. */
struct onlooker {
	const struct target_view_options *options;
	struct heap_paths *paths;
};

static int on_ready(void *ctx, struct heap_scan *scan)
{
	const struct onlooker *onlooker = ctx;
	const struct target_view_options *options = onlooker->options;

	return options->ready ? options->ready(options->scan_ctx, scan, onlooker->paths) : 0;
}

/* One scan, and what it shows. 1: it is not sure of all roots. */
static int look(struct target *target, const struct heap_runtime *runtime,
		const struct target_view_options *options, struct failure *failure)
{
	struct onlooker onlooker = {options, target->view->paths};
	const struct heap_scan_options scan_options = {
		.max_heap_bytes = options->max_memory * HEAP_SCAN_PER_MEMORY,
		.whole = true,
		.visitor = heap_paths__visitor(target->view->paths),
		.ready = on_ready,
		.ready_ctx = &onlooker,
	};
	const struct heap_scan_result *result;
	struct heap_scan *scan;
	int err = heap_scan__new(runtime, &scan_options, &scan);

	if (err)
		return failure__set(failure, err, "out of memory");
	target_samples__know(target, target->view->paths);
	target_places__know(target, target->view->paths);
	heap_paths__begin(target->view->paths);
	err = run_scan(scan, options, failure);
	if (!err) {
		result = heap_scan__result(scan);
		target->view->look.begin_ns = result->started_ns;
		target->view->look.end_ns = result->finished_ns;
		log_debug("heap of process %d: %.3g s, %.3g s of CPU, %llu objects%s%s",
			  target__pid(target),
			  (double)(result->finished_ns - result->started_ns) / NSEC_PER_SEC,
			  (double)result->cpu_ns / NSEC_PER_SEC,
			  (unsigned long long)result->marked.objects, result->doubt ? ", " : "",
			  heap_scan_doubt__text(result->doubt));
		err = measure(target, runtime, scan, failure);
		if (!err)
			err = heap_paths__count(target->view->paths, heap_scan__mark(scan), 0) ?
				      failure__set(failure, -ENOMEM, "out of memory") :
				      0;
		if (!err)
			target_places__locate(target, heap_mark__spans(heap_scan__mark(scan)),
					      target->view->paths);
		if (!err && options->scanned)
			err = options->scanned(options->scan_ctx, scan, target->view->paths) ?
				      failure__set(failure, -ENOMEM, "out of memory") :
				      0;
		if (!err && result->doubt != HEAP_SCAN_SURE)
			err = 1;
	}
	heap_scan__free(scan);
	return err;
}

int target_view__take(struct target *target, const struct target_view_options *options,
		      struct failure *failure)
{
	const struct heap_runtime *runtime;
	struct target_view *view;
	int err = target_heap__runtime(target, &runtime, failure);

	if (!err)
		err = target_view__check_size(target, runtime, options, failure);
	if (err)
		return err;
	target_heap__give_up(target);
	view = open_view(target, runtime, options, &err, failure);
	if (!view)
		return err;
	view->kept = view->kept || options->keep;
	err = 1;
	for (int i = 0; i < ATTEMPTS && err == 1; i++)
		err = look(target, runtime, options, failure);
	if (err == 1)
		log_warn("process %d: not all of what its heap hangs from could be read: what is "
			 "alive is more than is shown",
			 target__pid(target));
	if (err >= 0 && heap_view__fill(&view->shown, view->paths, view->growth, &view->look))
		err = failure__set(failure, -ENOMEM, "out of memory");
	view->filled = view->filled || err >= 0;
	return min_of(err, 0);
}

struct heap_paths *target_view__paths(const struct target *target)
{
	return target->view ? target->view->paths : NULL;
}

const struct heap_view *target_view__get(const struct target *target)
{
	return target->view && target->view->filled ? &target->view->shown : NULL;
}

void target_view__rest(struct target *target)
{
	if (target->view)
		go_variables__rest(target->view->variables);
}

void target_view__release(struct target *target)
{
	if (!target->view || target->view->kept)
		return;
	target_heap__give_up(target);
	/* Whose names they were has seen to it. */
	target_view__close(target);
}

void target_view__close(struct target *target)
{
	struct target_view *view = target->view;

	if (!view)
		return;
	heap_view__clear(&view->shown);
	heap_paths__free(view->paths);
	heap_growth__free(view->growth);
	go_variables__free(view->variables);
	free(view);
	target->view = NULL;
}
