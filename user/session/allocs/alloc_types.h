/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_ALLOCS_ALLOC_TYPES_H
#define GLEAKD_SESSION_ALLOCS_ALLOC_TYPES_H

/*
 * Of what type is what probes have seen, by the stack that allocated it: whether an array of a type or one of it, and
 * of which map the groups or buckets are, the allocator is not told.
 */
#include "heap/types/allocated.h"
#include "observe/stack_table.h"
#include "session/target.h"

/* alloc_types__of - of what takes @bytes and was allocated by the stack of @pcs, module pcs. */
struct heap_allocation alloc_types__of(const struct target *target,
				       struct heap_allocated *allocated, const uint64_t *pcs,
				       size_t n, uint64_t bytes);

#endif /* GLEAKD_SESSION_ALLOCS_ALLOC_TYPES_H */
