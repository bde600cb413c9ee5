/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_GOROUTINES_H
#define GLEAKD_OUTPUT_TEXT_GOROUTINES_H

#include "output/report.h"
#include "output/text/screen.h"

/* text_part__goroutines - all that are listed, one block per place; @verbose: every path in full. */
void text_part__goroutines(struct screen *screen, const struct report_target *target, bool verbose);

#endif /* GLEAKD_OUTPUT_TEXT_GOROUTINES_H */
