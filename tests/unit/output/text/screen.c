// SPDX-License-Identifier: Apache-2.0
#include "output/text/screen.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct screen screen;

static void init(void)
{
	screen__init(&screen, 20, false);
}

static void fini(void)
{
	screen__release(&screen);
}

TestSuite(screen, .init = init, .fini = fini);

#define assert_screen(text)                                                             \
	cr_assert(screen.len == strlen(text) && !memcmp(screen.data, text, screen.len), \
		  "screen holds:\n%.*s", (int)screen.len, screen.data)

Test(screen, cuts_at_the_margin)
{
	screen__put(&screen, STYLE_PLAIN, "0123456789");
	screen__put(&screen, STYLE_PLAIN, "0123456789");
	screen__end_line(&screen);
	screen__put(&screen, STYLE_PLAIN, "0123456789");
	screen__put(&screen, STYLE_PLAIN, "0123456789X");
	screen__put(&screen, STYLE_PLAIN, "gone");
	screen__end_line(&screen);
	assert_screen("01234567890123456789\n0123456789012345678" ELLIPSIS "\n");
	cr_assert_eq(screen.lines, 2);
}

Test(screen, a_wide_character_is_never_cut_in_two)
{
	screen__put(&screen, STYLE_PLAIN, "012345678901234567\xe6\xbc\xa2");
	screen__end_line(&screen);
	screen__put(&screen, STYLE_PLAIN, "0123456789012345678\xe6\xbc\xa2");
	screen__end_line(&screen);
	screen__put(&screen, STYLE_PLAIN, "01234567890123456\xe6\xbc\xa2x\xe6\xbc\xa2");
	screen__end_line(&screen);
	assert_screen("012345678901234567\xe6\xbc\xa2\n"
		      "0123456789012345678" ELLIPSIS "\n"
		      "01234567890123456\xe6\xbc\xa2" ELLIPSIS "\n");
}

Test(screen, aligns_and_leaves_no_blanks_behind)
{
	screen__put(&screen, STYLE_PLAIN, "ab");
	screen__to(&screen, 5);
	screen__put(&screen, STYLE_PLAIN, "c");
	screen__to(&screen, 3);
	screen__put(&screen, STYLE_PLAIN, "d");
	screen__to(&screen, 1000);
	screen__end_line(&screen);
	assert_screen("ab   cd\n");
}

Test(screen, wraps_at_blanks_under_its_first_word)
{
	screen__put(&screen, STYLE_PLAIN, "why ");
	screen__wrap(&screen, STYLE_PLAIN, "three goroutines wait  forevermoreandever", 9);
	assert_screen("why three goroutines\n    wait\n    forevermoreandev\n    er\n");
}

Test(screen, wraps_into_no_more_lines_than_allowed)
{
	screen__wrap(&screen, STYLE_PLAIN, "one two three four five six seven eight nine", 2);
	assert_screen("one two three four\nfive six seven eigh" ELLIPSIS "\n");
}

Test(screen, wrapping_nothing_ends_the_line)
{
	screen__put(&screen, STYLE_PLAIN, "x");
	screen__wrap(&screen, STYLE_PLAIN, "", 3);
	assert_screen("x\n");
}

Test(screen, rolls_back_to_a_mark)
{
	struct screen_mark mark;

	screen__put(&screen, STYLE_PLAIN, "kept");
	screen__end_line(&screen);
	mark = screen__mark(&screen);
	screen__put(&screen, STYLE_PLAIN, "dropped");
	screen__end_line(&screen);
	screen__rollback(&screen, mark);
	assert_screen("kept\n");
	cr_assert_eq(screen.lines, 1);
}

Test(screen, colors_only_when_asked_for)
{
	screen__put(&screen, STYLE_LEAKING, "a");
	screen.color = true;
	screen__put(&screen, STYLE_LEAKING, "b");
	screen__put(&screen, STYLE_PLAIN, "c");
	screen__put(&screen, STYLE_LEAKING, "");
	assert_screen("a\033[1;31mb\033[0mc");
}

Test(screen, foreign_control_characters_do_not_get_through)
{
	screen__putf(&screen, STYLE_PLAIN, "%s", "\033[2J\n\xc2\x9b\x9b\xe2\x80\xae");
	assert_screen("\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

Test(screen, lack_of_memory_is_kept_in_mind)
{
	screen__put_owned(&screen, STYLE_PLAIN, NULL);
	screen__put(&screen, STYLE_PLAIN, "later");
	cr_assert_eq(screen__error(&screen), -ENOMEM);
}

Test(screen, a_runaway_is_an_error)
{
	static char line[4096];

	memset(line, 'x', sizeof(line) - 1);
	screen__release(&screen);
	screen__init(&screen, 4095, false);
	for (int i = 0; i < 1 << 14; i++) {
		screen__put(&screen, STYLE_PLAIN, line);
		screen__end_line(&screen);
	}
	cr_assert_eq(screen__error(&screen), 0, "64 MiB are allowed");
	screen__end_line(&screen);
	cr_assert_eq(screen__error(&screen), -ENOMEM);
}
