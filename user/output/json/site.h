/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_SITE_H
#define GLEAKD_OUTPUT_JSON_SITE_H

#include "output/json/writer.h"
#include "output/report.h"

/* json__frame - a frame, null when there is none. */
void json__frame(struct json *json, const char *name, const struct report_frame *frame);

void json__stack(struct json *json, const char *name, const struct report_frame *stack, size_t n);

/* json__finding - all of it, as an item of an array. */
void json__finding(struct json *json, const struct report_finding *finding);

/* json__site - all of it, as an item of an array. */
void json__site(struct json *json, const struct report_site *site);

#endif /* GLEAKD_OUTPUT_JSON_SITE_H */
