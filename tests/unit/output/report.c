// SPDX-License-Identifier: Apache-2.0
#include "output/report.h"

#include <criterion/criterion.h>

Test(report, ends_in_words)
{
	cr_expect_str_eq(report_end__words(REPORT_GOES_ON), "");
	for (enum report_end end = REPORT_ONCE; end <= REPORT_NOTHING_TO_EXPLAIN; end++)
		cr_expect_str_not_empty(report_end__words(end));
	cr_expect_str_eq(report_end__words(REPORT_TARGET_EXITED), "target exited");
	cr_expect_str_eq(report_end__words((enum report_end)1000), "");
	cr_expect(report__final(&(struct report){.end = REPORT_ONCE}));
	cr_expect_not(report__final(&(struct report){0}));
}

Test(report, a_confidence_is_never_certainty)
{
	struct report_site site = {.view.confidence = 1};

	cr_expect_eq(report__percent(&site), 99);
	site.view.confidence = -1;
	cr_expect_eq(report__percent(&site), 0);
	site.view.confidence = 0.0 / 0.0;
	cr_expect_eq(report__percent(&site), 0);
	site.view.confidence = 0.834;
	cr_expect_eq(report__percent(&site), 83);
}

/* The allow-list keeps accusations quiet; what it names and is idle did not need it. */
Test(report, flagged_and_suppressed)
{
	struct report_site site = {.view.verdict = VERDICT_STUCK};

	cr_expect(report__flagged(&site) && !report__suppressed(&site));
	site.suppressed = true;
	cr_expect(!report__flagged(&site) && report__suppressed(&site));
	site.view.verdict = VERDICT_IDLE;
	cr_expect(!report__flagged(&site) && !report__suppressed(&site));
	site.view.verdict = VERDICT_GROWING;
	cr_expect(!report__flagged(&site) && report__suppressed(&site));
}
