// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static void check_repair(const char *text, const char *expected)
{
	char *repaired = utf8__repair(text);

	cr_assert_not_null(repaired);
	cr_expect_str_eq(repaired, expected);
	cr_expect(utf8__valid(repaired));
	cr_expect_eq(utf8__valid(text), strcmp(text, expected) == 0);
	free(repaired);
}

#define BAD UTF8_REPLACEMENT_STR

Test(utf8, valid_text_stays)
{
	check_repair("", "");
	check_repair("main.\xc3\xa4", "main.\xc3\xa4");
	check_repair("\xe6\xbc\xa2\xf0\x9f\x90\xb9\x7f\x01",
		     "\xe6\xbc\xa2\xf0\x9f\x90\xb9\x7f\x01");
	/* The first and last of each length, and around the surrogates. */
	check_repair("\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
		     "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
	check_repair("\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80");
}

Test(utf8, invalid_sequences_are_replaced)
{
	check_repair("a\x80z", "a" BAD "z");
	check_repair("\xc0\xaf", BAD BAD);	   /* overlong */
	check_repair("\xe0\x9f\xbf", BAD BAD BAD); /* overlong */
	check_repair("\xf0\x8f\xbf\xbf", BAD BAD BAD BAD);
	check_repair("\xed\xa0\x80", BAD BAD BAD);	   /* surrogate */
	check_repair("\xf4\x90\x80\x80", BAD BAD BAD BAD); /* beyond U+10FFFF */
	check_repair("\xf5\xfe\xff", BAD BAD BAD);
}

/* The example of Unicode 15, table 3-11. */
Test(utf8, one_replacement_per_maximal_subpart)
{
	check_repair("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", BAD BAD BAD BAD "A");
}

Test(utf8, truncated_at_the_end)
{
	check_repair("x\xe6", "x" BAD);
	check_repair("x\xe6\xbc", "x" BAD);
	check_repair("x\xf0\x9f\x90", "x" BAD);
}

Test(utf8, every_character_survives_and_nothing_else)
{
	for (uint32_t code = 1; code <= 0x110000; code++) {
		char text[5] = {0};
		uint32_t decoded;

		if (code < 0x80) {
			text[0] = (char)code;
		} else if (code < 0x800) {
			text[0] = (char)(0xc0 | code >> 6);
			text[1] = (char)(0x80 | (code & 0x3f));
		} else if (code < 0x10000) {
			text[0] = (char)(0xe0 | code >> 12);
			text[1] = (char)(0x80 | (code >> 6 & 0x3f));
			text[2] = (char)(0x80 | (code & 0x3f));
		} else {
			text[0] = (char)(0xf0 | code >> 18);
			text[1] = (char)(0x80 | (code >> 12 & 0x3f));
			text[2] = (char)(0x80 | (code >> 6 & 0x3f));
			text[3] = (char)(0x80 | (code & 0x3f));
		}
		if ((code >= 0xd800 && code < 0xe000) || code > 0x10ffff) {
			cr_assert(!utf8__valid(text), "U+%04X", code);
			continue;
		}
		cr_assert_eq(utf8__decode(text, &decoded), strlen(text), "U+%04X", code);
		cr_assert_eq(decoded, code, "U+%04X", code);
	}
}

Test(utf8, controls_and_what_is_invisible_is_not_printable)
{
	static const uint32_t bad[] = {
		0,	0x07,	0x0a,	0x1b,	0x1f,	0x7f,	 0x80,	  0x9b,	    0x9f,   0xad,
		0x61c,	0x200b, 0x200e, 0x200f, 0x2028, 0x2029,	 0x202a,  0x202e,   0x2066, 0x2069,
		0xe000, 0xfeff, 0xfffe, 0xffff, 0xd800, 0x1fffe, 0xe0001, 0x10ffff,
	};
	static const uint32_t good[] = {' ', '~', 0xa0, 0xe9, 0x6f22, 0xfffd, 0x1f439};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect(!utf8__printable(bad[i]), "U+%04X", bad[i]);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		cr_expect(utf8__printable(good[i]), "U+%04X", good[i]);
}

Test(utf8, no_character_is_wider_than_thought)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);

	if (!locale)
		cr_skip_test("needs the locale C.UTF-8");
	uselocale(locale);
	for (uint32_t code = 1; code <= 0x10ffff; code++) {
		if (utf8__printable(code))
			cr_assert_leq(wcwidth((wchar_t)code), (int)utf8__columns(code), "U+%04X",
				      code);
	}
	uselocale(LC_GLOBAL_LOCALE);
	freelocale(locale);
}

Test(utf8, widths_and_cuts)
{
	const char *text = "a\xe6\xbc\xa2\xff"
			   "b"; /* 1, 2, 1, 1 */

	cr_expect_eq(utf8__width(text), 5);
	cr_expect_eq(utf8__prefix(text, 0), 0);
	cr_expect_eq(utf8__prefix(text, 2), 1, "half of a wide character does not fit");
	cr_expect_eq(utf8__prefix(text, 3), 4);
	cr_expect_eq(utf8__prefix(text, 100), 6);
	cr_expect_eq(utf8__suffix(text, 100), 0);
	cr_expect_eq(utf8__suffix(text, 3), 4);
	cr_expect_eq(utf8__suffix(text, 4), 1);
	cr_expect_eq(utf8__suffix(text, 0), 6);
}
