/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_CANVAS_H
#define GLEAKD_OUTPUT_TEXT_CANVAS_H

/*
 * A terminal's screen that is drawn over and over in place. Below it is a line for messages: the
 * latest is shown there, and all of them when the frame is gone.
 */
#include "output/text/screen.h"

#define CANVAS_MAX_MESSAGES 100 /* kept until the frame is gone; of more, the latest */

struct canvas {
	bool drawn; /* it is on the terminal */
	char *messages[CANVAS_MAX_MESSAGES];
	size_t n_messages; /* in all; the one of index n is at n % CANVAS_MAX_MESSAGES */
};

void canvas__release(struct canvas *canvas);

/* canvas__rows - lines that a frame may have on a terminal with @rows; 0: no limit. */
size_t canvas__rows(unsigned int rows);

/*
 * canvas__begin - what is put on @screen from here on replaces what the terminal shows; what the user
 * had there goes up into the scrollback the first time. Returns the mark for canvas__end().
 */
struct screen_mark canvas__begin(struct canvas *canvas, struct screen *screen, unsigned int rows);

/* canvas__end - cuts what does not fit into @rows lines: a frame must not scroll. */
void canvas__end(struct canvas *canvas, struct screen *screen, struct screen_mark top, size_t rows);

/* canvas__message - keeps @line, and puts it below a frame that is drawn. */
void canvas__message(struct canvas *canvas, struct screen *screen, const char *line);

/* canvas__leave - the frame goes, if there is one, and the messages come: what is put now stays. */
void canvas__leave(struct canvas *canvas, struct screen *screen);

#endif /* GLEAKD_OUTPUT_TEXT_CANVAS_H */
