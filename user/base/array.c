// SPDX-License-Identifier: Apache-2.0
#include "base/array.h"

#include <stdlib.h>

void *array__grown(void *items, size_t *capacity, size_t needed, size_t item_size)
{
	size_t size = max_of(*capacity, ARRAY_FIRST_CAPACITY);
	void *grown;

	if (needed <= *capacity)
		return items;
	while (size < needed) {
		if (__builtin_mul_overflow(size, 2, &size))
			return NULL;
	}
	grown = reallocarray(items, size, item_size);
	if (grown)
		*capacity = size;
	return grown;
}
