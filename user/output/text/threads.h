/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_THREADS_H
#define GLEAKD_OUTPUT_TEXT_THREADS_H

#include "output/report.h"
#include "output/text/screen.h"

/* text_part__threads - that they become more and more, and what they are in; with @all also where they do not. */
void text_part__threads(struct screen *screen, const struct report_target *target, bool all);

#endif /* GLEAKD_OUTPUT_TEXT_THREADS_H */
