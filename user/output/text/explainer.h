/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_EXPLAINER_H
#define GLEAKD_OUTPUT_TEXT_EXPLAINER_H

/*
 * --explain SITE: in place of the table, all that is known of the site that is meant. On a terminal
 * it is drawn anew with every report; elsewhere the last report alone is shown.
 */
#include <stdio.h>

#include "output/report.h"
#include "output/text/screen.h"

/* More sites than that are listed by their ids. */
#define EXPLAINER_MAX_SITES 3

struct explainer {
	FILE *out;
	const char *pattern; /* as site_pattern__match() takes it */
	bool terminal;
	struct screen_options options;
	unsigned int rows; /* no limit of height: 0 */
	bool started;
};

/* explainer__write - -EPIPE and kin when writing failed. */
int explainer__write(struct explainer *explainer, const struct report *report) __must_check;

#endif /* GLEAKD_OUTPUT_TEXT_EXPLAINER_H */
