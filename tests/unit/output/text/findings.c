// SPDX-License-Identifier: Apache-2.0
/* What the text says of a finding: its sites, whose code it is in, when a verdict is due. */
#include "output/text/report.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

static const struct text_options plain = {.screen.columns = 100};

/* The site that leads names the others, which have no block of their own. */
Test(text_findings, sites_that_are_one_finding)
{
	struct sample sample;
	const struct report_site *sites[2];
	const struct report_finding finding = {.sites = sites,
					       .n_sites = ARRAY_SIZE(sites),
					       .verdict = VERDICT_LEAKING,
					       .goroutines = 1591,
					       .units = 88};
	char *text;

	sample__leaks(&sample);
	sites[0] = &sample.sites[1];
	sites[1] = &sample.sites[0];
	sample.sites[0].finding = sample.sites[1].finding = &finding;
	text = sample__text(&sample.report, &plain);
	cr_expect_not_null(strstr(text, "\n         leaked are  88 × "), "%s", text);
	cr_expect_not_null(strstr(text, ": 18 goroutines each\n"), "%s", text);
	cr_expect_not_null(
		strstr(text, "\n         with each   a1b2c3d4  main.deliver  chan send\n"), "%s",
		text);
	cr_expect_null(strstr(text, "LEAKING  a1b2c3d4"), "%s", text);
	free(text);
}

Test(text_findings, the_library_in_which_it_blocks)
{
	static const struct go_dependency memdb = {"github.com/hashicorp/go-memdb", "v1.3.3"};
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	sample.sites[0].blocked_at = (struct report_frame){
		.function = "github.com/hashicorp/go-memdb.watchFew",
		.file = "/go/pkg/mod/github.com/hashicorp/go-memdb@v1.3.3/watch_few.go",
		.line = 16,
	};
	sample.sites[0].library = &memdb;
	text = sample__text(&sample.report, &plain);
	cr_expect_not_null(strstr(text, "\n         in          github.com/hashicorp/go-memdb "
					"v1.3.3\n"),
			   "%s", text);
	sample.sites[0].library = NULL;
	free(text);
	text = sample__text(&sample.report, &plain);
	cr_expect_null(strstr(text, "v1.3.3"));
	free(text);
}

/* What rises says what holds a verdict back, and when one is due. */
Test(text_findings, when_a_verdict_is_due)
{
	const char *const why[] = {"rises with connections or open files", "from 1 to 9"};
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	sample.sites[0].view.verdict = VERDICT_GROWING;
	sample.sites[0].view.why = why;
	sample.sites[0].view.n_why = ARRAY_SIZE(why);
	text = sample__text(&sample.report, &plain);
	cr_expect_null(strstr(text, "rises with"), "not due: %s", text);
	free(text);
	/* 2026-11-30, 10:14:05 and a bit. */
	sample.sites[0].due_ns = 1796033645ULL * NSEC_PER_SEC + 7;
	text = sample__text(&sample.report, &plain);
	cr_expect_not_null(strstr(text, "\n    rises with connections or open files: due at "
					"10:14:05 UTC if it goes on\n"),
			   "%s", text);
	cr_expect_null(strstr(text, "from 1 to 9"));
	free(text);
}
