/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OUTPUT_SCHEMA_WRITTEN_H
#define TESTS_UNIT_OUTPUT_SCHEMA_WRITTEN_H

/* What commands other than watching write as JSON. */
#include <jansson.h>

json_t *schema_written__parse(const char *text);
json_t *schema_written__list(void);
json_t *schema_written__checkup(void);
json_t *schema_written__diff(void);
json_t *schema_written__recording(void); /* a report of one, with a series of two moments */

#endif /* TESTS_UNIT_OUTPUT_SCHEMA_WRITTEN_H */
