/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_VARIABLES_H
#define GLEAKD_GOLANG_VARIABLES_H

/*
 * The variables of a program's packages: where they are, what they are called, and of what type they
 * are. DWARF tells all of it, symbols the names, and a stripped program nothing. All addresses are
 * link-time.
 *
 * Most types have a descriptor in the program, to which DWARF refers. The linker leaves out those that
 * the program never asks for, as often with the struct that a variable is of: these are taken from
 * DWARF itself.
 */
#include "golang/binary.h"

struct go_variables;

/* A type: the link-time address of its descriptor, or DESCRIBED and a number. 0: it is not known. */
#define GO_TYPE_DESCRIBED (1ULL << 63)

struct go_variable {
	uint64_t address, size;
	uint64_t type;
	const char *name; /* main.sessions */
};

/* The kinds of types that can have pointers: src/internal/abi/type.go Kind. */
struct go_described_field {
	const char *name;
	uint64_t offset;
	uint64_t type;
};

struct go_described {
	uint8_t kind;
	const char *name; /* with whole paths of packages */
	uint64_t size;
	uint64_t elem, key;
	uint64_t length; /* of an array; of an interface whether it has methods */
	const struct go_described_field *fields;
	size_t n_fields;
};

/*
 * go_variables__read - those of @binary, which must be bound. Without DWARF and symbols there are none.
 * It reads all of .debug_info, at most @max_bytes, which it has in memory meanwhile. Errors: -ENOMEM.
 */
int go_variables__read(const struct go_binary *binary, size_t max_bytes,
		       struct go_variables **ret_variables) __must_check;
void go_variables__free(struct go_variables *variables);

/* go_variables__at - the variable that @address is in; NULL. */
const struct go_variable *go_variables__at(const struct go_variables *variables, uint64_t address);

/* go_variables__described - what @type stands for, if it is DESCRIBED and there; else NULL. */
const struct go_described *go_variables__described(const struct go_variables *variables,
						   uint64_t type);

/* go_variables__get - number @i of go_variables__count(), by rising address. */
const struct go_variable *go_variables__get(const struct go_variables *variables, size_t i);
size_t go_variables__count(const struct go_variables *variables);
bool go_variables__have_types(const struct go_variables *variables);

#endif /* GLEAKD_GOLANG_VARIABLES_H */
