/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_MEMORY_SERIES_H
#define GLEAKD_OUTPUT_JSON_MEMORY_SERIES_H

#include "output/json/writer.h"
#include "output/timeline.h"

/* json__memory_series - the member memory_series of @target of a recording; nothing where it has none. */
void json__memory_series(struct json *json, const struct timeline *timeline,
			 const struct report_target *target);

#endif /* GLEAKD_OUTPUT_JSON_MEMORY_SERIES_H */
