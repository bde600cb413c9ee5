/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_EXECUTION_H
#define GLEAKD_OUTPUT_JSON_EXECUTION_H

#include "host/execution.h"
#include "output/json/writer.h"

/* json__execution - "run_state" and "tracer" of a process (docs/schema.md), in the object that is open. */
void json__execution(struct json *json, const struct execution *execution);

#endif /* GLEAKD_OUTPUT_JSON_EXECUTION_H */
