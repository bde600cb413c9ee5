// SPDX-License-Identifier: Apache-2.0
#include "output/text/report.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

/* As long as its process is there. */
Test(summary, what_to_ask_next_is_said_of_what_was_found)
{
	struct text_options options = {.screen.columns = 80, .live = true};
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	sample.report.end = REPORT_DURATION_OVER;
	text = sample__text(&sample.report, &options);
	sample__golden("next-steps.txt", text);
	free(text);
	sample.report.end = REPORT_PROOF;
	text = sample__text(&sample.report, &options);
	cr_expect_null(strstr(text, "gleakd prove"), "it was proven: %s", text);
	cr_expect_not_null(strstr(text, "--explain "), "%s", text);
	free(text);
	for (enum report_end end = REPORT_TARGET_EXITED; end <= REPORT_TARGET_EXECUTED; end++) {
		sample.report.end = end;
		text = sample__text(&sample.report, &options);
		cr_expect_null(strstr(text, "next  "), "it has gone: %s", text);
		free(text);
	}
	options.live = false;
	sample.report.end = REPORT_DURATION_OVER;
	text = sample__text(&sample.report, &options);
	cr_expect_null(strstr(text, "next  "), "nobody is there to ask: %s", text);
	free(text);
}
