/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_ALLOCS_TARGET_ALLOCS_H
#define GLEAKD_SESSION_ALLOCS_TARGET_ALLOCS_H

/*
 * Who allocates memory in a target, by probes in its allocator while somebody watches. What they tell is
 * added up in the target; the probes and the ring buffer are those of a struct alloc_watch, which is for
 * all targets.
 */
#include "heap/types/allocated.h"
#include "observe/stack_table.h"
#include "session/allocs/alloc_follow.h"
#include "session/heap/target_places.h"
#include "session/target.h"
#include "track/alloc_flow.h"
#include "track/alloc_weights.h"

/* target_allocs__figures - false: nobody watches. */
bool target_allocs__figures(const struct target *target, struct alloc_figures *ret_figures);

/* target_allocs__cost_ns - of its CPU time, that probes on allocations have cost it; 0: there were none. */
uint64_t target_allocs__cost_ns(const struct target *target);

/* target_allocs__past - what became of the objects that were seen; false: they are not followed. */
bool target_allocs__past(const struct target *target, struct followed_past *ret_past);

/*
 * target_allocs__places - where what is followed hangs, its buckets as alloc_follow__bucket(); NULL: nobody watches.
 * target_allocs__told - the report has named it.
 */
const struct object_places *target_allocs__places(const struct target *target);
void target_allocs__told(struct target *target);

/* Of these the rest says nothing where `missing` is not "". */
struct alloc_flow *target_allocs__flow(const struct target *target);
const struct stack_table *target_allocs__stacks(const struct target *target);
/* target_allocs__labels - in words, "key=value, key=value"; "" for ALLOC_LABELS_NONE and _UNKNOWN. */
const char *target_allocs__labels(const struct target *target, uint32_t labels);
/* target_allocs__what - of what type; parts of maps and channels are told as these. _name_type: its name, or "". */
struct heap_allocation target_allocs__what(const struct target *target,
					   const struct alloc_flow_entry *entry);
void target_allocs__name_type(const struct target *target, const struct heap_allocation *what,
			      char *name, size_t size);
#define TARGET_ALLOCS_TYPE 512 /* what a name of a type takes */

/* target_allocs__close - part of target__free(). */
void target_allocs__close(struct target *target);

#endif /* GLEAKD_SESSION_ALLOCS_TARGET_ALLOCS_H */
