/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_FIT_H
#define GLEAKD_OUTPUT_TEXT_FIT_H

/*
 * A report on a terminal: of each part as much as fits, the worst first. @last_row is how many lines the
 * screen may have in all; SIZE_MAX: any number.
 */
#include "output/text/overview.h"
#include "output/text/report.h"
#include "output/text/screen.h"

/* text_fit__target - one process: flagged sites, what grows, who allocates, the others. */
void text_fit__target(struct screen *screen, const struct text_options *options,
		      const struct report_target *target, size_t last_row);

/* text_fit__overview - a table of all processes, and in what room it leaves the findings of the worst ones. */
void text_fit__overview(struct screen *screen, const struct text_options *options,
			const struct report *report, const struct overview *overview,
			size_t last_row);

/* text_fit__legend - what the words mean, below all else, where there is room for it; @overview: of the table. */
void text_fit__legend(struct screen *screen, bool overview, size_t last_row);

#endif /* GLEAKD_OUTPUT_TEXT_FIT_H */
