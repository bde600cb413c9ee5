/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_FINDINGS_H
#define GLEAKD_OUTPUT_TEXT_FINDINGS_H

/* What was found, in one process or in several. */
#include "output/report.h"

struct findings {
	uint64_t leaking_sites, leaking_goroutines;
	uint64_t stuck_sites, stuck_goroutines;
	uint64_t suspected_sites, growing_sites, suppressed_sites;
	uint64_t growing_memory;    /* places that allocate */
	uint64_t growing_resources; /* places where more and more is open */
	uint64_t sites, goroutines; /* sites that have any; all of them */
	uint64_t parked;
	uint64_t processes, with_findings;
	uint64_t modes[PROBE_MODE_COUNT]; /* processes */
	uint64_t observed_ns;		  /* the longest */
	bool lost, inexact;
};

void findings__add(struct findings *findings, const struct report_target *target);

/* findings__of - one process. */
struct findings findings__of(const struct report_target *target);

/* findings__flagged - there is something leaking or stuck that is not suppressed. */
bool findings__flagged(const struct findings *findings);

#endif /* GLEAKD_OUTPUT_TEXT_FINDINGS_H */
