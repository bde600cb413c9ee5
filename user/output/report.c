// SPDX-License-Identifier: Apache-2.0
#include "output/report.h"

#include <stdio.h>

#include "base/clock.h"

const char *report_end__words(enum report_end end)
{
	switch (end) {
	case REPORT_GOES_ON:
		return "";
	case REPORT_ONCE:
		return "once";
	case REPORT_PROOF:
		return "proof";
	case REPORT_INTERRUPTED:
		return "interrupted";
	case REPORT_TERMINATED:
		return "terminated";
	case REPORT_DURATION_OVER:
		return "duration over";
	case REPORT_TARGET_EXITED:
		return "target exited";
	case REPORT_TARGET_EXECUTED:
		return "target executed another program";
	case REPORT_NOTHING_TO_EXPLAIN:
		return "nothing to explain";
	}
	return "";
}

const char *report__why(const struct report_site *site, size_t i, char out[REPORT_WHY_SIZE])
{
	char time[CLOCK_RFC3339_SIZE];

	if (i || !site->due_ns || site->view.verdict != VERDICT_GROWING)
		return site->view.why[i];
	clock__rfc3339(site->due_ns, time);
	snprintf(out, REPORT_WHY_SIZE, "%s: due at %.8s UTC if it goes on",
		 report__text(site->view.why[i]), time + sizeof("2026-01-02T") - 1);
	return out;
}
