/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_EXPLAIN_PARTS_H
#define GLEAKD_OUTPUT_TEXT_EXPLAIN_PARTS_H

/* The tables that an explanation is put together from. None shows anything when it has no rows. */
#include "output/report.h"
#include "output/text/screen.h"

#define EXPLAIN_INDENT 2

/* explain_part__heading - a blank line, and a line with the name of what follows. */
void explain_part__heading(struct screen *screen, const char *text);

/* explain_part__weights - what speaks for and against, how it sums up, and what follows from that. */
void explain_part__weights(struct screen *screen, const struct report_site *site);

/* explain_part__population - the number of members over time, as bars. */
void explain_part__population(struct screen *screen, const struct site_evidence *evidence);

/* explain_part__cohorts - of those created in a span of time, how many still exist. */
void explain_part__cohorts(struct screen *screen, const struct site_evidence *evidence);

/* explain_part__survivors - members by age, as bars. */
void explain_part__survivors(struct screen *screen, const struct site_evidence *evidence);

#endif /* GLEAKD_OUTPUT_TEXT_EXPLAIN_PARTS_H */
