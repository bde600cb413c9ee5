// SPDX-License-Identifier: Apache-2.0
#include "output/text/screen.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/stream.h"
#include "base/utf8.h"

/* A report of 64 MiB of text is a runaway, not a report. */
#define SCREEN_MAX_BYTES (64U << 20)
/* Columns that a folded sentence gets, however far to the right it begins. */
#define MIN_FOLD    40U
#define MIN_COLUMNS 60U

/* ECMA-48 "select graphic rendition". */
static const char *const style_on[] = {
	[STYLE_PLAIN] = "",	      [STYLE_BOLD] = "\033[1m",
	[STYLE_DIM] = "\033[2m",      [STYLE_LEAKING] = "\033[1;31m",
	[STYLE_STUCK] = "\033[1;35m", [STYLE_GROWING] = "\033[33m",
	[STYLE_GOOD] = "\033[32m",
};
#define STYLE_OFF	  "\033[0m"
#define ERASE_TO_LINE_END "\033[K"

struct screen_options screen_options__within(const struct screen_options *options, unsigned int max)
{
	struct screen_options within = *options;

	if (within.columns) {
		within.columns = max_of(within.columns, MIN_COLUMNS);
		within.columns = min_of(within.columns, max);
	} else {
		within.columns = SCREEN_NO_LIMIT;
		within.whole = true;
	}
	return within;
}

void screen__init(struct screen *screen, const struct screen_options *options)
{
	*screen = (struct screen){.options = *options};
}

void screen__release(struct screen *screen)
{
	free(screen->data);
	screen->data = NULL;
	screen->len = screen->cap = 0;
}

static void append(struct screen *screen, const char *bytes, size_t n)
{
	if (screen->failed)
		return;
	if (n > screen->cap - screen->len) {
		size_t cap = max_of(screen->cap * 2, (size_t)4096);
		char *data;

		while (cap - screen->len < n)
			cap *= 2;
		data = cap <= SCREEN_MAX_BYTES ? realloc(screen->data, cap) : NULL;
		if (!data) {
			screen->failed = true;
			return;
		}
		screen->data = data;
		screen->cap = cap;
	}
	memcpy(screen->data + screen->len, bytes, n);
	screen->len += n;
}

/*
 * Erasing comes before the text of a line: after a full line the cursor still stands on its last
 * column, and erasing from there would take the last character away.
 */
static void begin_line(struct screen *screen)
{
	if (screen->clear_lines && screen->column == 0)
		append(screen, ERASE_TO_LINE_END, strlen(ERASE_TO_LINE_END));
}

/* What stands for @code, in as many columns, where there is nothing but ASCII. */
static const char *in_ascii(uint32_t code)
{
	if (code == 0x2026) /* ELLIPSIS */
		return "+";
	if (code == 0xb5) /* micro sign */
		return "u";
	/* U+2588 to U+258F: blocks that bars are made of, a whole one to an eighth. */
	if (code >= 0x2588 && code <= 0x258f)
		return "#";
	return utf8__columns(code) == 2 ? "??" : "?";
}

static void append_character(struct screen *screen, const char *text, size_t n, uint32_t code)
{
	const char *shown = UTF8_REPLACEMENT_STR;

	if (utf8__printable(code) && (code < 0x80 || !screen->options.ascii)) {
		append(screen, text, n);
		return;
	}
	if (screen->options.ascii)
		shown = in_ascii(code);
	append(screen, shown, strlen(shown));
}

/* @n bytes of @text, which fit. */
static void append_safe(struct screen *screen, const char *text, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t code;
		size_t taken = utf8__decode(text + i, &code);

		append_character(screen, text + i, taken, code);
		screen->column += utf8__columns(code);
		i += taken;
	}
}

static void put_bytes(struct screen *screen, enum style style, const char *text, size_t n, bool cut)
{
	bool styled = screen->options.color && style != STYLE_PLAIN;

	begin_line(screen);
	if (styled)
		append(screen, style_on[style], strlen(style_on[style]));
	append_safe(screen, text, n);
	if (cut)
		append_safe(screen, ELLIPSIS, strlen(ELLIPSIS));
	if (styled)
		append(screen, STYLE_OFF, strlen(STYLE_OFF));
}

unsigned int screen__room(const struct screen *screen)
{
	unsigned int columns = screen->options.columns;

	return columns > screen->column ? columns - screen->column : 0;
}

void screen__put_within(struct screen *screen, enum style style, const char *text,
			unsigned int width)
{
	unsigned int room = screen->options.whole ? UINT_MAX : min_of(screen__room(screen), width);
	size_t n = utf8__prefix(text, room);
	bool cut = text[n] != '\0';

	if (room == 0 || *text == '\0')
		return;
	if (cut)
		n = utf8__prefix(text, room - 1);
	put_bytes(screen, style, text, n, cut);
}

void screen__put(struct screen *screen, enum style style, const char *text)
{
	screen__put_within(screen, style, text, UINT_MAX);
}

/* "v2" alone, of "example.org/shop/v2". */
static bool is_major_version(const char *text)
{
	return text[0] == 'v' && text[1] && !text[1 + strspn(text + 1, "0123456789")];
}

