/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_TYPES_CLOSURES_H
#define GLEAKD_HEAP_TYPES_CLOSURES_H

/*
 * What the closures of a program have captured. A closure is a struct whose first word is the address
 * of its code (src/cmd/compile/internal/walk/closure.go): where the program makes one it allocates a
 * value of the struct's type and stores the address of the code in it, at once. All code is looked
 * through for that at the beginning, and the type of a closure is read when it is asked for.
 */
#include "heap/types/types.h"

struct heap_closures;

/* heap_closures__new - of the executable. @runtime, @modules and @types must outlive it. -ENOMEM. */
int heap_closures__new(const struct heap_runtime *runtime, const struct heap_modules *modules,
		       struct heap_types *types, struct heap_closures **ret_closures) __must_check;
void heap_closures__free(struct heap_closures *closures);

/*
 * heap_closures__type - the type, a struct, of closures whose code begins at the target's address
 * @code; 0: there are none, or it is not known.
 */
uint64_t heap_closures__type(struct heap_closures *closures, uint64_t code);

/* heap_closures__count - how many have been found. */
size_t heap_closures__count(const struct heap_closures *closures);

#endif /* GLEAKD_HEAP_TYPES_CLOSURES_H */
