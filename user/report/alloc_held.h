/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_ALLOC_HELD_H
#define GLEAKD_REPORT_ALLOC_HELD_H

/* Allocated here, held there: what holds the objects of places that allocate. */
#include "report/alloc_places.h"
#include "session/heap/target_places.h"

/* What was found of all places; all zero: nothing. */
struct alloc_held {
	struct held *all; /* owned */
	size_t n, capacity;
};

/* alloc_held__add - each of the objects of @bucket stands for @bytes, and is of place @i. -ENOMEM. */
int alloc_held__add(struct alloc_held *held, const struct object_places *objects, uint64_t bucket,
		    size_t i, double bytes) __must_check;

/*
 * alloc_held__name - by @paths, of which the nodes are (NULL: not known): the first few that hold something of each
 * place, and where no type is known that of most of it. -ENOMEM.
 */
int alloc_held__name(struct alloc_held *held, struct heap_paths *paths,
		     struct alloc_places *places) __must_check;

void alloc_held__done(struct alloc_held *held);

#endif /* GLEAKD_REPORT_ALLOC_HELD_H */
