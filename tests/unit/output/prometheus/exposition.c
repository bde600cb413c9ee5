// SPDX-License-Identifier: Apache-2.0
#include "output/prometheus/exposition.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exposition_check.h"
#include "sample.h"

#define FAMILY "# HELP a_b What it is.\n# TYPE a_b gauge\n"

/* The check that the tests of the textfile rest on. */
Test(exposition_check, knows_right_from_wrong)
{
	static const char *const right[] = {
		FAMILY,
		FAMILY "a_b 1\n",
		FAMILY "a_b{x=\"\\\\\\\"\\n}, \",y=\"\"} 1.5e-07\na_b{x=\"\"} 2\n",
	};
	static const char *const wrong[] = {
		"",
		FAMILY "a_b 1",
		FAMILY "a_b 1 1767323045678\n",
		FAMILY "a_b NaN\n",
		FAMILY "a_b -1\n",
		FAMILY "a_c 1\n",
		FAMILY "a_b_sum 1\n",
		FAMILY "a_b{x=\"\xff\"} 1\n",
		FAMILY "a_b{x=\"\t\"} 1\n",
		FAMILY "a_b{x=\"\"\"} 1\n",
		FAMILY "a_b{x=\"\\t\"} 1\n",
		FAMILY "a_b{x=\"\n\"} 1\n",
		FAMILY "a_b{x=\"\",} 1\n",
		FAMILY "a_b{1=\"\"} 1\n",
		FAMILY "a_b 1\na_b 2\n",
		FAMILY "a_b{x=\"1\"} 1\na_b{x=\"2\"} 1\na_b{x=\"1\"} 2\n",
		FAMILY FAMILY,
		"a_b 1\n",
		"# HELP a_b \n# TYPE a_b gauge\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
		const char *said = exposition_check(right[i], strlen(right[i]));

		cr_expect_null(said, "%s: %s", said, right[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		cr_expect_not_null(exposition_check(wrong[i], strlen(wrong[i])), "%s", wrong[i]);
}

static char *number(double value)
{
	struct sample_stream stream;
	char *text;

	sample__open(&stream);
	exposition__number(stream.file, "x", NULL, 0, value);
	text = strdup(sample__added(&stream));
	sample__close(&stream);
	cr_assert_not_null(text);
	return text;
}

Test(exposition, numbers_are_finite_and_exact_enough)
{
	static const struct {
		double value;
		const char *wanted;
	} cases[] = {
		{0, "x 0\n"},
		{-0.0, "x 0\n"},
		{1767323045.678, "x 1767323045.678\n"},
		{9.1e-7, "x 9.1e-07\n"},
		{0.1 + 0.2, "x 0.3\n"},
		{NAN, "x 0\n"},
		{INFINITY, "x 0\n"},
		{-INFINITY, "x 0\n"},
		/* Rounding to 13 digits must not turn it into infinity. */
		{DBL_MAX, "x 1.797693134862e+308\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = number(cases[i].value);

		cr_expect_str_eq(text, cases[i].wanted);
		free(text);
	}
}

Test(exposition, clean_text_is_printable_and_bounded)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{"", ""},
		{"main.T.run", "main.T.run"},
		{"a\xff\xe2\x80", "a\xef\xbf\xbd\xef\xbf\xbd"},
		{"\033[2J\n\xe2\x80\xae", "\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd"},
		{"0123456789abcdefghij", "012\xe2\x80\xa6"
					 "defghij"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = exposition__clean(cases[i].text, 11);

		cr_assert_not_null(text);
		cr_expect_str_eq(text, cases[i].wanted);
		free(text);
	}
}
