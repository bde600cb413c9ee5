/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_SCHEDULING_SERIES_H
#define GLEAKD_OUTPUT_JSON_SCHEDULING_SERIES_H

#include "output/json/writer.h"
#include "output/timeline.h"

/*
 * json__scheduling_series - members scheduling_series and stuck_calls of @target's object; none
 * where @timeline is NULL.
 */
void json__scheduling_series(struct json *json, const struct timeline *timeline,
			     const struct report_target *target);

#endif /* GLEAKD_OUTPUT_JSON_SCHEDULING_SERIES_H */
