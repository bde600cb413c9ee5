// SPDX-License-Identifier: Apache-2.0
#include "base/duration.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define MS  NSEC_PER_MSEC
#define SEC NSEC_PER_SEC

static void check_parse(const char *text, uint64_t expected)
{
	uint64_t ns = 42;

	cr_expect_eq(duration__parse(text, &ns), 0, "'%s' is a duration", text);
	cr_expect_eq(ns, expected, "'%s' is %lu", text, (unsigned long)ns);
}

static void check_refused(const char *text, int err)
{
	uint64_t ns = 42;

	cr_expect_eq(duration__parse(text, &ns), err, "'%s'", text);
	cr_expect_eq(ns, 42, "'%s' left a value behind", text);
}

Test(duration, parses_numbers_with_units)
{
	check_parse("30s", 30 * SEC);
	check_parse("5m", 300 * SEC);
	check_parse("1h30m", 5400 * SEC);
	check_parse("2d1h", 49 * 3600 * SEC);
	check_parse("1.5s", 1500 * MS);
	check_parse("0.5d", 12 * 3600 * SEC);
	check_parse("100ms", 100 * MS);
	check_parse("1s500ms", 1500 * MS);
	check_parse("7us", 7000);
	check_parse("7ns", 7);
	check_parse("1m0.25s", 60250 * MS);
}

Test(duration, plain_numbers_are_seconds)
{
	check_parse("10", 10 * SEC);
	check_parse("0", 0);
	check_parse("0.5", 500 * MS);
	check_parse("007", 7 * SEC);
	check_parse("0.1234567891234", 123456789);
	check_parse("18446744073", 18446744073 * SEC);
}

Test(duration, refuses_what_is_none)
{
	static const char *const texts[] = {
		"",	 " ",	 "s",	  "-5s", "+5s", "5 s", "5s ",  " 5s",  "5x",
		"5S",	 "5sec", ".5s",	  "5.s", "5.",	"1e3", "0x10", "1,5s", "1h30",
		"30m1h", "5s5s", "1.2.3", "5ss", "inf", "nan", "5\n",  "5s\n", "\xff",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		check_refused(texts[i], -EINVAL);
}

Test(duration, refuses_what_is_too_long)
{
	check_parse("18446744073.709551615", UINT64_MAX);
	check_refused("18446744073.709551616", -ERANGE);
	check_refused("18446744074", -ERANGE);
	check_refused("213504d", -ERANGE);
	check_refused("99999999999999999999", -ERANGE);
	check_refused("213503d23h35m", -ERANGE);
	check_parse("213503d23h34m", (213503ULL * 86400 + 23 * 3600 + 34 * 60) * SEC);
}

static void check_format(uint64_t ns, const char *expected)
{
	char text[DURATION_SIZE];

	duration__format(ns, text);
	cr_expect_str_eq(text, expected);
}

Test(duration, formats_the_two_largest_units_rounded_down)
{
	check_format(0, "0s");
	check_format(999, "999ns");
	check_format(1500, "1.5us");
	check_format(350 * MS, "350ms");
	check_format(999999999, "999ms");
	check_format(SEC, "1s");
	check_format(1500 * MS, "1.5s");
	check_format(9999 * MS, "9.9s");
	check_format(10500 * MS, "10s");
	check_format(42 * SEC, "42s");
	check_format(60 * SEC - 1, "59s");
	check_format(60 * SEC, "1m");
	check_format(252 * SEC, "4m12s");
	check_format(3600 * SEC, "1h");
	check_format(5400 * SEC, "1h30m");
	check_format(3659 * SEC, "1h");
	check_format(86400 * SEC, "1d");
	check_format(93784 * SEC, "1d2h");
	check_format(UINT64_MAX, "213503d23h");
}

Test(duration, formats_whole_units_so_that_they_line_up)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{0, "0ms"},
		{999999, "0ms"},
		{850 * NSEC_PER_MSEC, "850ms"},
		{NSEC_PER_SEC - 1, "999ms"},
		{NSEC_PER_SEC, "1s"},
		{59 * NSEC_PER_SEC + 999, "59s"},
		{60 * NSEC_PER_SEC, "1m00s"},
		{200 * NSEC_PER_SEC, "3m20s"},
		{3599 * NSEC_PER_SEC, "59m59s"},
		{7500 * NSEC_PER_SEC, "2h05m"},
		{86399 * NSEC_PER_SEC, "23h59m"},
		{76 * 3600 * NSEC_PER_SEC, "3d04h"},
		{UINT64_MAX, "213503d23h"},
	};
	char text[DURATION_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		duration__format_whole(cases[i].ns, text);
		cr_expect_str_eq(text, cases[i].text);
	}
}

Test(duration, what_is_formatted_parses)
{
	for (uint64_t ns = 1; ns < UINT64_MAX / 3; ns = ns * 3 + 1) {
		char text[DURATION_SIZE];
		uint64_t back;

		duration__format(ns, text);
		cr_assert_eq(duration__parse(text, &back), 0, "'%s'", text);
		cr_assert(back <= ns && back >= ns / 2, "'%s' for %lu", text, (unsigned long)ns);
	}
}

Test(duration, from_seconds_never_overflows)
{
	cr_expect_eq(duration__from_seconds(1.5), 1500 * MS);
	cr_expect_eq(duration__from_seconds(-1), 0);
	cr_expect_eq(duration__from_seconds(0.0 / 0.0), 0);
	cr_expect_eq(duration__from_seconds(1e300), UINT64_MAX);
	cr_expect_eq(duration__from_seconds(1.0 / 0.0), UINT64_MAX);
}
