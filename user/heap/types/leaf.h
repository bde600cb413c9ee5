/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_TYPES_LEAF_H
#define GLEAKD_HEAP_TYPES_LEAF_H

/*
 * What the word at an offset of a value is: the innermost field or element that has it, how Go would
 * write the way there, and what a pointer in it points to.
 */
#include "heap/types/types.h"

enum heap_word {
	HEAP_WORD_OTHER, /* no pointer to an object: a number, a length, an interface's type */
	HEAP_WORD_POINTER,
	HEAP_WORD_MAP,
	HEAP_WORD_CHAN,
	HEAP_WORD_FUNC,
	HEAP_WORD_UNSAFE, /* unsafe.Pointer: to what is not said */
	HEAP_WORD_STRING, /* its bytes */
	HEAP_WORD_SLICE,  /* its array */
	HEAP_WORD_EFACE,  /* the second word of an interface; the first says of what type it is */
	HEAP_WORD_IFACE,  /* the same; the first leads to an itab */
};

struct heap_leaf {
	enum heap_word word;
	const struct heap_type *type; /* of the field: *T, []T, map[K]V, string, interface ... */
	uint64_t offset;	      /* of the field in the value */
	/*
	 * What is pointed to, if that follows from the type: T of *T and []T, the map, chan or func type
	 * itself; 0: it does not.
	 */
	uint64_t target;
};

/*
 * heap_types__leaf - of the word at @offset of a value of @type. The way there is written to the
 * @size bytes at @path: ".clients[…].name"; elements of arrays are all the same. False: @type has no
 * such word, or it is not known what it has.
 */
bool heap_types__leaf(struct heap_types *types, const struct heap_type *type, uint64_t offset,
		      struct heap_leaf *ret_leaf, char *path, size_t size);

#define HEAP_ELEMENT "[\xe2\x80\xa6]" /* any element of a map, slice or array */

#endif /* GLEAKD_HEAP_TYPES_LEAF_H */
