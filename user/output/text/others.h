/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_OTHERS_H
#define GLEAKD_OUTPUT_TEXT_OTHERS_H

#include "output/report.h"
#include "output/text/screen.h"

/*
 * text_part__rows - the first @max sites that are @wanted, one line each; their stacks too when
 * @stacks.
 */
void text_part__rows(struct screen *screen, const struct report_target *target, size_t max,
		     bool (*wanted)(const void *ctx, const struct report_site *site),
		     const void *ctx, bool stacks);

/*
 * text_part__suppressed - one line that says how many sites the allow-list suppressed, and why; when
 * @all the sites themselves, @max of them, each with its reason.
 */
void text_part__suppressed(struct screen *screen, const struct report_target *target, size_t max,
			   bool all);

/*
 * text_part__others - the sites that were neither flagged nor suppressed: one line that sums them up,
 * then @max lines with the first of them; their stacks too when @stacks. Sites without goroutines
 * only if @all.
 */
void text_part__others(struct screen *screen, const struct report_target *target, size_t max,
		       bool all, bool stacks);

#endif /* GLEAKD_OUTPUT_TEXT_OTHERS_H */
