/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_HEAP_TARGET_VIEW_H
#define GLEAKD_SESSION_HEAP_TARGET_VIEW_H

/*
 * A look at the whole heap of a target for its own sake: what it consists of. By scans while the
 * target runs; it is never stopped.
 */
#include "heap/view/view.h"
#include "session/target.h"

struct target_view_options {
	uint64_t max_memory; /* of ours, which bounds the heap that can be read */
	bool keep; /* until the end: what is found in look after look is told apart by the same nodes */
	/* Asked every few milliseconds; true: give up. NULL: never. */
	bool (*interrupted)(void *ctx);
	void *ctx;
	/* Called with each scan of target_view__take(), when nothing has been marked and at its end; or NULL. */
	int (*ready)(void *ctx, struct heap_scan *scan, struct heap_paths *paths);
	int (*scanned)(void *ctx, struct heap_scan *scan, struct heap_paths *paths);
	void *scan_ctx;
};

/*
 * target_view__take - scan the heap of @target once, and keep what is found until the next time. A scan of it
 * that is under way (target_heap.h) is given up.
 * Errors, for this target only: -EINTR given up, -E2BIG the heap is too large for @max_memory, as
 * heap_runtime__init(), heap_scan__step(), heap_memory__measure(), resident__each().
 */
int target_view__take(struct target *target, const struct target_view_options *options,
		      struct failure *failure) __must_check;

/*
 * target_view__check_size - -E2BIG with what to do: a heap of which a part would be left out is not read.
 * Errors: as heap_counters__read().
 */
int target_view__check_size(const struct target *target, const struct heap_runtime *runtime,
			    const struct target_view_options *options,
			    struct failure *failure) __must_check;

/*
 * target_view__names - what types of objects and names of variables come from, for a visitor of a scan of
 * @runtime; until target_view__close(). Errors: -ENOMEM, -EFAULT its modules cannot be read, -ESRCH.
 */
int target_view__names(struct target *target, const struct heap_runtime *runtime,
		       const struct target_view_options *options, struct heap_paths **ret_paths,
		       struct go_variables **ret_variables, struct failure *failure) __must_check;

/* target_view__paths - names of nodes that the last look has counted; NULL: there was none. */
struct heap_paths *target_view__paths(const struct target *target);

/* target_view__get - what the last one found; NULL: there was none. */
const struct heap_view *target_view__get(const struct target *target);

/* target_view__rest - gives back what is not needed between two scans. */
void target_view__rest(struct target *target);

/* target_view__release - it is not needed any more, unless it is kept. */
void target_view__release(struct target *target);

/* target_view__close - part of target__free(). */
void target_view__close(struct target *target);

#endif /* GLEAKD_SESSION_HEAP_TARGET_VIEW_H */
