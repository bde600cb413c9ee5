/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OUTPUT_SAMPLE_JSON_H
#define TESTS_UNIT_OUTPUT_SAMPLE_JSON_H

/* What JSON is made of reports. */
#include <jansson.h>

#include "output/report.h"

/* sample_json__text - to free(); sample_json__tree - parsed, no name twice in an object; to json_decref(). */
char *sample_json__text(const struct report *report);
json_t *sample_json__tree(const struct report *report);

/* sample_self - figures of gleakd itself, each another number. */
struct report_self sample_self(void);

#endif /* TESTS_UNIT_OUTPUT_SAMPLE_JSON_H */
