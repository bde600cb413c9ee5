/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_ARRAY_H
#define GLEAKD_BASE_ARRAY_H

/* Arrays on the heap that grow by doubling. */
#include "base/common.h"

#define ARRAY_FIRST_CAPACITY ((size_t)16)

/*
 * array__reserve - make room for at least @needed elements, one or more, in the array that pointer
 * @items leads to and that has room for size_t @capacity. Both arguments are lvalues. Returns false
 * without memory; then neither has changed. New elements are not initialised. The caller checks
 * that @needed is not too many.
 */
#define array__reserve(items, capacity, needed)                                                \
	({                                                                                     \
		void *array_ = array__grown((items), &(capacity), (needed), sizeof(*(items))); \
		if (array_)                                                                    \
			(items) = array_;                                                      \
		array_ != NULL;                                                                \
	})

/* array__grown - array__reserve() without storing the result in @items; NULL: no memory. */
void *array__grown(void *items, size_t *capacity, size_t needed, size_t item_size) __must_check;

#endif /* GLEAKD_BASE_ARRAY_H */
