/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TOP_ALLOC_TEXT_H
#define GLEAKD_OUTPUT_TOP_ALLOC_TEXT_H

#include "output/report.h"
#include "output/text/screen.h"

/* alloc_text__put - all that is known of one place that allocates memory. */
void alloc_text__put(struct screen *screen, const struct report_alloc_site *site);

#endif /* GLEAKD_OUTPUT_TOP_ALLOC_TEXT_H */
