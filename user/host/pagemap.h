/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_PAGEMAP_H
#define GLEAKD_HOST_PAGEMAP_H

/*
 * Which pages a process has (Documentation/admin-guide/mm/pagemap.rst). Kernels from 6.8 on are asked for ranges of
 * them (PAGEMAP_SCAN), others for a word about each page, for which they look at what they know of it elsewhere.
 */
#include <sys/types.h>

#include "base/common.h"

/* Bits of what is told of a page. Pages of zeros that nobody has written to may be told as neither of the first two. */
#define PAGEMAP_PRESENT	   (1ull << 63)
#define PAGEMAP_SWAPPED	   (1ull << 62)
#define PAGEMAP_SOFT_DIRTY (1ull << 55)

struct pagemap {
	int fd; /* of /proc/PID/pagemap */
	uint64_t page;
	bool by_word; /* atomic: the kernel tells no ranges */
};

/*
 * pagemap__look - what there is of @n pages, from page number @first on. Several threads may ask. Returns for how many
 * @entries tell; 0: the process has no memory any more. Or -errno of read(2).
 */
ssize_t pagemap__look(struct pagemap *map, uint64_t first, uint64_t *entries,
		      size_t n) __must_check;

#endif /* GLEAKD_HOST_PAGEMAP_H */
