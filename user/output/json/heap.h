/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_HEAP_H
#define GLEAKD_OUTPUT_JSON_HEAP_H

#include "output/json/writer.h"
#include "output/report.h"

/* json__heap - the members of a target about its heap; nothing when it was not looked at. */
void json__heap(struct json *json, const struct report_target *target);

#endif /* GLEAKD_OUTPUT_JSON_HEAP_H */
