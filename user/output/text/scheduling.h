/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_SCHEDULING_H
#define GLEAKD_OUTPUT_TEXT_SCHEDULING_H

/* What is held up in a process. */
#include "output/report.h"
#include "output/text/screen.h"

/*
 * text_part__scheduling - a line where something is wrong; with @all who it is, one line each, and system
 * calls that last, which are often meant to.
 */
void text_part__scheduling(struct screen *screen, const struct report_target *target, bool all);

#endif /* GLEAKD_OUTPUT_TEXT_SCHEDULING_H */
