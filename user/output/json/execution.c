// SPDX-License-Identifier: Apache-2.0
#include "output/json/execution.h"

void json__execution(struct json *json, const struct execution *execution)
{
	json__text(json, "run_state", execution_state__name(execution->state));
	if (execution->tracer <= 0) {
		json__null(json, "tracer");
		return;
	}
	json__object(json, "tracer");
	json__count(json, "pid", (uint64_t)execution->tracer);
	json__text(json, "comm", execution->tracer_comm);
	json__end_object(json);
}
