/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_SUMMARY_H
#define GLEAKD_OUTPUT_TEXT_SUMMARY_H

/* What came out of it: the last words, and single lines with a time. */
#include "output/report.h"
#include "output/text/overview.h"
#include "output/text/screen.h"

/* text_part__next_steps - which commands tell more of the first that was found, while its process is there. */
void text_part__next_steps(struct screen *screen, const struct report *report,
			   const struct overview *overview);

/*
 * text_part__summary - the last words; @overview is of @report. @not_judged: why what is not there could not
 * have been found; NULL: it could.
 */
void text_part__summary(struct screen *screen, const struct report *report,
			const struct overview *overview, const char *not_judged);

/* text_part__unwatched - Go processes that are there and not watched; nothing when there are none. */
void text_part__unwatched(struct screen *screen, const struct report *report);

/* text_part__status - one line with a time that says how things are; @named: and with its name. */
void text_part__status(struct screen *screen, const struct report *report,
		       const struct report_target *target, bool named);

/* text_part__host_status - the same of all targets together. */
void text_part__host_status(struct screen *screen, const struct report *report);

/* text_part__came, text_part__gone - likewise: watched from now on; no longer, or ended. */
void text_part__came(struct screen *screen, const struct report *report,
		     const struct report_target *target);
void text_part__gone(struct screen *screen, const struct report *report, pid_t pid,
		     const char *name);

#endif /* GLEAKD_OUTPUT_TEXT_SUMMARY_H */
