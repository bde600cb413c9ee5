// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "base/utf8.h"
#include "sample.h"

/* Takes our own control sequences off the front of @text. */
static const char *skip_own_escapes(const char *text)
{
	static const char *const own[] = {
		"\033[0m",  "\033[1m",	"\033[2m", "\033[1;31m", "\033[1;35m",
		"\033[33m", "\033[32m", "\033[H",  "\033[J",	 "\033[K",
	};

	for (size_t i = 0; i < ARRAY_SIZE(own);) {
		size_t length = strlen(own[i]);

		if (strncmp(text, own[i], length) == 0) {
			text += length;
			i = 0;
		} else {
			i++;
		}
	}
	return text;
}

size_t sample__check_lines(const char *text, unsigned int columns, const char *what)
{
	size_t lines = 0;
	unsigned int width = 0;

	for (text = skip_own_escapes(text); *text; text = skip_own_escapes(text)) {
		uint32_t code;

		if (*text == '\n') {
			lines++;
			width = 0;
			text++;
			continue;
		}
		text += utf8__decode(text, &code);
		cr_assert(utf8__printable(code), "%s: U+%04X in line %zu", what, code, lines);
		width += utf8__columns(code);
		cr_assert_leq(width, columns, "%s: line %zu is %u wide", what, lines, width);
	}
	cr_assert_eq(width, 0, "%s: the last line has no end", what);
	return lines;
}

void sample__begin(struct screen *screen)
{
	const struct screen_options options = {.columns = 120, .whole = true, .ascii = true};

	screen__init(screen, &options);
}

char *sample__end(struct screen *screen)
{
	char *text = strndup(screen->data, screen->len);

	cr_assert_eq(screen__error(screen), 0);
	cr_assert_not_null(text);
	screen__release(screen);
	return text;
}

void sample__has(const char *text, const char *part)
{
	cr_expect(strstr(text, part), "no \"%s\" in:\n%s", part, text);
}
