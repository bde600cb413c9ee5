// SPDX-License-Identifier: Apache-2.0
/* The input is one byte, a number of columns, and a name out of a foreign binary. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "elf/string_pool.h"
#include "golang/symbolize.h"
#include "output/text/screen.h"
#include "output/shorten.h"

static void check_repair(const char *text)
{
	char *repaired = utf8__repair(text);

	fuzz__require(repaired && utf8__valid(repaired));
	fuzz__require(utf8__width(repaired) == utf8__width(text));
	fuzz__require(!utf8__valid(text) || !strcmp(repaired, text));
	free(repaired);
}

static void check_cuts(const char *text, size_t columns)
{
	size_t prefix = utf8__prefix(text, columns), suffix = utf8__suffix(text, columns);
	char *head = strndup(text, prefix);

	fuzz__require(head && prefix <= strlen(text) && suffix <= strlen(text));
	fuzz__require(utf8__width(head) <= columns);
	fuzz__require(utf8__width(text + suffix) <= columns);
	free(head);
}

static void check_width(char *shortened, size_t columns)
{
	fuzz__require(shortened && utf8__width(shortened) <= max_of(columns, (size_t)8));
	free(shortened);
}

static void check_pool(const char *text)
{
	struct string_pool *pool;
	const char *copy;

	fuzz__require(!string_pool__new(4096, &pool));
	copy = string_pool__intern(pool, text);
	fuzz__require(copy && string_pool__intern(pool, text) == copy);
	for (const char *p = copy; *p; p++)
		fuzz__require((unsigned char)*p >= ' ' && *p != 0x7f);
	string_pool__free(pool);
}

/* Nothing a terminal would act on, nothing wider than the screen. */
static void check_screen(const char *text, unsigned int columns)
{
	struct screen screen;
	const char *p, *end;
	const struct screen_options options = {.columns = columns, .ascii = columns & 1};

	screen__init(&screen, &options);
	screen__put(&screen, STYLE_LEAKING, text);
	screen__end_line(&screen);
	screen__to(&screen, columns / 2);
	screen__wrap(&screen, STYLE_PLAIN, text, 3);
	fuzz__require(!screen__error(&screen));
	for (p = screen.data, end = p + screen.len; p < end;) {
		unsigned int width = 0;

		for (uint32_t code; p < end && *p != '\n'; width += utf8__columns(code)) {
			p += utf8__decode(p, &code);
			fuzz__require(utf8__printable(code));
		}
		fuzz__require(width <= columns);
		fuzz__require(p++ < end);
	}
	screen__release(&screen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct go_build_info info = {
		.main_path = "example.org/shop/cmd/server",
		.module_path = "example.org/shop",
	};
	struct fuzz_input input = {data, size};
	unsigned int columns = fuzz_input__u8(&input);
	char *text = fuzz_input__text(&input, '\0');

	check_repair(text);
	check_cuts(text, columns);
	check_width(shorten__function(text, columns), columns);
	check_width(shorten__text(text, columns), columns);
	check_width(shorten__location(text, size * 0x1234567U, columns), columns);
	check_pool(text);
	check_screen(text, max_of(columns, 1U));
	fuzz__require(frame_owner__of(text, text, &info) <= FRAME_MAIN);
	free(text);
	return 0;
}
