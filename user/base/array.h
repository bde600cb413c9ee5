/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_ARRAY_H
#define GLEAKD_BASE_ARRAY_H

/* Arrays on the heap that grow by doubling. */
#include "base/common.h"

#define ARRAY_FIRST_CAPACITY ((size_t)16)

/*
 * array__reserve - room for at least @needed elements, one or more, in the array of pointer @items
 * with room for size_t @capacity; both lvalues. False without memory: then neither has changed.
 * Elements that are new are not initialised. Whether @needed is too many is for the caller to say.
 */
#define array__reserve(items, capacity, needed)                                                \
	({                                                                                     \
		void *array_ = array__grown((items), &(capacity), (needed), sizeof(*(items))); \
		if (array_)                                                                    \
			(items) = array_;                                                      \
		array_ != NULL;                                                                \
	})

/* array__grown - what array__reserve() does, but for putting the result back; NULL: no memory. */
void *array__grown(void *items, size_t *capacity, size_t needed, size_t item_size) __must_check;

#endif /* GLEAKD_BASE_ARRAY_H */
