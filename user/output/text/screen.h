/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_SCREEN_H
#define GLEAKD_OUTPUT_TEXT_SCREEN_H

/*
 * Lines of text of a given width, built in memory and written at once. Whatever is put here is safe
 * to show: characters that could steer a terminal become U+FFFD, and no line gets wider than the
 * screen (the last column then holds an ellipsis). The only escape sequences are our own colours.
 *
 * Running out of memory is remembered and reported by screen__error(), so that a renderer can put
 * dozens of pieces without a check after each.
 */
#include <stdio.h>

#include "base/common.h"

#define ELLIPSIS "\xe2\x80\xa6"

enum style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_LEAKING,
	STYLE_STUCK,
	STYLE_GROWING,
	STYLE_GOOD,
};

struct screen {
	char *data;
	size_t len, cap;
	size_t lines; /* finished ones */
	unsigned int columns;
	unsigned int column; /* where the open line ends */
	bool color;
	bool clear_lines; /* each line starts with "erase the rest of what was here" */
	bool failed;
};

/* A place to come back to when what follows does not fit. */
struct screen_mark {
	size_t len, lines;
};

void screen__init(struct screen *screen, unsigned int columns, bool color);
void screen__release(struct screen *screen);

/* screen__put - @text at the end of the open line, cut at the right margin. */
void screen__put(struct screen *screen, enum style style, const char *text);
void screen__putf(struct screen *screen, enum style style, const char *fmt, ...) __printf_fmt(3, 4);

/* screen__put_owned - puts and frees @text; NULL, what an allocation left, is an error to keep. */
void screen__put_owned(struct screen *screen, enum style style, char *text);

/* screen__to - blanks up to @column (0 is the first); nothing when the line is already there. */
void screen__to(struct screen *screen, unsigned int column);

/* screen__put_right - @text at the right end of the @width columns that begin at @column. */
void screen__put_right(struct screen *screen, enum style style, const char *text,
		       unsigned int column, unsigned int width);

/* screen__room - columns left on the open line. */
unsigned int screen__room(const struct screen *screen);

/* screen__end_line - finish the open line. */
void screen__end_line(struct screen *screen);

/*
 * screen__wrap - @text from here on, broken at blanks into at most @max_lines lines that all begin
 * at the current column; ends the last line.
 */
void screen__wrap(struct screen *screen, enum style style, const char *text,
		  unsigned int max_lines);

/* screen__mark, screen__rollback - only between lines. */
struct screen_mark screen__mark(const struct screen *screen);
void screen__rollback(struct screen *screen, struct screen_mark mark);

/* screen__escape - a control sequence of our own, as it is; takes no columns. */
void screen__escape(struct screen *screen, const char *sequence);

/*
 * screen__flush - writes all of it to @out at once and releases the screen. -ENOMEM when something
 * could not be kept, or -EPIPE and kin.
 */
int screen__flush(struct screen *screen, FILE *out) __must_check;

/* screen__error - 0, or -ENOMEM when something could not be kept. */
int screen__error(const struct screen *screen) __must_check;

#endif /* GLEAKD_OUTPUT_TEXT_SCREEN_H */
