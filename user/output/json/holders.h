/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_HOLDERS_H
#define GLEAKD_OUTPUT_JSON_HOLDERS_H

#include "heap/view/view.h"
#include "output/json/writer.h"

/* json__holders - the members types, holders and growing of a target. */
void json__holders(struct json *json, const struct heap_view *view);

#endif /* GLEAKD_OUTPUT_JSON_HOLDERS_H */
