/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_HEAP_H
#define GLEAKD_OUTPUT_TEXT_HEAP_H

/* What the memory of a process consists of, for `gleakd heap`. */
#include "output/report.h"
#include "output/text/alloc_sites.h"
#include "output/text/screen.h"

/* text_part__heap - all that was found out about the heap of @target, below its name. */
void text_part__heap(struct screen *screen, const struct report_target *target,
		     const struct alloc_sites_options *options);

#endif /* GLEAKD_OUTPUT_TEXT_HEAP_H */
