/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_REPAIR_H
#define GLEAKD_OUTPUT_REPAIR_H

/* What usually mends a leak of a kind: by what its goroutines wait for, and in which code. */
#include "output/report.h"

struct repair {
	const char *text;
	const char *link; /* docs/repairs.md with the heading that tells more */
};

/* report__repair - of a site that is flagged or suspected; NULL: there is no usual one. */
const struct repair *report__repair(const struct report_site *site);

#endif /* GLEAKD_OUTPUT_REPAIR_H */
