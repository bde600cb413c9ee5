/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_RESOURCES_H
#define GLEAKD_OUTPUT_JSON_RESOURCES_H

#include "output/json/writer.h"
#include "track/resources.h"

/* json__resources - the members resources and resources_watched of a target; nothing for NULL. */
void json__resources(struct json *json, const struct resource_lines *lines);

#endif /* GLEAKD_OUTPUT_JSON_RESOURCES_H */
