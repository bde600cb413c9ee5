/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_SCHEDULING_H
#define GLEAKD_OUTPUT_JSON_SCHEDULING_H

#include "output/json/writer.h"
#include "output/report.h"

/* json__scheduling - the member "scheduling" of a target; null where it is not known. */
void json__scheduling(struct json *json, const struct report_target *target);

#endif /* GLEAKD_OUTPUT_JSON_SCHEDULING_H */
