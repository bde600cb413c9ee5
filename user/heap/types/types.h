/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_TYPES_TYPES_H
#define GLEAKD_HEAP_TYPES_TYPES_H

/*
 * Runtime type descriptors (src/internal/abi/type.go Type; src/runtime/type.go _type before 1.21). What
 * the garbage collector needs of them, the size of a value and which of its words are pointers, and what
 * a person reads: names, fields, elements (heap_types__shape()). Read from the target once and kept,
 * with a limit.
 */
#include "golang/variables.h"
#include "heap/runtime/modules.h"

/* abi.Type, the same from Go 1.18 to 1.27. */
#define GO_TYPE_SIZE	     0	/* uintptr */
#define GO_TYPE_POINTER_SIZE 8	/* uintptr: bytes from its start that may hold pointers */
#define GO_TYPE_TFLAG	     20 /* uint8 */
#define GO_TYPE_ALIGN	     21 /* uint8 */
#define GO_TYPE_KIND	     23 /* uint8 */
#define GO_TYPE_GCDATA	     32 /* *byte */
#define GO_TYPE_STR	     40 /* NameOff: int32 from the start of the module's types */
#define GO_TYPE_BYTES	     48

/* src/internal/abi/type.go Kind */
enum go_kind {
	GO_KIND_INVALID,
	GO_KIND_BOOL,
	GO_KIND_UINTPTR = 12,
	GO_KIND_COMPLEX128 = 16,
	GO_KIND_ARRAY,
	GO_KIND_CHAN,
	GO_KIND_FUNC,
	GO_KIND_INTERFACE,
	GO_KIND_MAP,
	GO_KIND_POINTER,
	GO_KIND_SLICE,
	GO_KIND_STRING,
	GO_KIND_STRUCT,
	GO_KIND_UNSAFE_POINTER,
	GO_KINDS,
};

struct heap_shape;

struct heap_type {
	uint64_t address;
	uint64_t size;
	uint64_t pointer_size;
	const uint8_t *bits; /* one per word of pointer_size; NULL: each may be a pointer */
	uint8_t kind;	     /* enum go_kind */
	uint8_t flags;	     /* TFlag */
	/* An interface holds its values in its word: they are one pointer (type.go IsDirectIface). */
	bool direct;
	bool bits_read, shape_read;
	struct heap_shape *shape; /* once it has been asked for */
};

/* Types are named by their address, and read when they are needed: they may lead in circles. */
struct heap_field {
	const char *name;
	uint64_t offset;
	uint64_t type;
	bool embedded;
};

#define HEAP_MAX_FIELDS	   4096u
#define HEAP_MAX_TYPE_NAME 400u /* bytes; what is longer ends in "..." */

struct heap_shape {
	/*
	 * As Go prints it: main.session, map[int]*main.session, main.cache[int]. Packages go by the
	 * last part of their path, in brackets too.
	 */
	const char *name;
	uint64_t elem; /* array, chan, map, pointer, slice */
	uint64_t key;  /* map */
	/* map: the struct that has some of its entries: a group, or a bucket before swiss maps. */
	uint64_t slots;
	bool swiss;
	uint64_t length; /* array: elements; interface: methods */
	const struct heap_field *fields;
	size_t n_fields;
};

struct heap_types;

/* heap_types__new - @runtime must outlive it. -ENOMEM. */
int heap_types__new(const struct heap_runtime *runtime, struct heap_types **ret_types) __must_check;
void heap_types__free(struct heap_types *types);

/*
 * heap_types__use_modules - names are looked up in @modules, which must outlive @types. Without it types
 * have shapes without names.
 */
void heap_types__use_modules(struct heap_types *types, const struct heap_modules *modules);

/*
 * heap_types__use_variables - types that only DWARF tells, too. @variables must outlive @types; @bias: of
 * struct heap_runtime.
 */
void heap_types__use_variables(struct heap_types *types, const struct go_variables *variables,
			       uint64_t bias);

/* heap_types__of_variable - the address of @type of a struct go_variable, for the functions below. */
uint64_t heap_types__of_variable(const struct heap_types *types, uint64_t type);

/*
 * heap_types__get - the type at the target's @address; NULL when that is none, it cannot be read or
 * too many have been: whatever should be of it has to be taken to hold pointers everywhere. Stays
 * valid until heap_types__free().
 */
const struct heap_type *heap_types__get(struct heap_types *types, uint64_t address);

/* heap_types__any - the same, whether there are pointers in it or not; its bits may not be there. */
const struct heap_type *heap_types__any(struct heap_types *types, uint64_t address);

/*
 * heap_types__shape - what a person reads of @type, which @types gave; NULL when it makes no sense or
 * memory has run out. Stays valid until heap_types__free().
 */
const struct heap_shape *heap_types__shape(struct heap_types *types, const struct heap_type *type);

/* heap_types__name - its name, or "?". */
const char *heap_types__name(struct heap_types *types, uint64_t address);

/*
 * heap_types__in_module - whether @address lies where a module keeps its types: what is no pointer to
 * a type hardly ever does.
 */
bool heap_types__in_module(const struct heap_types *types, uint64_t address);

/* heap_types__refused - how often there was no answer. */
size_t heap_types__refused(const struct heap_types *types);

#endif /* GLEAKD_HEAP_TYPES_TYPES_H */
