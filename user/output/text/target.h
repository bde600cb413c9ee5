/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_TARGET_H
#define GLEAKD_OUTPUT_TEXT_TARGET_H

/* Who is watched and how: the lines above the sites. */
#include "output/report.h"
#include "output/text/screen.h"

/* text_part__target - who is watched and how, its goroutines, what got lost. */
void text_part__target(struct screen *screen, const struct report_target *target);

/* text_part__identity - the first of these lines: "gleakd  shop (pid 42)   go1.26.8 ...". */
void text_part__identity(struct screen *screen, const struct report_target *target);

/* text_part__losses - one or two lines, nothing when nothing got lost. */
void text_part__losses(struct screen *screen, const struct report_target *target);

/* text_part__mode - why not all probes are attached; nothing in mode full. */
void text_part__mode(struct screen *screen, const struct report_target *target);

/* text_part__triggers - a line for each that is met; nothing without --trigger. */
void text_part__triggers(struct screen *screen, const struct report_target *target);

/* text_part__name - "name (pid 42)", and behind it the library that the runtime came with, if one did. */
void text_part__name(struct screen *screen, const struct report_target *target);
size_t text_part__name_width(const struct report_target *target);

#endif /* GLEAKD_OUTPUT_TEXT_TARGET_H */
