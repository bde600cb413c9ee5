/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_TYPES_ALLOCATED_H
#define GLEAKD_HEAP_TYPES_ALLOCATED_H

/*
 * Of what type an object is, by the stack of the call that allocated it. The program's own function
 * gives the allocator the address of a type descriptor, which stands in its machine code, stripped or
 * not. What is not known there (of a generic function, of package reflect) is not known here.
 */
#include "heap/types/types.h"

enum heap_allocated_as {
	HEAP_ALLOCATED_UNKNOWN,
	HEAP_ALLOCATED_VALUE,
	HEAP_ALLOCATED_ARRAY, /* type: of an element */
	HEAP_ALLOCATED_CHAN,
	HEAP_ALLOCATED_CHAN_BUFFER, /* type: of the channel, as for the one before */
	HEAP_ALLOCATED_MAP,
	HEAP_ALLOCATED_MAP_SLOTS, /* its groups or buckets; type: of the map */
	HEAP_ALLOCATED_MAP_PART,  /* type: of the map; which part is not said */
	HEAP_ALLOCATED_STRING,	  /* no type */
	HEAP_ALLOCATED_BYTES,	  /* an array behind a []byte; no type */
};

struct heap_allocation {
	enum heap_allocated_as as;
	uint64_t type; /* address of its descriptor */
};

struct heap_allocated;

/* heap_allocated__new - @runtime and @types, which knows its modules, must outlive it. -ENOMEM. */
int heap_allocated__new(const struct heap_runtime *runtime, struct heap_types *types,
			struct heap_allocated **ret_allocated) __must_check;
void heap_allocated__free(struct heap_allocated *allocated);

/*
 * heap_allocated__of - of an object that takes @size bytes. @stack: return addresses of the target,
 * innermost first, the first in whoever called mallocgc. Each call is looked at once.
 */
struct heap_allocation heap_allocated__of(struct heap_allocated *allocated, const uint64_t *stack,
					  size_t n, uint64_t size);

/* heap_allocated__name - "main.session", "[]main.session", "map[int]string"; "" for what is unknown. */
void heap_allocated__name(struct heap_allocated *allocated,
			  const struct heap_allocation *allocation, char *name, size_t size);

/* heap_allocated__as - what a function of the runtime allocates, and by which argument it has the type. */
enum heap_allocated_as heap_allocated__as(int minor, const char *function, size_t *ret_argument);

#endif /* GLEAKD_HEAP_TYPES_ALLOCATED_H */
