// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <criterion/criterion.h>

Test(text, base_names)
{
	cr_expect_str_eq(text__base_name("/a/b.go"), "b.go");
	cr_expect_str_eq(text__base_name("b.go"), "b.go");
	cr_expect_str_eq(text__base_name("/a/"), "/a/");
	cr_expect_str_eq(text__base_name(""), "");
}

Test(text, blanks)
{
	cr_expect(text__is_blank(' '));
	cr_expect(text__is_blank('\t'));
	for (const char *p = "\n\r\v\f_a"; *p; p++)
		cr_expect_not(text__is_blank(*p));
	cr_expect_not(text__is_blank('\0'));
}

Test(text, hex_digits)
{
	static const char digits[] = "0123456789abcdef";
	int n = 0;

	for (int i = 0; i < 16; i++)
		cr_expect_eq(text__hex_digit(digits[i]), i);
	for (int c = -128; c < 128; c++)
		n += text__hex_digit((char)c) >= 0;
	cr_expect_eq(n, 16);
}
