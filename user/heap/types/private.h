/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_TYPES_PRIVATE_H
#define GLEAKD_HEAP_TYPES_PRIVATE_H

/* What types.c (sizes and pointers) and shape.c (names, fields, elements) share. */
#include "heap/types/types.h"

struct heap_types {
	const struct heap_runtime *runtime;
	const struct heap_modules *modules;   /* or NULL */
	const struct go_variables *variables; /* or NULL */
	uint64_t bias;
	struct index *by_address;
	struct heap_type **all; /* each stays where it is */
	size_t n, capacity;
	size_t bits_bytes, shape_bytes, refused;
	unsigned int depth; /* of names that are made up from names */
};

/* heap_shape__read - NULL: it makes no sense, or too much has been read. */
struct heap_shape *heap_shape__read(struct heap_types *types, const struct heap_type *type);
void heap_shape__free(struct heap_shape *shape);

/* heap_shape__shorten - a copy of the name of a type with whole paths as heap_shape.name has it. */
char *heap_shape__shorten(const char *name) __must_check;

/* heap_types__describe - the type that DWARF alone tells, new; NULL. */
struct heap_type *heap_types__describe(struct heap_types *types, uint64_t address);

#endif /* GLEAKD_HEAP_TYPES_PRIVATE_H */
