// SPDX-License-Identifier: Apache-2.0
#include "host/pagemap.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/read.h"
#include "host/pagemap_scan.h"

#define RANGES 256u

static void note_range(uint64_t *entries, uint64_t first, uint64_t end, uint64_t categories)
{
	uint64_t entry = 0;

	/* Its page of zeros was never written to. */
	if (categories & PAGE_IS_PFNZERO)
		return;
	if (categories & PAGE_IS_PRESENT)
		entry |= PAGEMAP_PRESENT;
	if (categories & PAGE_IS_SWAPPED)
		entry |= PAGEMAP_SWAPPED;
	if (categories & PAGE_IS_SOFT_DIRTY)
		entry |= PAGEMAP_SOFT_DIRTY;
	for (uint64_t i = first; i < end; i++)
		entries[i] = entry;
}

/* Entries of the pages in [@from, @end), which begin at @start; -errno of ioctl(2). */
static int scan(const struct pagemap *map, uint64_t start, uint64_t end, uint64_t *entries)
{
	struct page_region ranges[RANGES];
	uint64_t from = start;

	while (from < end) {
		struct pm_scan_arg wanted = {
			.size = sizeof(wanted),
			.start = from,
			.end = end,
			.vec = (uintptr_t)ranges,
			.vec_len = RANGES,
			.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
			.return_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_PFNZERO |
				       PAGE_IS_SOFT_DIRTY,
		};
		int n = ioctl(map->fd, PAGEMAP_SCAN, &wanted);

		if (n < 0)
			return -errno;
		if (wanted.walk_end <= from || wanted.walk_end > end || (size_t)n > RANGES)
			return -EPROTO;
		for (size_t i = 0; i < (size_t)n; i++) {
			if (ranges[i].start < from || ranges[i].start > ranges[i].end ||
			    ranges[i].end > end)
				return -EPROTO;
			note_range(entries, (ranges[i].start - start) / map->page,
				   (ranges[i].end - start) / map->page, ranges[i].categories);
		}
		from = wanted.walk_end;
	}
	return 0;
}

ssize_t pagemap__look(struct pagemap *map, uint64_t first, uint64_t *entries, size_t n)
{
	uint64_t last;
	ssize_t got;

	if (!__atomic_load_n(&map->by_word, __ATOMIC_RELAXED)) {
		memset(entries, 0, n * sizeof(*entries));
		if (!scan(map, first * map->page, (first + n) * map->page, entries)) {
			/* What has no memory any more has no pages either: reading tells that apart. */
			got = read__at(map->fd, first * sizeof(last), &last, sizeof(last));
			return got <= 0 ? got : (ssize_t)n;
		}
		__atomic_store_n(&map->by_word, true, __ATOMIC_RELAXED);
	}
	got = read__at(map->fd, first * sizeof(*entries), entries, n * sizeof(*entries));
	return got < 0 ? got : got / (ssize_t)sizeof(*entries);
}
