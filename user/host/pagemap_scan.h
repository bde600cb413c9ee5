/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_PAGEMAP_SCAN_H
#define GLEAKD_HOST_PAGEMAP_SCAN_H

/* include/uapi/linux/fs.h, of Linux 6.8: the headers that this is built with may be older. */
#include <linux/fs.h>
#include <linux/types.h>

#ifndef PAGEMAP_SCAN
struct page_region {
	__u64 start, end, categories;
};

struct pm_scan_arg {
	__u64 size, flags, start, end, walk_end, vec, vec_len, max_pages;
	__u64 category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define PAGEMAP_SCAN	_IOWR('f', 16, struct pm_scan_arg)
#define PAGE_IS_PRESENT (1 << 3)
#define PAGE_IS_SWAPPED (1 << 4)
#define PAGE_IS_PFNZERO (1 << 5)
#endif

/* Of 6.8, the others are of 6.7. */
#ifndef PAGE_IS_SOFT_DIRTY
#define PAGE_IS_SOFT_DIRTY (1 << 7)
#endif

#endif /* GLEAKD_HOST_PAGEMAP_SCAN_H */
