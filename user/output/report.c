// SPDX-License-Identifier: Apache-2.0
#include "output/report.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"

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

/* "ssh.NewClient" of "golang.org/x/crypto/ssh.NewClient". */
static const char *without_path(const char *function)
{
	const char *slash = strrchr(function, '/');

	return slash ? slash + 1 : function;
}

/* The meaning of @site, else what started it, else what it runs. */
static const char *name_of(const struct report_site *site)
{
	if (*report__text(site->meaning))
		return site->meaning;
	if (report__frame_known(&site->created_by) && site->finding && site->finding->n_sites > 1)
		return without_path(site->created_by.function);
	return without_path(report__text(site->start_function));
}

const char *report_finding__what(const struct report_finding *finding, char out[REPORT_WHAT_SIZE])
{
	char units[NUMBER_COUNT_SIZE], each[NUMBER_COUNT_SIZE];

	number__count(finding->units, units);
	snprintf(out, REPORT_WHAT_SIZE, "%s × %s", units, name_of(finding->sites[0]));
	if (finding->n_sites > 1 && finding->units) {
		size_t used = strlen(out);

		number__count((finding->goroutines + finding->units / 2) / finding->units, each);
		snprintf(out + used, REPORT_WHAT_SIZE - used, ": %s goroutines each", each);
	}
	return out;
}
