/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_TYPES_INDEX_H
#define GLEAKD_HEAP_TYPES_INDEX_H

/*
 * The named types of a program by their names. The program has lists of types only for what it looks up
 * itself, and none from Go 1.27 on; so whatever looks like a descriptor, where descriptors are, is taken
 * for one. A method's function is named after the type that it belongs to, which is that of its first
 * argument.
 */
#include "heap/runtime/modules.h"

struct type_index;

/* type_index__new - of the executable, the first of @modules. -ENOMEM. */
int type_index__new(const struct heap_runtime *runtime, const struct heap_modules *modules,
		    struct type_index **ret_index) __must_check;
void type_index__free(struct type_index *index);

/* type_index__find - address of the type @name in the package with @path; 0: there is none. */
uint64_t type_index__find(const struct type_index *index, const char *path, const char *name);

/*
 * type_index__receiver - address of T for the function "path.(*T).method", whose first argument is a *T;
 * 0: it is no such method, or T is not there.
 */
uint64_t type_index__receiver(const struct type_index *index, const char *function);

size_t type_index__count(const struct type_index *index);

#endif /* GLEAKD_HEAP_TYPES_INDEX_H */
