// SPDX-License-Identifier: Apache-2.0
#include "output/ci/ci.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "occurrences.h"
#include "sample.h"

typedef int (*write_fn)(FILE *out, const struct report *report, const struct ci_options *options);

static const struct ci_options usual = {
	.verdicts = 1u << VERDICT_LEAKING | 1u << VERDICT_STUCK,
	.root = "/home/dev/",
};

static char *text_of(write_fn write, const struct report *report, const struct ci_options *options)
{
	struct sample_stream stream;
	char *text;

	sample__open(&stream);
	cr_assert_eq(write(stream.file, report, options), 0);
	cr_assert_eq(fflush(stream.file), 0);
	text = strdup(stream.bytes);
	sample__close(&stream);
	return text;
}

/* The number in quotes behind @name, of the first element that has it. */
static size_t number(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	cr_assert_not_null(at, "%s", name);
	return strtoul(at + strlen(name), NULL, 10);
}

/* Elements close in the order in which they open; names, attributes and references are such. */
static void check_xml(const char *text)
{
	char open[16][32];
	size_t depth = 0;

	cr_assert(utf8__valid(text));
	for (const char *at = text; *at; at++) {
		bool line_end = *at == '\n' || *at == '\t';

		cr_assert(line_end || (unsigned char)*at >= 0x20, "a control character");
		if (*at == '&')
			cr_assert(!strncmp(at, "&amp;", 5) || !strncmp(at, "&lt;", 4) ||
					  !strncmp(at, "&gt;", 4) || !strncmp(at, "&quot;", 6) ||
					  !strncmp(at, "&#", 2),
				  "%.20s", at);
		if (*at != '<' || at[1] == '?')
			continue;
		if (at[1] == '/') {
			cr_assert(depth > 0);
			depth--;
			cr_assert(!strncmp(at + 2, open[depth], strlen(open[depth])), "%.20s", at);
			continue;
		}
		cr_assert(islower((unsigned char)at[1]), "%.20s", at);
		cr_assert_lt(depth, 16);
		snprintf(open[depth], sizeof(open[depth]), "%.*s",
			 (int)strspn(at + 1, "abcdefghijklmnopqrstuvwxyz-"), at + 1);
		depth++;
		/* To its end: quotes may have a '>' in them, and nothing else that is special. */
		for (bool quoted = false; *at != '>' || quoted; at++) {
			quoted ^= *at == '"';
			cr_assert(*at && !(quoted && *at == '<'));
		}
		depth -= at[-1] == '/';
	}
	cr_assert_eq(depth, 0);
}

static void check_counts(const char *text)
{
	check_xml(text);
	cr_expect_eq(number(text, " tests=\""), occurrences(text, "<testcase "));
	cr_expect_eq(number(text, " failures=\""), occurrences(text, "<failure "));
	cr_expect_eq(number(text, " errors=\""), occurrences(text, "<error "));
	cr_expect_eq(number(text, " skipped=\""), occurrences(text, "<skipped "));
}

Test(ci, junit_leaks)
{
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	text = text_of(junit__write, &sample.report, &usual);
	check_counts(text);
	sample__golden("leaks.junit.xml", text);
	free(text);
}

Test(ci, github_leaks)
{
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	text = text_of(github__write, &sample.report, &usual);
	sample__golden("leaks.github.txt", text);
	free(text);
}

Test(ci, only_what_fail_on_is_about_is_a_failure)
{
	const struct ci_options stuck = {.verdicts = 1u << VERDICT_STUCK};
	const struct ci_options none = {.verdicts = 0};
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	text = text_of(junit__write, &sample.report, &stuck);
	cr_expect_eq(occurrences(text, "<failure "), 1);
	free(text);
	text = text_of(junit__write, &sample.report, &none);
	cr_expect_eq(occurrences(text, "<failure "), 0);
	cr_expect_gt(occurrences(text, "<testcase "), 3);
	free(text);
	text = text_of(github__write, &sample.report, &none);
	cr_expect_eq(occurrences(text, "::error"), 0);
	cr_expect_gt(occurrences(text, "::warning"), 2);
	free(text);
}

Test(ci, what_is_silenced_is_skipped)
{
	struct sample sample;
	char *text;

	sample__suppressed(&sample);
	text = text_of(junit__write, &sample.report, &usual);
	check_counts(text);
	cr_expect_eq(occurrences(text, "<failure "), 1);
	cr_expect_gt(occurrences(text, "<skipped "), 0);
	free(text);
	text = text_of(github__write, &sample.report, &usual);
	cr_expect_eq(occurrences(text, "::error"), 1);
	free(text);
}

Test(ci, a_run_that_could_not_judge_is_an_error)
{
	const struct ci_options unjudged = {.verdicts = usual.verdicts,
					    .not_judged = "too <short>"};
	struct report nothing = {.end = REPORT_ONCE};
	struct sample sample;
	char *text;

	sample__healthy(&sample);
	text = text_of(junit__write, &sample.report, &unjudged);
	check_counts(text);
	cr_expect_not_null(strstr(text, "message=\"too &lt;short&gt;\""));
	free(text);
	text = text_of(github__write, &sample.report, &unjudged);
	cr_expect_not_null(
		strstr(text, "::error title=gleakd%3A nothing could be judged::too <short>\n"));
	free(text);
	text = text_of(junit__write, &nothing, &unjudged);
	check_counts(text);
	cr_expect_eq(occurrences(text, "<error "), 1);
	free(text);
}

Test(ci, hostile_names_stay_within_their_format)
{
	struct sample sample;
	char *text;

	sample__hostile(&sample);
	text = text_of(junit__write, &sample.report, &usual);
	check_counts(text);
	free(text);
	text = text_of(github__write, &sample.report, &usual);
	for (const char *c = text; *c; c++) {
		bool begins = c == text || c[-1] == '\n';

		cr_expect(!begins || !strncmp(c, "::", 2), "%.40s", c);
		cr_expect(*c == '\t' || *c == '\n' || (unsigned char)*c >= 0x20,
			  "a control character");
	}
	free(text);
}

Test(ci, any_report_is_xml)
{
	for (unsigned int seed = 0; seed < 100; seed++) {
		struct sample sample;
		char *text;

		sample__random(&sample, seed);
		text = text_of(junit__write, &sample.report, &usual);
		check_counts(text);
		free(text);
		text = text_of(github__write, &sample.report, &usual);
		cr_expect_not_null(strstr(text, "::notice"));
		free(text);
		sample__random_free(&sample);
	}
}
