/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_HTML_TIMELINE_JSON_H
#define GLEAKD_OUTPUT_HTML_TIMELINE_JSON_H

/*
 * A timeline as the page reads it: columns, since there are many rows of few numbers; times in seconds from
 * its beginning. For the page alone, and free to change with it.
 */
#include <stdio.h>

#include "output/timeline.h"

/* timeline__write_json - its targets point into @report. -ENOMEM, or the error of writing. */
int timeline__write_json(FILE *out, const struct report *report,
			 const struct timeline *timeline) __must_check;

#endif /* GLEAKD_OUTPUT_HTML_TIMELINE_JSON_H */
