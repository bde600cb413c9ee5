/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_LOOKS_H
#define GLEAKD_OUTPUT_TEXT_LOOKS_H

/* What looks into processes have found: their memory, what leads to an object, what they have open. */
#include "output/report.h"
#include "output/text/screen.h"

struct looks_options {
	bool verbose, all;
	enum report_alloc_by by; /* what of memory is told */
	size_t rows;		 /* of a terminal; SIZE_MAX: any number */
};

/* text_part__looks - each process of @report; memory of one in as many lines as fit the terminal. */
void text_part__looks(struct screen *screen, const struct report *report,
		      const struct looks_options *options);

#endif /* GLEAKD_OUTPUT_TEXT_LOOKS_H */
