/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_HEAP_H
#define GLEAKD_OUTPUT_TEXT_HEAP_H

/* What the memory of a process consists of, for `gleakd heap`. */
#include "output/report.h"
#include "output/text/screen.h"

struct heap_text_options {
	bool stacks;		 /* of what allocates, whole */
	bool all;		 /* not only the first few */
	enum report_alloc_by by; /* what is told */
	size_t last_row;	 /* of the screen that it has to fit, if it can; SIZE_MAX: any */
};

/* text_part__heap - all that was found out about the heap of @target, below its name. */
void text_part__heap(struct screen *screen, const struct report_target *target,
		     const struct heap_text_options *options);

#endif /* GLEAKD_OUTPUT_TEXT_HEAP_H */
