/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_MARK_VISITORS_H
#define GLEAKD_HEAP_MARK_VISITORS_H

/*
 * Two visitors of one scan, each of which sees all of it, the first before the second: types before
 * the ways that are named by them. Neither is shown anything again at the end (heap_mark__settle()).
 */
#include "heap/mark/mark.h"

struct heap_visitors {
	const struct heap_visitor *first, *second; /* or NULL */
	struct heap_visitor both;		   /* to be handed to the scan */
};

/* heap_visitors__init - @visitors must stay where it is, and @first and @second outlive the scan. */
void heap_visitors__init(struct heap_visitors *visitors, const struct heap_visitor *first,
			 const struct heap_visitor *second);

#endif /* GLEAKD_HEAP_MARK_VISITORS_H */
