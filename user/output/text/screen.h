/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_SCREEN_H
#define GLEAKD_OUTPUT_TEXT_SCREEN_H

/*
 * Lines of text of a given width, built in memory and written at once. Whatever is put here is safe
 * to show: characters that could steer a terminal become U+FFFD. The only escape sequences are our
 * own colours.
 *
 * On a terminal no line gets wider than the screen: what does not fit is cut at its end, which an
 * ellipsis shows. Nothing is ever left out of the middle of a name, so that its beginning can be
 * typed again. In a file or pipe (`whole`) nothing is cut at all: sentences are folded, and a line
 * with a long name is a long line.
 *
 * Running out of memory is remembered and reported by screen__error(), so that a renderer can put
 * dozens of pieces without a check after each.
 */
#include <stdio.h>

#include "base/common.h"
#include "output/shorten.h"

struct screen_options {
	unsigned int columns; /* where lines end, or where sentences are folded */
	bool whole;	      /* nothing is cut */
	bool color;
	bool ascii; /* for a locale without UTF-8: '?' for what is not ASCII, and our own marks */
};

enum style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_LEAKING,
	STYLE_STUCK,
	STYLE_GROWING,
	STYLE_GOOD,
};

/*
 * screen_options__within - @options with 60 columns at least and @max at most. No columns at all (0)
 * is no limit: nothing is cut, nor folded.
 */
struct screen_options screen_options__within(const struct screen_options *options,
					     unsigned int max);
#define SCREEN_NO_LIMIT	  (1U << 20)
#define SCREEN_MAX_REPORT 200U /* what is further to the right than that nobody finds */

struct screen {
	char *data;
	size_t len, cap;
	size_t lines; /* finished ones */
	struct screen_options options;
	unsigned int column; /* where the open line ends */
	bool clear_lines;    /* each line starts with "erase the rest of what was here" */
	bool failed;
};

/* A place to come back to when what follows does not fit. */
struct screen_mark {
	size_t len, lines;
};

void screen__init(struct screen *screen, const struct screen_options *options);
void screen__release(struct screen *screen);

/* screen__put - @text at the end of the open line, cut at the right margin unless whole. */
void screen__put(struct screen *screen, enum style style, const char *text);

/* screen__put_within - the same, cut after @width columns if that is less; never when whole. */
void screen__put_within(struct screen *screen, enum style style, const char *text,
			unsigned int width);

/*
 * screen__put_function - leading elements of its path are left out until it fits @width columns; the
 * last one may be longer. screen__put_location - likewise "file:line", without a @line of 0.
 */
void screen__put_function(struct screen *screen, enum style style, const char *name,
			  unsigned int width);
void screen__put_location(struct screen *screen, enum style style, const char *file, uint32_t line,
			  unsigned int width);
/* screen__put_way - as shorten__way() has it in @width columns; how an object of the heap is reached. */
void screen__put_way(struct screen *screen, enum style style, const char *way, unsigned int width);
void screen__putf(struct screen *screen, enum style style, const char *fmt, ...) __printf_fmt(3, 4);

/* screen__put_owned - puts and frees @text; NULL, what an allocation left, is an error to keep. */
void screen__put_owned(struct screen *screen, enum style style, char *text);

/* screen__to - blanks up to @column (0 is the first); nothing when the line is already there. */
void screen__to(struct screen *screen, unsigned int column);

/* screen__next - the same for a column of a table, with two blanks at least before it. */
void screen__next(struct screen *screen, unsigned int column);

/* screen__put_right - @text at the right end of the @width columns that begin at @column. */
void screen__put_right(struct screen *screen, enum style style, const char *text,
		       unsigned int column, unsigned int width);

/* screen__room - columns left on the open line, up to where it ends or is folded. */
unsigned int screen__room(const struct screen *screen);

/* screen__end_line - finish the open line. */
void screen__end_line(struct screen *screen);

/*
 * screen__wrap - @text from here on, broken at blanks into at most @max_lines lines (any number when
 * whole) that all begin at the current column; ends the last line.
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
