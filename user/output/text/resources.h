/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_RESOURCES_H
#define GLEAKD_OUTPUT_TEXT_RESOURCES_H

/* What a process has opened and not closed, for `gleakd resources`. */
#include "output/text/screen.h"
#include "track/resources.h"

/* text_part__resources - @all: every place, not only what grows and the largest. */
void text_part__resources(struct screen *screen, const struct resource_lines *lines, bool all);

#endif /* GLEAKD_OUTPUT_TEXT_RESOURCES_H */
