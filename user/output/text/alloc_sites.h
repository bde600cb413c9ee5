/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_ALLOC_SITES_H
#define GLEAKD_OUTPUT_TEXT_ALLOC_SITES_H

/* Where a process allocates its memory, for `gleakd heap`. */
#include "output/report.h"
#include "output/text/screen.h"

struct alloc_sites_options {
	bool stacks; /* whole, below each */
	bool all;    /* not only the first few */
};

/* text_part__alloc_sites - a table of @allocations, or why there is none; nothing for NULL. */
void text_part__alloc_sites(struct screen *screen, const struct report_allocations *allocations,
			    const struct alloc_sites_options *options);

#endif /* GLEAKD_OUTPUT_TEXT_ALLOC_SITES_H */
