/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_EVIDENCE_FILES_H
#define GLEAKD_CLI_EVIDENCE_FILES_H

/* The files of one finding or one trigger, written to the folder that was begun (access__evidence()). */
#include "output/report.h"

/* Of a finding, in the list of its goroutines: the oldest. */
#define EVIDENCE_MAX_GOROUTINES 10000u

struct evidence_finding {
	const struct report *report;
	const struct report_target *target; /* of that report; with the heap, if that was read */
	/* of that target: the finding's first; NULL: it is about all of it */
	const struct report_site *site;
	const struct report_goroutine *goroutines; /* of the process, by goid; NULL: not listed */
	size_t n_goroutines;
};

/* evidence_files__write - -ENOMEM, and the errors of EVIDENCE_APPEND. */
int evidence_files__write(const struct evidence_finding *finding) __must_check;

#endif /* GLEAKD_CLI_EVIDENCE_FILES_H */
