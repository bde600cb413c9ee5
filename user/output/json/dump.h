/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_DUMP_H
#define GLEAKD_OUTPUT_JSON_DUMP_H

/* How everything that is JSON is written. */
#include <jansson.h>
#include <stdio.h>

#include "base/common.h"

/*
 * json_dump - @json as compact text in nothing but printable ASCII: names from foreign binaries
 * cannot steer a terminal that the output happens to be shown on. @flags: JSON_EMBED or 0.
 * -ENOMEM also for a @json of NULL, what an allocation left; the caller keeps it otherwise.
 */
int json_dump(FILE *out, const json_t *json, size_t flags) __must_check;

/*
 * json_dump__line - @json, which it frees and which may be NULL, as one line. Text is made in memory
 * first: no reader ever sees half an object. -ENOMEM, or the error of writing to @out.
 */
int json_dump__line(FILE *out, json_t *json) __must_check;

/* json_dump__real - in thousandths; what JSON has no number for is 0. NULL without memory. */
json_t *json_dump__real(double value);

#endif /* GLEAKD_OUTPUT_JSON_DUMP_H */
