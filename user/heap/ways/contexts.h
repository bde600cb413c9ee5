/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_WAYS_CONTEXTS_H
#define GLEAKD_HEAP_WAYS_CONTEXTS_H

/*
 * The parents of a context.Context: each that can be cancelled has a map of the children that have not
 * been cancelled yet, nor it (src/context/context.go cancelCtx). A parent that lives long and has many
 * is how contexts leak.
 */
#include "heap/types/types.h"

struct heap_context {
	const char *type; /* context.cancelCtx; belongs to the types */
	uint64_t address;
	bool cancels;	   /* it has children */
	uint64_t children; /* that were not cancelled */
};

#define HEAP_MAX_CONTEXTS 32u

/* heap_contexts__is_one - whether values of @type are contexts that package context made. */
bool heap_contexts__is_one(struct heap_types *types, uint64_t type);

/*
 * heap_contexts__chain - the context of @type at @address, its parent, the parent of that, and so on: at
 * most @max of them, the innermost first. Returns how many; it ends where memory cannot be read.
 */
size_t heap_contexts__chain(struct heap_types *types, struct remote *remote, uint64_t address,
			    uint64_t type, struct heap_context *chain, size_t max);

#endif /* GLEAKD_HEAP_WAYS_CONTEXTS_H */
