/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_ARENA_H
#define GLEAKD_BASE_ARENA_H

/* Memory that is given back all at once: of what is read in pieces and forgotten as a whole. */
#include "base/common.h"

struct arena {
	struct arena_block *blocks; /* NULL: nothing was taken yet */
	size_t used;		    /* of the first block */
	size_t bytes;		    /* in all of them */
	bool failed;		    /* something was not given */
};

/* arena__take - @n elements of @size bytes, zeroed; NULL without memory, and @arena->failed is set. */
void *arena__take(struct arena *arena, size_t n, size_t size) __must_check;

/* arena__text - a copy of @text; "" for NULL or without memory. */
const char *arena__text(struct arena *arena, const char *text);

void arena__release(struct arena *arena);

#endif /* GLEAKD_BASE_ARENA_H */
