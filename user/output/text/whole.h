/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_WHOLE_H
#define GLEAKD_OUTPUT_TEXT_WHOLE_H

/* A report in as many lines as it takes, and the parts of it that fit.c has as well. */
#include "output/text/overview.h"
#include "output/text/report.h"
#include "output/text/screen.h"

/* Without --all, of each target: sites under suspicion, what of its memory or resources grows, healthy sites. */
#define TEXT_MANY_FLAGGED 50
#define TEXT_FEW_GROWING  5
#define TEXT_FEW_OTHERS	  5

/* text_whole__head - what process it is and how it runs; @all: also what is as it should be. */
void text_whole__head(struct screen *screen, const struct report_target *target, bool all);

/* text_whole__allocating - the first @n of who allocates, where that was asked for. */
void text_whole__allocating(struct screen *screen, const struct report_target *target, size_t n);

/* text_whole__report - the report; of several processes a table first, the worst ones on top. */
void text_whole__report(struct screen *screen, const struct text_options *options,
			const struct overview *overview);

#endif /* GLEAKD_OUTPUT_TEXT_WHOLE_H */
