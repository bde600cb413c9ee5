/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_WAYS_H
#define GLEAKD_OUTPUT_TEXT_WAYS_H

/* What leads to what was asked about, for `gleakd holders`. */
#include "output/report.h"
#include "output/text/screen.h"

/* text_part__ways - the first ways of @target, or @all of them. */
void text_part__ways(struct screen *screen, const struct report_target *target, bool all);

#endif /* GLEAKD_OUTPUT_TEXT_WAYS_H */
