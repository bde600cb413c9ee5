/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_FAKE_TYPES_H
#define GLEAKD_TESTS_FAKE_TYPES_H

/* Type descriptors of any Go version as a linker lays them out, in memory that a test reads. */
#include "heap/types/types.h"

#define FAKE_TYPES_BASE 0x500000ULL
#define FAKE_TYPES_SIZE 65536u

struct fake_types {
	int minor;
	uint8_t data[FAKE_TYPES_SIZE];
	size_t used;
	struct remote *remote;
	struct heap_runtime runtime;
	struct heap_modules modules;
};

struct fake_field {
	const char *name;
	uint64_t offset, type;
};

/* fake_types__init - for Go 1.@minor. @types must stay where it is. */
void fake_types__init(struct fake_types *types, int minor);
void fake_types__release(struct fake_types *types);

/* fake_types__plain - a type of @kind without anything behind it. Each returns its address. */
uint64_t fake_types__plain(struct fake_types *types, const char *name, enum go_kind kind,
			   uint64_t size, uint64_t pointer_size);

/* fake_types__elem - pointer, slice or chan. */
uint64_t fake_types__elem(struct fake_types *types, const char *name, enum go_kind kind,
			  uint64_t elem);

uint64_t fake_types__array(struct fake_types *types, const char *name, uint64_t elem,
			   uint64_t elem_size, uint64_t length);
uint64_t fake_types__interface(struct fake_types *types, const char *name, size_t n_methods);
uint64_t fake_types__map(struct fake_types *types, const char *name, uint64_t key, uint64_t elem,
			 uint64_t slots, uint64_t slots_size);
uint64_t fake_types__struct(struct fake_types *types, const char *name, uint64_t size,
			    uint64_t pointer_size, const struct fake_field *fields, size_t n);

/* fake_types__named - a type with methods, of the package with @path. */
uint64_t fake_types__named(struct fake_types *types, const char *name, const char *path);

/* fake_types__at - where what is at @address is kept. */
uint8_t *fake_types__at(struct fake_types *types, uint64_t address);

#endif /* GLEAKD_TESTS_FAKE_TYPES_H */
