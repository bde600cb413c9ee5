/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_VARIABLES_H
#define GLEAKD_GOLANG_VARIABLES_H

/*
 * The variables of a program's packages, those of its functions while they are on a stack, and those that
 * closures have captured: where they are, what they are called, and of what type they are. DWARF tells all
 * of it, symbols the names of the first, and a stripped program nothing. All addresses are link-time.
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

/* Where a variable of a function is, or a part of one, while the function stands at some place. */
struct go_local {
	const char *name; /* main.worker.buf, as long as the variables */
	uint64_t type;	  /* as of struct go_variable */
	uint64_t size;	  /* of the variable; 0: not known */
	uint64_t length;  /* of this part */
	int32_t place;	  /* from the frame's end: negative, or among the arguments */
	int32_t offset;	  /* of the part in the variable */
	unsigned int rank;
	unsigned int function_length; /* of the name: what is before the last name's point */
	bool whole;		      /* not a part only */
	bool by_address; /* what is there is the address of the variable: it lies in the heap */
};

/* A variable that a closure has captured, or its address if it is shared. */
struct go_captured {
	const char *name;
	uint64_t offset; /* in the closure; 0: not known, or it is none of them */
	uint64_t type, size;
};

/*
 * go_variables__read - those of @binary, which must be bound and outlive them. Without DWARF and symbols
 * there are none. It reads all of .debug_info, at most @max_bytes with what says where local variables are,
 * and has it in memory until go_variables__rest(). Errors: -ENOMEM.
 */
int go_variables__read(const struct go_binary *binary, size_t max_bytes,
		       struct go_variables **ret_variables) __must_check;

/* go_variables__of - the same of any @image, in which data and types are where @module says. */
int go_variables__of(struct elf_image *image, const struct go_module *module, size_t max_bytes,
		     struct go_variables **ret_variables) __must_check;
void go_variables__free(struct go_variables *variables);

/* go_variables__at - the variable that @address is in; NULL. */
const struct go_variable *go_variables__at(const struct go_variables *variables, uint64_t address);

/*
 * go_variables__local - the variable, or the part of one, at @place from the end of the frame of a function
 * that stands at @pc: in the call that it made. NULL: none is known. Stays valid.
 */
const struct go_local *go_variables__local(struct go_variables *variables, uint64_t pc,
					   int64_t place);

/*
 * go_variables__captured - *@ret_n variables that the closure whose code begins at @entry has captured, and
 * others of its own: before Go 1.23 nothing says which. Valid until it is called again.
 */
const struct go_captured *go_variables__captured(struct go_variables *variables, uint64_t entry,
						 size_t *ret_n);

/* go_variables__rest - gives back the memory of what is read again when a function is new. */
void go_variables__rest(struct go_variables *variables);

/* go_variables__described - what @type stands for, if it is DESCRIBED and there; else NULL. */
const struct go_described *go_variables__described(const struct go_variables *variables,
						   uint64_t type);

/* go_variables__get - number @i of go_variables__count(), by rising address. */
const struct go_variable *go_variables__get(const struct go_variables *variables, size_t i);
size_t go_variables__count(const struct go_variables *variables);
bool go_variables__have_types(const struct go_variables *variables);

#endif /* GLEAKD_GOLANG_VARIABLES_H */
