// SPDX-License-Identifier: Apache-2.0
#include "heap/types/leaf.h"

#include <stdio.h>
#include <string.h>

#include "base/bisect.h"

#define WORD	  8u
#define MAX_DEPTH 64u /* of structs and arrays in each other */

static void append(char *path, size_t size, const char *dot, const char *text)
{
	size_t used = strlen(path);

	if (used < size)
		snprintf(path + used, size - used, "%s%s", dot, text);
}

/* The last field that begins at @offset or before, and is not empty. */
static const struct heap_field *field_at(struct heap_types *types, const struct heap_shape *shape,
					 uint64_t offset, const struct heap_type **ret_type)
{
	size_t low = bisect(shape->n_fields, i, shape->fields[i].offset <= offset);

	while (low--) {
		const struct heap_field *field = &shape->fields[low];
		const struct heap_type *type = heap_types__any(types, field->type);

		if (!type || offset - field->offset < type->size) {
			*ret_type = type;
			return type ? field : NULL;
		}
		/* An empty one may stand in front of the one with the word, but no other can. */
		if (type->size)
			return NULL;
	}
	return NULL;
}

/*
 * The T of a sync/atomic.Pointer[T], whose pointer is an unsafe.Pointer beside a field of type
 * [0]*T (src/sync/atomic/type.go); 0: it is none.
 */
static uint64_t atomic_target(struct heap_types *types, const struct heap_shape *shape)
{
	const struct heap_type *first =
		shape->n_fields > 1 ? heap_types__any(types, shape->fields[0].type) : NULL;
	const struct heap_shape *array =
		first && first->kind == GO_KIND_ARRAY ? heap_types__shape(types, first) : NULL;
	const struct heap_type *pointer =
		array && !array->length ? heap_types__any(types, array->elem) : NULL;
	const struct heap_shape *elem = pointer && pointer->kind == GO_KIND_POINTER ?
						heap_types__shape(types, pointer) :
						NULL;

	return elem ? elem->elem : 0;
}

static void fill(const struct heap_type *type, const struct heap_shape *shape, uint64_t at,
		 struct heap_leaf *leaf)
{
	bool second = at >= WORD && at < 2 * (uint64_t)WORD;

	switch (type->kind) {
	case GO_KIND_POINTER:
		leaf->word = HEAP_WORD_POINTER;
		leaf->target = shape->elem;
		break;
	case GO_KIND_MAP:
	case GO_KIND_CHAN:
	case GO_KIND_FUNC:
		leaf->word = type->kind == GO_KIND_MAP	? HEAP_WORD_MAP :
			     type->kind == GO_KIND_CHAN ? HEAP_WORD_CHAN :
							  HEAP_WORD_FUNC;
		leaf->target = type->address;
		break;
	case GO_KIND_UNSAFE_POINTER:
		leaf->word = HEAP_WORD_UNSAFE;
		break;
	case GO_KIND_STRING:
		leaf->word = at ? HEAP_WORD_OTHER : HEAP_WORD_STRING;
		break;
	case GO_KIND_SLICE:
		leaf->word = at ? HEAP_WORD_OTHER : HEAP_WORD_SLICE;
		leaf->target = at ? 0 : shape->elem;
		break;
	case GO_KIND_INTERFACE:
		if (second)
			leaf->word = shape->length ? HEAP_WORD_IFACE : HEAP_WORD_EFACE;
		break;
	default:
		break;
	}
}

bool heap_types__leaf(struct heap_types *types, const struct heap_type *type, uint64_t offset,
		      struct heap_leaf *ret_leaf, char *path, size_t size)
{
	uint64_t at = offset, atomic = 0;

	if (size)
		*path = '\0';
	for (unsigned int depth = 0; depth < MAX_DEPTH; depth++) {
		const struct heap_shape *shape = heap_types__shape(types, type);
		const struct heap_field *field;

		if (!shape || at >= type->size)
			return false;
		if (type->kind == GO_KIND_STRUCT) {
			const struct heap_type *inner;

			field = field_at(types, shape, at, &inner);
			if (!field)
				return false;
			atomic = inner->kind == GO_KIND_UNSAFE_POINTER ?
					 atomic_target(types, shape) :
					 0;
			if (!atomic)
				append(path, size, ".", field->name);
			at -= field->offset;
			type = inner;
		} else if (type->kind == GO_KIND_ARRAY) {
			type = heap_types__any(types, shape->elem);
			if (!type || !type->size)
				return false;
			at %= type->size;
			append(path, size, "", HEAP_ELEMENT);
		} else {
			*ret_leaf = (struct heap_leaf){.type = type, .offset = offset - at};
			fill(type, shape, at, ret_leaf);
			if (atomic) {
				ret_leaf->word = HEAP_WORD_POINTER;
				ret_leaf->target = atomic;
			}
			return true;
		}
	}
	return false;
}
