/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_EXPLAIN_H
#define GLEAKD_OUTPUT_TEXT_EXPLAIN_H

/*
 * Everything that is known of one site, for somebody who wants to argue with its verdict: what it
 * rests on, what limits that, and what would change it (docs/verdicts.md).
 */
#include <stdio.h>

#include "output/report.h"
#include "output/text/screen.h"

/* explain__put - @site of @target of @report. */
void explain__put(struct screen *screen, const struct report *report,
		  const struct report_target *target, const struct report_site *site);

/* explain__write - the same. -ENOMEM, or -EPIPE and kin when writing failed. */
int explain__write(FILE *out, const struct report *report, const struct report_target *target,
		   const struct report_site *site,
		   const struct screen_options *options) __must_check;

#endif /* GLEAKD_OUTPUT_TEXT_EXPLAIN_H */
