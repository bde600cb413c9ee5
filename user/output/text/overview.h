/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_OVERVIEW_H
#define GLEAKD_OUTPUT_TEXT_OVERVIEW_H

/*
 * Many processes at a glance, one line each, the worst first:
 *
 *	VERDICT  SURE  GOROUTINES    GROWTH  PROCESS           WORST SITE
 *	leaking  99 %         744  +665/min  demo (pid 32716)  396497f6  main.askSupplier  and 2 more
 *	no leak               133            shop (pid 5088)
 */
#include "output/report.h"
#include "output/text/screen.h"

/* Processes by their worst site that is not suppressed, then by how many goroutines are accused. */
struct overview {
	const struct report_target **targets; /* owned */
	size_t n;
};

/* overview__init - of all processes of @report. -ENOMEM. */
int overview__init(struct overview *overview, const struct report *report) __must_check;
void overview__release(struct overview *overview);

/* overview__put - the table; beyond @max processes, how many more there are. */
void overview__put(struct screen *screen, const struct overview *overview, size_t max);

/*
 * overview__worst - the site that decides where @target stands, NULL when there is none to speak of:
 * all are idle, active or suppressed.
 */
const struct report_site *overview__worst(const struct report_target *target);

#endif /* GLEAKD_OUTPUT_TEXT_OVERVIEW_H */
