/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_VARIABLES_PRIVATE_H
#define GLEAKD_GOLANG_VARIABLES_PRIVATE_H

/* What variables.c (which there are), locals.c (those on stacks) and described.c (types in DWARF) share. */
#include <elfutils/libdw.h>

#include "base/index.h"
#include "elf/string_pool.h"
#include "golang/dwarf_file.h"
#include "golang/variables.h"

struct described_type {
	uint64_t type; /* see go_variable.type */
	uint64_t size;
};

struct described_entry {
	Dwarf_Off offset; /* of its DIE */
	struct described_type type;
};

struct go_variables {
	uint64_t start, end;
	uint64_t types, etypes;
	struct go_variable *all; /* by rising address */
	size_t n, capacity;
	bool have_types;

	struct go_described **described;
	size_t n_described, described_capacity;
	struct go_locals *locals;
	/* Which DIEs have been looked at. */
	struct index *by_offset;
	struct described_entry *entries;
	size_t n_entries, entries_capacity;
	unsigned int depth;
};

int go_described__init(struct go_variables *variables) __must_check;
void go_described__release(struct go_variables *variables);

/*
 * go_described__of - the type that DW_AT_type of @die names, or of what it is a copy of; zeros: it cannot be
 * told.
 */
struct described_type go_described__of(struct go_variables *variables, Dwarf_Die *die);

struct go_locals;

/* go_locals__new - at most @max_bytes of debug information are in memory at a time. -ENOMEM. */
int go_locals__new(struct elf_image *image, size_t max_bytes,
		   struct go_locals **ret_locals) __must_check;
void go_locals__free(struct go_locals *locals);

/* go_locals__dwarf - reads it if it is not in memory; NULL: there is none. */
Dwarf *go_locals__dwarf(struct go_locals *locals);
void go_locals__rest(struct go_locals *locals);

/* go_locals__add_function - the subprogram @die; all of them are added before they are sorted. -ENOMEM. */
int go_locals__add_function(struct go_locals *locals, Dwarf_Die *die) __must_check;
void go_locals__sort(struct go_locals *locals);

#endif /* GLEAKD_GOLANG_VARIABLES_PRIVATE_H */
