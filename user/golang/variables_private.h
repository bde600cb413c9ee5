/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_VARIABLES_PRIVATE_H
#define GLEAKD_GOLANG_VARIABLES_PRIVATE_H

/* What variables.c (which there are) and described.c (types in DWARF) share. */
#include <elfutils/libdw.h>

#include "base/index.h"
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
	/* Which DIEs have been looked at; only while DWARF is being read. */
	struct index *by_offset;
	struct described_entry *entries;
	size_t n_entries, entries_capacity;
	unsigned int depth;
};

int go_described__init(struct go_variables *variables) __must_check;
void go_described__forget_offsets(struct go_variables *variables);
void go_described__release(struct go_variables *variables);

/* go_described__of - the type that DW_AT_type of @die names; zeros: it cannot be told. */
struct described_type go_described__of(struct go_variables *variables, Dwarf_Die *die);

#endif /* GLEAKD_GOLANG_VARIABLES_PRIVATE_H */
