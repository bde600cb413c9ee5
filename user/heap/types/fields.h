/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_TYPES_FIELDS_H
#define GLEAKD_HEAP_TYPES_FIELDS_H

/* Fields of structs by their names, as the program's own type descriptors have them, and their values. */
#include "heap/types/types.h"

struct heap_field_at {
	uint64_t offset, size; /* in the outermost value; size 0: there is no such field */
	uint64_t type;
};

/*
 * heap_fields__find - the field that @path names in values of @type, as Go would: "pfd.Sysfd", through
 * embedded structs too. Size 0: there is none.
 */
struct heap_field_at heap_fields__find(struct heap_types *types, uint64_t type, const char *path);

/* heap_fields__is_zero - whether the bytes of @field in @value, @size bytes of it, are all zero. */
bool heap_fields__is_zero(const struct heap_field_at *field, const uint8_t *value, size_t size);

/* heap_fields__number - the integer in @field; 0 where it is not there. */
uint64_t heap_fields__number(const struct heap_field_at *field, const uint8_t *value, size_t size);

/*
 * heap_fields__text - the string at the target's @address, of at most @size - 1 bytes, what is no
 * printable ASCII as '?'. "" when it cannot be read.
 */
void heap_fields__text(struct remote *remote, uint64_t address, char *text, size_t size);

/*
 * heap_fields__follow - the value in the interface at @address: its type, that of what a pointer points
 * to, and where it is. False: there is none.
 */
bool heap_fields__follow(struct heap_types *types, struct remote *remote, uint64_t address,
			 uint64_t *ret_type, uint64_t *ret_address);

#endif /* GLEAKD_HEAP_TYPES_FIELDS_H */
