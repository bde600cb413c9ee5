/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_HTML_KEEPER_H
#define GLEAKD_OUTPUT_HTML_KEEPER_H

/*
 * What is kept of the reports of a watch to make a timeline of it at its end. However long that lasts, it is
 * the same number of moments: of more every second one goes, and so on. A recording (gleakd record) has
 * each goroutine and what happened between two reports; this has not.
 */
#include "output/timeline.h"

struct html_keeper;

#define HTML_KEEPER_MOMENTS  240u
#define HTML_KEEPER_VERDICTS 16u    /* changes of one place */
#define HTML_KEEPER_SERIES   16384u /* places of all processes together; others are left out */

int html_keeper__new(struct html_keeper **ret_keeper) __must_check;
void html_keeper__free(struct html_keeper *keeper);

/* html_keeper__add - @report is of @monotonic_ns, later than those before. -ENOMEM. */
int html_keeper__add(struct html_keeper *keeper, const struct report *report,
		     uint64_t monotonic_ns) __must_check;

/*
 * html_keeper__timeline - up to @report, which was added last; valid until the keeper is told of another.
 * -ENOMEM.
 */
int html_keeper__timeline(struct html_keeper *keeper, const struct report *report,
			  const struct timeline **ret_timeline) __must_check;

#endif /* GLEAKD_OUTPUT_HTML_KEEPER_H */
