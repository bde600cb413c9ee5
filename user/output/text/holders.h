/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_HOLDERS_H
#define GLEAKD_OUTPUT_TEXT_HOLDERS_H

/* What a heap is made of, who holds it, and which containers grow, for `gleakd heap`. */
#include "heap/view/view.h"
#include "output/text/screen.h"

struct holders_options {
	bool all; /* every line there is, otherwise those that most of the heap is in */
	bool no_types, no_holders;
	size_t max_types, max_holders; /* lines; 0: ten, twenty-five */
};

void text_part__holders(struct screen *screen, const struct heap_view *view,
			const struct holders_options *options);

#endif /* GLEAKD_OUTPUT_TEXT_HOLDERS_H */
