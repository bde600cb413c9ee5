/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_FRAME_H
#define GLEAKD_OUTPUT_TEXT_FRAME_H

/* A terminal's screen that is drawn over and over in place. */
#include "output/text/screen.h"

/* frame__rows - lines that a frame may have on a terminal with @rows; 0: no limit. */
size_t frame__rows(unsigned int rows);

/*
 * frame__begin - what is put on @screen from here on replaces what the terminal shows. @first: what
 * the user had there goes up into the scrollback. Returns the mark for frame__end().
 */
struct screen_mark frame__begin(struct screen *screen, unsigned int rows, bool first);

/* frame__end - cuts what does not fit into @rows lines: a frame must not scroll. */
void frame__end(struct screen *screen, struct screen_mark top, size_t rows);

/* frame__erase - the frame before goes: what comes now stays. */
void frame__erase(struct screen *screen);

#endif /* GLEAKD_OUTPUT_TEXT_FRAME_H */
