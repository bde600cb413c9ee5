/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_CI_CI_H
#define GLEAKD_OUTPUT_CI_CI_H

/* A report as systems that test programs read it: JUnit's XML, and annotations of a GitHub workflow. */
#include <stdio.h>

#include "output/report.h"

struct ci_options {
	unsigned int verdicts;	/* of sites that are failures, 1 << enum verdict */
	bool memory;		/* places where memory is growing are, too */
	const char *not_judged; /* why nothing could be judged; NULL: it could */
	const char *root; /* paths below that folder are told as below it; NULL: as they are */
};

/*
 * junit__write - a test suite for each Go runtime; in it a test case for each site that is flagged, suspected
 * or silenced, one for each place where memory is growing, and one for all other sites together. Returns 0 or
 * a negative errno.
 */
int junit__write(FILE *out, const struct report *report,
		 const struct ci_options *options) __must_check;

/*
 * github__write - workflow commands: an error for each failure, a warning for what else is suspected, a notice
 * with what was looked at. Returns 0 or a negative errno.
 */
int github__write(FILE *out, const struct report *report,
		  const struct ci_options *options) __must_check;

#endif /* GLEAKD_OUTPUT_CI_CI_H */
