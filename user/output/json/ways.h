/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_WAYS_H
#define GLEAKD_OUTPUT_JSON_WAYS_H

#include "output/json/writer.h"
#include "output/report.h"

/* json__ways - the members of a target about what was asked; nothing when nothing was. */
void json__ways(struct json *json, const struct report_target *target);

#endif /* GLEAKD_OUTPUT_JSON_WAYS_H */
