/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_SCHEMA_H
#define GLEAKD_OUTPUT_JSON_SCHEMA_H

/*
 * The JSON Schema (draft 2020-12) of all that is written as JSON: data/report.schema.json, which is
 * part of the program so that it always fits what this very program writes.
 */
#include <stdio.h>

#include "base/common.h"

/* schema__write - the file as it is, flushed. -EPIPE and kin when writing failed. */
int schema__write(FILE *out) __must_check;

#endif /* GLEAKD_OUTPUT_JSON_SCHEMA_H */
