/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_FINDINGS_H
#define GLEAKD_REPORT_FINDINGS_H

/* The findings of a report: sites that are one leak, under the one that says most. */
#include "output/report.h"

struct built_findings {
	struct report_finding *findings;  /* owned */
	const struct report_site **sites; /* owned; those of one finding after those of another */
	size_t n;
};

/*
 * built_findings__make - of @sites, worst first, which are told what they are a part of and stay where
 * they are as long as the findings. -ENOMEM.
 */
int built_findings__make(struct built_findings *findings, struct report_site *sites,
			 size_t n) __must_check;
void built_findings__clear(struct built_findings *findings);

#endif /* GLEAKD_REPORT_FINDINGS_H */