/*
 * The longest end of @text that begins with a path element and takes at most @width columns; the
 * last element if none does, and the one before where that is but a version. A '/' separates path
 * elements only in the first @path_len bytes.
 */
static const char *fitting_path(const char *text, size_t path_len, size_t width)
{
	size_t fits = utf8__suffix(text, width);
	const char *slash = NULL;

	if (fits == 0)
		return text;
	if (fits <= path_len)
		slash = memchr(text + fits - 1, '/', path_len - (fits - 1));
	if (!slash)
		slash = memrchr(text, '/', path_len);
	if (slash && is_major_version(slash + 1))
		slash = memrchr(text, '/', (size_t)(slash - text));
	return slash && slash[1] ? slash + 1 : text;
}

void screen__put_function(struct screen *screen, enum style style, const char *name,
			  unsigned int width)
{
	/* Receivers and type arguments may hold import paths of their own. */
	size_t path_len = strcspn(name, "[(");

	if (!screen->options.whole)
		name = fitting_path(name, path_len, min_of(width, screen__room(screen)));
	screen__put(screen, style, name);
}

void screen__put_location(struct screen *screen, enum style style, const char *file, uint32_t line,
			  unsigned int width)
{
	const char *shown;
	char *full = NULL;

	if (asprintf(&full, line ? "%s:%" PRIu32 : "%s", file, line) < 0) {
		screen->failed = true;
		return;
	}
	shown = full;
	if (!screen->options.whole)
		shown = fitting_path(full, strlen(full), min_of(width, screen__room(screen)));
	screen__put(screen, style, shown);
	free(full);
}

void screen__put_way(struct screen *screen, enum style style, const char *way, unsigned int width)
{
	if (screen->options.whole)
		screen__put(screen, style, way);
	else
		screen__put_owned(screen, style,
				  shorten__way(way, min_of(width, screen__room(screen))));
}

void screen__put_owned(struct screen *screen, enum style style, char *text)
{
	if (!text) {
		screen->failed = true;
		return;
	}
	screen__put(screen, style, text);
	free(text);
}

void screen__putf(struct screen *screen, enum style style, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	screen__put_owned(screen, style, text);
}

void screen__to(struct screen *screen, unsigned int column)
{
	unsigned int target = column;

	if (!screen->options.whole)
		target = min_of(column, screen->options.columns);
	begin_line(screen);
	for (; screen->column < target; screen->column++)
		append(screen, " ", 1);
}

void screen__next(struct screen *screen, unsigned int column)
{
	screen__to(screen, max_of(column, screen->column + 2));
}

void screen__put_right(struct screen *screen, enum style style, const char *text,
		       unsigned int column, unsigned int width)
{
	size_t own = min_of(utf8__width(text), (size_t)width);

	screen__to(screen, column + width - (unsigned int)own);
	screen__put(screen, style, text);
}

/* Blanks at the end of a line, left by aligning what then was empty, are of no use in a log. */
void screen__end_line(struct screen *screen)
{
	begin_line(screen);
	while (screen->column > 0 && screen->len > 0 && screen->data[screen->len - 1] == ' ') {
		screen->len--;
		screen->column--;
	}
	append(screen, "\n", 1);
	screen->column = 0;
	screen->lines++;
}

/* Bytes of @text that go on a line of @room columns: up to a blank where there is one. */
static size_t line_break(const char *text, unsigned int room, bool whole)
{
	size_t n = utf8__prefix(text, room), cut = n;

	if (text[n] == '\0' || text[n] == ' ')
		return n;
	while (cut > 0 && text[cut - 1] != ' ')
		cut--;
	if (cut > 0)
		return cut;
	/* A word longer than the line is broken where the line ends, if it must. */
	return whole ? strcspn(text, " ") : n;
}

void screen__wrap(struct screen *screen, enum style style, const char *text, unsigned int max_lines)
{
	unsigned int indent = screen->column, room = screen__room(screen);
	bool whole = screen->options.whole;

	if (whole) {
		max_lines = UINT_MAX;
		room = max_of(room, MIN_FOLD);
	}
	for (unsigned int line = 0; *text && room > 1 && line < max_lines; line++) {
		size_t n = line_break(text, room, whole);

		if (line > 0)
			screen__end_line(screen);
		screen__to(screen, indent);
		if (line + 1 == max_lines) {
			screen__put(screen, style, text);
			break;
		}
		put_bytes(screen, style, text, max_of(n, (size_t)1), false);
		text += max_of(n, (size_t)1);
		text += strspn(text, " ");
	}
	screen__end_line(screen);
}

struct screen_mark screen__mark(const struct screen *screen)
{
	return (struct screen_mark){.len = screen->len, .lines = screen->lines};
}

void screen__rollback(struct screen *screen, struct screen_mark mark)
{
	screen->len = min_of(screen->len, mark.len);
	screen->lines = mark.lines;
	screen->column = 0;
}

void screen__escape(struct screen *screen, const char *sequence)
{
	append(screen, sequence, strlen(sequence));
}

int screen__error(const struct screen *screen)
{
	return screen->failed ? -ENOMEM : 0;
}

int screen__flush(struct screen *screen, FILE *out)
{
	int err = screen__error(screen);

	if (!err && screen->len)
		err = stream__write(out, screen->data, screen->len);
	screen__release(screen);
	return err;
}
