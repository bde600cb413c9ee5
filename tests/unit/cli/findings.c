// SPDX-License-Identifier: Apache-2.0
#include "cli/findings.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_SITES 12

/* Sites main.f0 to main.f11, the later the larger. */
struct made {
	struct report_site sites[N_SITES];
	struct report_target target;
	struct report report;
	char names[N_SITES][16];
};

static void make(struct made *made)
{
	memset(made, 0, sizeof(*made));
	for (unsigned int i = 0; i < N_SITES; i++) {
		struct report_site *site = &made->sites[i];

		snprintf(made->names[i], sizeof(made->names[i]), "main.f%u", i);
		snprintf(site->id, sizeof(site->id), "%08x", 0xabc00000 + i * 0x11111);
		site->view.verdict = VERDICT_IDLE;
		site->start_function = made->names[i];
		site->view.goroutines = i + 1;
	}
	made->target = (struct report_target){.sites = made->sites, .n_sites = N_SITES};
	made->report = (struct report){.final = true, .targets = &made->target, .n_targets = 1};
}

Test(findings, by_verdict)
{
	struct made made;

	make(&made);
	cr_expect_not(findings__any(&made.report, FINDING_LEAKING | FINDING_STUCK));
	made.sites[3].view.verdict = VERDICT_STUCK;
	cr_expect(findings__any(&made.report, FINDING_LEAKING | FINDING_STUCK));
	cr_expect(findings__any(&made.report, FINDING_STUCK));
	cr_expect_not(findings__any(&made.report, FINDING_LEAKING));
	made.sites[11].view.verdict = VERDICT_LEAKING;
	cr_expect(findings__any(&made.report, FINDING_LEAKING));
}

Test(findings, what_is_not_sure_counts_where_it_is_asked_for)
{
	struct made made;

	make(&made);
	made.sites[5].view.verdict = VERDICT_GROWING;
	cr_expect(findings__any(&made.report, FINDING_GROWING));
	cr_expect_not(findings__any(&made.report, FINDING_SUSPECTED));
	made.sites[3].view.verdict = VERDICT_SUSPECTED;
	cr_expect_not(findings__any(&made.report, FINDING_LEAKING | FINDING_STUCK));
	cr_expect(findings__any(&made.report, FINDING_STUCK | FINDING_SUSPECTED));
	made.sites[3].silenced = true;
	cr_expect_not(findings__any(&made.report, FINDING_STUCK | FINDING_SUSPECTED));
}

Test(findings, silenced_and_growing_ones_do_not_count)
{
	struct made made;

	make(&made);
	made.sites[0].view.verdict = VERDICT_LEAKING;
	made.sites[0].silenced = true;
	made.sites[1].view.verdict = VERDICT_GROWING;
	cr_expect_not(findings__any(&made.report, FINDING_LEAKING | FINDING_STUCK));
	made.report.n_targets = 0;
	cr_expect_not(findings__any(&made.report, FINDING_LEAKING | FINDING_STUCK));
}
