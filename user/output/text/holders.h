/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_HOLDERS_H
#define GLEAKD_OUTPUT_TEXT_HOLDERS_H

/* What a heap is made of, who holds it, and which containers grow, for `gleakd heap`. */
#include "heap/view/view.h"
#include "output/text/screen.h"

/* text_part__holders - @all: every line there is, otherwise those that most of the heap is in. */
void text_part__holders(struct screen *screen, const struct heap_view *view, bool all);

#endif /* GLEAKD_OUTPUT_TEXT_HOLDERS_H */
