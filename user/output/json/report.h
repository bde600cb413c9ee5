/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_REPORT_H
#define GLEAKD_OUTPUT_JSON_REPORT_H

/*
 * The report as JSON, one object on one line (docs/schema.md). Names are a contract: they are
 * extended, never renamed.
 */
#include <stdio.h>

#include "output/report.h"
#include "output/timeline.h"

/* report__write_json - one line to @out, flushed. -ENOMEM, or -EPIPE and kin when writing failed. */
int report__write_json(FILE *out, const struct report *report) __must_check;

/* report__write_recorded_json - the same of a recording, with what became of memory; NULL: of none. */
int report__write_recorded_json(FILE *out, const struct report *report,
				const struct timeline *timeline) __must_check;

#endif /* GLEAKD_OUTPUT_JSON_REPORT_H */
