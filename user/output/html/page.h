/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_HTML_PAGE_H
#define GLEAKD_OUTPUT_HTML_PAGE_H

/*
 * A report as one page that needs nothing else: no network, no other file. Data is JSON in it, which
 * assets/ (embedded when gleakd is built) draws. Foreign names can neither end the element that they are in nor
 * reach the page as markup, and the page allows no other script than its own.
 */
#include <stdio.h>

#include "output/report.h"
#include "output/timeline.h"

/*
 * html__write - the page about @report; @timeline: what became of its processes over time, NULL: what the
 * report itself remembers of it. -ENOMEM, or the error of writing.
 */
int html__write(FILE *out, const struct report *report,
		const struct timeline *timeline) __must_check;

#endif /* GLEAKD_OUTPUT_HTML_PAGE_H */
