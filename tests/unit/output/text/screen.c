// SPDX-License-Identifier: Apache-2.0
#include "output/text/screen.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct screen screen;

static void init(void)
{
	screen__init(&screen, &(struct screen_options){.columns = 20});
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
	screen.options.color = true;
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

/* --- names ---------------------------------------------------------------------------------------- */

static void put_functions(const char *name, unsigned int width)
{
	screen__put_function(&screen, STYLE_PLAIN, name, width);
	screen__end_line(&screen);
}

Test(screen, names_lose_elements_of_their_path_first_and_then_their_end)
{
	put_functions("example.org/shop/cart.(*Store).Load", 35);
	put_functions("example.org/a.F", 15);
	put_functions("example.org/a.F", 14);
	put_functions("example.org/shop/cart.(*Store).Load", 5);
	put_functions("cart.(*ShoppingBasket).Load", 20);
	put_functions("main.F[example.org/a.T]", 30);
	put_functions("example.org/shop/v2", 12);
	put_functions("example.org/shop/v2.Load", 10);
	put_functions("", 20);
	assert_screen("cart.(*Store).Load\n"
		      "example.org/a.F\n"
		      "a.F\n"
		      "cart.(*Store).Load\n"
		      "cart.(*ShoppingBask" ELLIPSIS "\n"
		      "main.F[example.org/" ELLIPSIS "\n"
		      "shop/v2\n"
		      "v2.Load\n"
		      "\n");
}

Test(screen, locations_lose_folders_first)
{
	screen__put_location(&screen, STYLE_PLAIN, "/src/shop/cart/store.go", 42, 17);
	screen__end_line(&screen);
	screen__put_location(&screen, STYLE_PLAIN, "/src/shop/cart/store.go", 0, 13);
	screen__end_line(&screen);
	screen__put_location(&screen, STYLE_PLAIN, "///", 1, 20);
	screen__end_line(&screen);
	assert_screen("cart/store.go:42\n"
		      "cart/store.go\n"
		      "///:1\n");
}

/* --- where nothing is cut, and where there is nothing but ASCII ----------------------------------- */

Test(screen, whole_lines_are_as_long_as_they_have_to_be)
{
	screen.options.whole = true;
	screen__put(&screen, STYLE_PLAIN, "0123456789012345678901234");
	screen__put_within(&screen, STYLE_PLAIN, "0123456789", 5);
	screen__next(&screen, 30);
	screen__put_function(&screen, STYLE_PLAIN, "example.org/shop/cart.Load", 5);
	screen__end_line(&screen);
	assert_screen("01234567890123456789012340123456789  example.org/shop/cart.Load\n");
}

Test(screen, whole_sentences_are_folded_but_no_word_of_them)
{
	screen.options.whole = true;
	screen__put(&screen, STYLE_PLAIN, "why ");
	screen__wrap(&screen, STYLE_PLAIN,
		     "a word of fortyfive characters, of which there are few, is "
		     "example.org/shop/internal/cart.(*Basket).Load here",
		     2);
	assert_screen("why a word of fortyfive characters, of which\n"
		      "    there are few, is\n"
		      "    example.org/shop/internal/cart.(*Basket).Load\n"
		      "    here\n");
}

Test(screen, in_ascii_every_character_keeps_its_columns)
{
	screen.options.ascii = true;
	screen__put(&screen, STYLE_PLAIN,
		    "a\xe6\xbc\xa2\xc3\xa4\xff\xc2\xb5s\xe2\x96\x88\xe2\x96\x8f");
	screen__end_line(&screen);
	screen__put(&screen, STYLE_PLAIN, "0123456789012345678901");
	screen__end_line(&screen);
	assert_screen("a????us##\n0123456789012345678+\n");
}

Test(screen, no_limit_is_whole)
{
	struct screen_options wide = screen_options__within(&(struct screen_options){0}, 200);
	struct screen_options narrow =
		screen_options__within(&(struct screen_options){.columns = 7}, 200);

	cr_expect(wide.whole && wide.columns == SCREEN_NO_LIMIT);
	cr_expect(!narrow.whole && narrow.columns == 60);
	narrow.columns = 1000;
	cr_expect_eq(screen_options__within(&narrow, 200).columns, 200);
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
	screen__init(&screen, &(struct screen_options){.columns = 4095});
	for (int i = 0; i < 1 << 14; i++) {
		screen__put(&screen, STYLE_PLAIN, line);
		screen__end_line(&screen);
	}
	cr_assert_eq(screen__error(&screen), 0, "64 MiB are allowed");
	screen__end_line(&screen);
	cr_assert_eq(screen__error(&screen), -ENOMEM);
}
