/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_EXPLAINER_H
#define GLEAKD_OUTPUT_TEXT_EXPLAINER_H

/*
 * --explain SITE: in place of the table, all that is known of the site that is meant. On a terminal
 * it is drawn anew with every report; elsewhere it is shown when the site is first known, and at the end.
 * When no site is meant, or more than a few, the ones there are, or that are meant, are listed instead.
 */
#include <stdio.h>

#include "output/report.h"
#include "output/text/canvas.h"
#include "output/text/screen.h"

/* More sites than that are listed by their ids. */
#define EXPLAINER_MAX_SITES 3

struct explainer {
	FILE *out;
	const char *pattern; /* as site_pattern__match() takes it */
	bool terminal;
	struct screen_options options;
	unsigned int rows; /* no limit of height: 0 */
	struct canvas canvas;
	bool explained; /* something was, so far */
	size_t meant;	/* sites, by the last report */
};

/* explainer__message - a message of gleakd's own, for as long as it draws on the terminal. */
void explainer__message(struct explainer *explainer, const char *line);

/* explainer__leave - as text_writer__leave(). */
int explainer__leave(struct explainer *explainer) __must_check;

/* explainer__knows - whether the last report had what is meant, and not too much of it. */
bool explainer__knows(const struct explainer *explainer);

/* explainer__write - -EPIPE and kin when writing failed. */
int explainer__write(struct explainer *explainer, const struct report *report) __must_check;

#endif /* GLEAKD_OUTPUT_TEXT_EXPLAINER_H */
