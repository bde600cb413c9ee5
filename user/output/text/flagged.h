/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_FLAGGED_H
#define GLEAKD_OUTPUT_TEXT_FLAGGED_H

/* The sites of a process that are shown as found. */
#include "output/report.h"
#include "output/text/screen.h"
#include "output/text/site.h"

/* text_part__count_flagged - those that are one finding count once. */
size_t text_part__count_flagged(const struct report_target *target);

/* text_part__flagged - the first @max; a blank line after each when they are blocks. */
void text_part__flagged(struct screen *screen, const struct report_target *target, size_t max,
			enum site_detail detail);

#endif /* GLEAKD_OUTPUT_TEXT_FLAGGED_H */
