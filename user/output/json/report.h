/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_REPORT_H
#define GLEAKD_OUTPUT_JSON_REPORT_H

/*
 * The report as JSON, one object on one line (docs/schema.md). Names are a contract: they are
 * extended, never renamed.
 */
#include <stdio.h>

#include "output/report.h"

/* report__write_json - one line to @out, flushed. -ENOMEM, or -EPIPE and kin when writing failed. */
int report__write_json(FILE *out, const struct report *report) __must_check;

#endif /* GLEAKD_OUTPUT_JSON_REPORT_H */
