// SPDX-License-Identifier: Apache-2.0
#include "output/top/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define BAR_STEPS 8
/* U+2581, the lowest of eight blocks. */
#define BAR_LOWEST	    0x2581U
#define HORIZONTAL_ELLIPSIS 0x2026U

int top_frame__reset(struct top_frame *frame, unsigned int columns, unsigned int rows)
{
	struct top_cell *cells;

	columns = min_of(max_of(columns, 1U), TOP_MAX_COLUMNS);
	rows = min_of(max_of(rows, 1U), TOP_MAX_ROWS);
	cells = reallocarray(frame->cells, (size_t)columns * rows, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	frame->cells = cells;
	frame->columns = columns;
	frame->rows = rows;
	for (size_t i = 0; i < (size_t)columns * rows; i++)
		cells[i] = (struct top_cell){.code = ' '};
	return 0;
}

void top_frame__release(struct top_frame *frame)
{
	free(frame->cells);
	frame->cells = NULL;
}

struct top_cell *top_frame__cell(const struct top_frame *frame, unsigned int row,
				 unsigned int column)
{
	if (row >= frame->rows || column >= frame->columns)
		return NULL;
	return &frame->cells[(size_t)row * frame->columns + column];
}

static uint32_t shown_code(const struct top_frame *frame, uint32_t code)
{
	if (!utf8__printable(code))
		return frame->ascii ? '?' : UTF8_REPLACEMENT;
	if (!frame->ascii || code < 0x80)
		return code;
	return code == HORIZONTAL_ELLIPSIS ? '+' : '?';
}

/* Returns the columns it took: 0 when it is outside. */
static unsigned int put_code(struct top_frame *frame, unsigned int row, unsigned int column,
			     enum style style, uint32_t code)
{
	uint32_t shown = shown_code(frame, code);
	unsigned int columns = utf8__columns(shown);
	struct top_cell *cell = top_frame__cell(frame, row, column);
	struct top_cell *second = top_frame__cell(frame, row, column + columns - 1);

	if (!cell || !second)
		return 0;
	cell->code = shown;
	cell->style = (uint8_t)style;
	if (second != cell) {
		second->code = 0;
		second->style = (uint8_t)style;
	}
	return columns;
}

static unsigned int put_bytes(struct top_frame *frame, unsigned int row, unsigned int column,
			      enum style style, const char *text, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t code;
		unsigned int columns;

		i += utf8__decode(text + i, &code);
		columns = put_code(frame, row, column, style, code);
		if (!columns)
			break;
		column += columns;
	}
	return column;
}

unsigned int top_frame__put(struct top_frame *frame, unsigned int row, unsigned int column,
			    unsigned int width, enum style style, const char *text)
{
	size_t n;

	if (column >= frame->columns || row >= frame->rows)
		return column;
	width = min_of(width, frame->columns - column);
	n = utf8__prefix(text, width);
	if (!text[n] || !width)
		return put_bytes(frame, row, column, style, text, n);
	n = utf8__prefix(text, width - 1);
	column = put_bytes(frame, row, column, style, text, n);
	return column + put_code(frame, row, column, style, HORIZONTAL_ELLIPSIS);
}

void top_frame__put_right(struct top_frame *frame, unsigned int row, unsigned int column,
			  unsigned int width, enum style style, const char *text)
{
	size_t wide = utf8__width(text);

	if (wide < width)
		column += width - (unsigned int)wide;
	top_frame__put(frame, row, column, width, style, text);
}

/* ECMA-48 "select graphic rendition", as output/text/screen.c writes it. */
static enum style style_of(const char *sequence, size_t n)
{
	static const struct {
		const char *text;
		enum style style;
	} known[] = {{"1", STYLE_BOLD},	    {"2", STYLE_DIM},	   {"1;31", STYLE_LEAKING},
		     {"1;35", STYLE_STUCK}, {"33", STYLE_GROWING}, {"32", STYLE_GOOD}};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strlen(known[i].text) == n && !memcmp(known[i].text, sequence, n))
			return known[i].style;
	}
	return STYLE_PLAIN;
}

void top_frame__put_line(struct top_frame *frame, unsigned int row, const char *text, size_t n)
{
	enum style style = STYLE_PLAIN;
	unsigned int column = 0;

	while (n) {
		const char *escape = memchr(text, '\033', n);
		size_t plain = escape ? (size_t)(escape - text) : n;
		const char *end;

		column = put_bytes(frame, row, column, style, text, plain);
		text += plain;
		n -= plain;
		end = n > 2 ? memchr(text, 'm', n) : NULL;
		if (!end)
			return;
		style = style_of(text + 2, (size_t)(end - text) - 2);
		n -= (size_t)(end + 1 - text);
		text = end + 1;
	}
}

void top_frame__reverse(struct top_frame *frame, unsigned int row)
{
	for (unsigned int i = 0; i < frame->columns; i++) {
		struct top_cell *cell = top_frame__cell(frame, row, i);

		if (cell)
			cell->reverse = true;
	}
}

/* Everything that is put here is a character: RFC 3629, section 3. */
static size_t encode(uint32_t code, char out[4])
{
	static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
	size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;

	for (size_t i = more; i > 0; i--) {
		out[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	out[0] = (char)(leads[more] | code);
	return more + 1;
}

const struct top_cell *top_frame__run(const struct top_frame *frame, unsigned int row,
				      unsigned int *column, char *out, size_t size)
{
	const struct top_cell *first = top_frame__cell(frame, row, *column), *cell = first;
	size_t n = 0;

	for (;
	     cell && cell->style == first->style && cell->reverse == first->reverse && n + 5 < size;
	     cell = top_frame__cell(frame, row, ++*column)) {
		if (cell->code)
			n += encode(cell->code, out + n);
	}
	out[n] = '\0';
	return first;
}

void top_frame__put_bars(struct top_frame *frame, unsigned int row, unsigned int column,
			 unsigned int width, enum style style, const uint64_t *values, size_t n)
{
	static const char in_ascii[BAR_STEPS + 1] = "_.:-=+*#";
	uint64_t most = 1;

	if (n > width) {
		values += n - width;
		n = width;
	}
	column += width - (unsigned int)n;
	for (size_t i = 0; i < n; i++)
		most = max_of(most, values[i]);
	for (size_t i = 0; i < n; i++, column++) {
		double part = (double)values[i] / (double)most;
		unsigned int step = min_of((unsigned int)(part * BAR_STEPS), BAR_STEPS - 1U);
		struct top_cell *cell = top_frame__cell(frame, row, column);

		if (!cell)
			return;
		cell->style = (uint8_t)style;
		if (values[i])
			cell->code = frame->ascii ? (uint32_t)in_ascii[step] : BAR_LOWEST + step;
	}
}
