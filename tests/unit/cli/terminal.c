// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

Test(terminal, utf8_by_the_first_variable_that_is_set)
{
	cr_expect(terminal__is_utf8(NULL, NULL, "de_AT.UTF-8"));
	cr_expect(terminal__is_utf8("C.utf8", "C", "C"));
	cr_expect(terminal__is_utf8("", "", "en_US.UTF-8@euro"));
	cr_expect(terminal__is_utf8("", "en_US.utf-8", "C"));
	cr_expect_not(terminal__is_utf8("C", "en_US.UTF-8", "en_US.UTF-8"));
	cr_expect_not(terminal__is_utf8("POSIX", NULL, "en_US.UTF-8"));
	cr_expect_not(terminal__is_utf8(NULL, "de_AT.ISO-8859-1", "de_AT.UTF-8"));
	cr_expect_not(terminal__is_utf8(NULL, NULL, "en_US"));
	cr_expect_not(terminal__is_utf8(NULL, NULL, NULL));
}

Test(terminal, columns)
{
	cr_expect_eq(terminal__columns_of("72"), 72);
	cr_expect_eq(terminal__columns_of("0"), 0);
	cr_expect_eq(terminal__columns_of(""), 0);
	cr_expect_eq(terminal__columns_of(NULL), 0);
	cr_expect_eq(terminal__columns_of("-1"), 0);
	cr_expect_eq(terminal__columns_of(" 72"), 0);
	cr_expect_eq(terminal__columns_of("72x"), 0);
	cr_expect_eq(terminal__columns_of("99999999999999999999"), 0);
}

static bool in_a_pipe(const char *no_color, const char *force, enum color_choice choice)
{
	int ends[2];
	bool want;

	cr_assert_eq(pipe(ends), 0);
	setenv("NO_COLOR", no_color, 1);
	setenv("CLICOLOR_FORCE", force, 1);
	want = terminal__want_color(ends[1], choice);
	close(ends[0]);
	close(ends[1]);
	return want;
}

Test(terminal, colors_in_a_pipe)
{
	cr_expect_not(in_a_pipe("", "", COLOR_AUTO));
	cr_expect(in_a_pipe("", "1", COLOR_AUTO));
	cr_expect_not(in_a_pipe("", "0", COLOR_AUTO));
	cr_expect_not(in_a_pipe("1", "1", COLOR_AUTO));
	cr_expect(in_a_pipe("1", "", COLOR_ALWAYS));
	cr_expect_not(in_a_pipe("", "1", COLOR_NEVER));
}
