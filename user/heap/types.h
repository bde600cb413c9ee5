/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_TYPES_H
#define GLEAKD_HEAP_TYPES_H

/*
 * Runtime type descriptors as far as the garbage collector needs them: the size of a value and which
 * of its words are pointers (src/internal/abi/type.go Type; src/runtime/type.go _type before 1.21).
 * Read from the target once and kept, with a limit.
 */
#include "heap/runtime.h"

/* abi.Type, the same from Go 1.18 to 1.27. */
#define GO_TYPE_SIZE	     0	/* uintptr */
#define GO_TYPE_POINTER_SIZE 8	/* uintptr: bytes from its start that may hold pointers */
#define GO_TYPE_TFLAG	     20 /* uint8 */
#define GO_TYPE_ALIGN	     21 /* uint8 */
#define GO_TYPE_KIND	     23 /* uint8 */
#define GO_TYPE_GCDATA	     32 /* *byte */
#define GO_TYPE_BYTES	     48

struct heap_type {
	uint64_t address;
	uint64_t size;
	uint64_t pointer_size;
	const uint8_t *bits; /* one per word of pointer_size; NULL: each may be a pointer */
};

struct heap_types;

/* heap_types__new - @runtime must outlive it. -ENOMEM. */
int heap_types__new(const struct heap_runtime *runtime, struct heap_types **ret_types) __must_check;
void heap_types__free(struct heap_types *types);

/*
 * heap_types__get - the type at the target's @address; NULL when that is none, it cannot be read or
 * too many have been: whatever should be of it has to be taken to hold pointers everywhere. Stays
 * valid until heap_types__free().
 */
const struct heap_type *heap_types__get(struct heap_types *types, uint64_t address);

/* heap_types__refused - how often there was no answer. */
size_t heap_types__refused(const struct heap_types *types);

#endif /* GLEAKD_HEAP_TYPES_H */
