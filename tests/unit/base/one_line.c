// SPDX-License-Identifier: Apache-2.0
#include "base/one_line.h"

#include <criterion/criterion.h>
#include <string.h>

static void check(const char *text, size_t size, const char *expected)
{
	char out[64];

	memset(out, '#', sizeof(out));
	cr_expect_eq(one_line__copy(out, size, text), strlen(expected), "%s", text);
	cr_expect_str_eq(out, expected);
	cr_expect_eq(out[size], '#', "written beyond the end");
}

Test(one_line, text_stays_as_it_is)
{
	check("", 8, "");
	check("server 1.2 \"x\"", 32, "server 1.2 \"x\"");
	check("\xd0\xb6\xe2\x82\xac", 32, "\xd0\xb6\xe2\x82\xac");
}

Test(one_line, lines_and_keys_of_others_do_not_get_through)
{
	check("a\nREADY=1", 32, "a READY=1");
	check("a\r\n<0>b\tc\x7f", 32, "a  <0>b c ");
	check("\x1b[31mred", 32, " [31mred");
}

Test(one_line, what_is_no_text_is_replaced)
{
	check("a\xff"
	      "b",
	      32,
	      "a\xef\xbf\xbd"
	      "b");
	check("\xc2\x85", 32, "\xef\xbf\xbd");	   /* NEL, a newline of C1 */
	check("\xe2\x80\xae", 32, "\xef\xbf\xbd"); /* right-to-left override */
}

Test(one_line, cut_at_a_character)
{
	char out[1] = {'#'};

	check("abcdef", 4, "abc");
	check("ab\xe2\x82\xac", 5, "ab");
	check("ab\xe2\x82\xac", 6, "ab\xe2\x82\xac");
	check("abc\xff", 5, "abc");
	check("abc", 1, "");
	cr_expect_eq(one_line__copy(out, 0, "abc"), 0);
	cr_expect_eq(out[0], '#');
}
