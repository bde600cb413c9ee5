/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_OBJECTS_H
#define GLEAKD_OUTPUT_TEXT_OBJECTS_H

#include "output/report.h"
#include "output/text/screen.h"

/* text_part__objects - what its members wait on; of shared ones @max. Nothing when nobody looked. */
void text_part__objects(struct screen *screen, const struct report_site *site, size_t max);

/* text_part__holds - the locks that others wait for and a member seems to hold. */
void text_part__holds(struct screen *screen, const struct report_site *site);

#endif /* GLEAKD_OUTPUT_TEXT_OBJECTS_H */
