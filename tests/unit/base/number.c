// SPDX-License-Identifier: Apache-2.0
#include "base/number.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void check(char *text, const char *expected)
{
	cr_expect_str_eq(text, expected);
	free(text);
}

static void check_count(uint64_t n, const char *expected)
{
	char text[NUMBER_COUNT_SIZE];

	number__count(n, text);
	cr_expect_str_eq(text, expected);
}

Test(number, counts)
{
	check_count(0, "0");
	check_count(999, "999");
	check_count(1000, "1,000");
	check_count(123456, "123,456");
	check_count(1234567, "1,234,567");
	check_count(UINT64_MAX, "18,446,744,073,709,551,615");
	check(number__counted(1, "site"), "1 site");
	check(number__counted(0, "site"), "0 sites");
	check(number__counted(1234, "site"), "1,234 sites");
}

static void check_rate(double rate, const char *expected)
{
	char text[NUMBER_RATE_SIZE];

	number__rate(rate, text);
	cr_expect_str_eq(text, expected);
}

Test(number, rates)
{
	check_rate(0, "0");
	check_rate(0.004, "0");
	check_rate(0.03, "0.03");
	check_rate(0.25, "0.25");
	check_rate(1.52, "1.5");
	check_rate(2, "2");
	check_rate(9.96, "9.96");
	check_rate(20.46, "20.5");
	check_rate(99.97, "100");
	check_rate(1203.7, "1,204");
	check_rate(-1203.7, "-1,204");
	check_rate(-0.5, "-0.5");
	check_rate(1e300, "1,000,000,000,000,000");
	check_rate(0.0 / 0.0, "?");
	check_rate(-1.0 / 0.0, "?");
}

static void check_bytes(uint64_t bytes, const char *expected)
{
	char text[NUMBER_BYTES_SIZE];

	number__bytes(bytes, text);
	cr_expect_str_eq(text, expected);
}

Test(number, bytes)
{
	check_bytes(0, "0 B");
	check_bytes(999, "999 B");
	check_bytes(1000, "1.0 kB");
	check_bytes(9949, "9.9 kB");
	check_bytes(9950, "10 kB");
	check_bytes(999499, "999 kB");
	check_bytes(999500, "1.0 MB");
	check_bytes(2551104, "2.6 MB");
	check_bytes(128000000, "128 MB");
	check_bytes(UINT64_MAX, "18 EB");
}
