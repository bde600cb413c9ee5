/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TOP_FRAME_H
#define GLEAKD_OUTPUT_TOP_FRAME_H

/*
 * What a terminal of a given size shows, cell by cell. Whatever is put here is safe to show, as in
 * output/text/screen.h: what could steer a terminal becomes U+FFFD. What does not fit is cut, which an
 * ellipsis shows.
 */
#include "base/common.h"
#include "output/text/screen.h"

#define TOP_MAX_COLUMNS 512U
#define TOP_MAX_ROWS	256U

struct top_cell {
	uint32_t code; /* 0: the second half of a wide character */
	uint8_t style; /* enum style */
	bool reverse;
};

struct top_frame {
	unsigned int columns, rows;
	bool ascii; /* '?' for what is not ASCII, and our own marks */
	struct top_cell *cells;
};

/* top_frame__reset - blank, and of this size, or the most there may be. -ENOMEM. */
int top_frame__reset(struct top_frame *frame, unsigned int columns, unsigned int rows) __must_check;
void top_frame__release(struct top_frame *frame);

/* top_frame__cell - NULL outside. */
struct top_cell *top_frame__cell(const struct top_frame *frame, unsigned int row,
				 unsigned int column);

/* top_frame__put - @text in at most @width columns from @column on; returns where it ends. */
unsigned int top_frame__put(struct top_frame *frame, unsigned int row, unsigned int column,
			    unsigned int width, enum style style, const char *text);

/* top_frame__put_right - likewise, at the right end of them. */
void top_frame__put_right(struct top_frame *frame, unsigned int row, unsigned int column,
			  unsigned int width, enum style style, const char *text);

/* top_frame__put_line - @n bytes that a struct screen has made, with its colours. */
void top_frame__put_line(struct top_frame *frame, unsigned int row, const char *text, size_t n);

/* top_frame__reverse - all of a row. */
void top_frame__reverse(struct top_frame *frame, unsigned int row);

/*
 * top_frame__run - the cells of @row from *@column on that look alike, as UTF-8 of less than @size bytes;
 * moves *@column behind them. Returns the first of them, NULL at the end of the row.
 */
const struct top_cell *top_frame__run(const struct top_frame *frame, unsigned int row,
				      unsigned int *column, char *out, size_t size);

#define TOP_BARS 12

/*
 * top_frame__put_bars - the last @width of @n values, oldest first, as bars between 0 and the largest of
 * them.
 */
void top_frame__put_bars(struct top_frame *frame, unsigned int row, unsigned int column,
			 unsigned int width, enum style style, const uint64_t *values, size_t n);

#endif /* GLEAKD_OUTPUT_TOP_FRAME_H */
