/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_SITE_H
#define GLEAKD_OUTPUT_TEXT_SITE_H

#include "output/report.h"
#include "output/text/screen.h"
#include "output/text/site_columns.h"

/* How much of a site is shown: each step includes those before it. */
enum site_detail {
	SITE_HEADLINE, /* one line */
	SITE_PLACES,   /* what it is, where it was created, where it blocks */
	SITE_EVIDENCE, /* why it was flagged, what it waits on */
	SITE_STACK,    /* the whole park stack and all it waits on */
};

/* text_part__site - the block of a flagged site. */
void text_part__site(struct screen *screen, const struct site_columns *columns,
		     const struct report_site *site, enum site_detail detail);

#endif /* GLEAKD_OUTPUT_TEXT_SITE_H */
