// SPDX-License-Identifier: Apache-2.0
#include "output/text/explainer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "made_sites.h"

/* What comes out for @pattern; to free(). */
static char *explain(struct explainer *explainer, const struct report *report)
{
	char *text = NULL;
	size_t size = 0;

	explainer->out = open_memstream(&text, &size);
	cr_assert_eq(explainer__write(explainer, report), 0);
	fclose(explainer->out);
	return text;
}

static void check_shown(const char *pattern, const char *wanted)
{
	struct explainer explainer = {.pattern = pattern, .options.columns = 100};
	struct made_sites made;
	char *text;

	made_sites__init(&made);
	text = explain(&explainer, &made.report);
	cr_expect_str_eq(text, wanted);
	free(text);
}

Test(explainer, lists_the_largest_when_none_is_meant)
{
	check_shown("no\x1bthing", "no site matches 'no\xef\xbf\xbdthing'; the largest sites are:\n"
				   "  abcbbbbb  idle            12  main.f11\n"
				   "  abcaaaaa  idle            11  main.f10\n"
				   "  abc99999  idle            10  main.f9\n"
				   "  abc88888  idle             9  main.f8\n"
				   "  abc77777  idle             8  main.f7\n"
				   "  abc66666  idle             7  main.f6\n"
				   "  abc55555  idle             6  main.f5\n"
				   "  abc44444  idle             5  main.f4\n"
				   "  abc33333  idle             4  main.f3\n"
				   "  abc22222  idle             3  main.f2\n");
}

Test(explainer, lists_those_that_are_meant_when_they_are_many)
{
	check_shown("main.f[2-5]", "4 sites match 'main.f[2-5]'; give the id of one, or a more "
				   "precise pattern:\n"
				   "  abc22222  idle             3  main.f2\n"
				   "  abc33333  idle             4  main.f3\n"
				   "  abc44444  idle             5  main.f4\n"
				   "  abc55555  idle             6  main.f5\n");
}

Test(explainer, does_not_list_hundreds)
{
	struct explainer explainer = {.pattern = "*", .options.columns = 100};
	struct made_sites made;
	char *text;

	made_sites__init(&made);
	text = explain(&explainer, &made.report);
	cr_expect_not_null(strstr(text, "12 sites match '*';"));
	cr_expect_not_null(strstr(text, "main.f9\n  and 2 more\n"));
	cr_expect_null(strstr(text, "main.f10"));
	free(text);
}

Test(explainer, up_to_three_are_explained)
{
	struct explainer explainer = {.pattern = "main.f[2-4]", .options.columns = 100};
	struct made_sites made;
	char *text;

	made_sites__init(&made);
	text = explain(&explainer, &made.report);
	cr_expect_not_null(strstr(text, "abc22222"));
	cr_expect_not_null(strstr(text, "abc44444"));
	cr_expect_null(strstr(text, "sites match"));
	free(text);
	explainer.pattern = "abc8";
	text = explain(&explainer, &made.report);
	cr_expect_not_null(strstr(text, "abc88888"));
	cr_expect_null(strstr(text, "abc99999"));
	free(text);
}

Test(explainer, into_a_pipe_goes_what_is_first_known_and_the_last_word)
{
	struct explainer explainer = {.pattern = "abc8", .options.columns = 100};
	struct made_sites made;
	char *text;

	made_sites__init(&made);
	made.report.end = REPORT_GOES_ON;
	made.target.n_sites = 3;
	text = explain(&explainer, &made.report);
	cr_expect_str_eq(text, "", "not known yet");
	cr_expect_not(explainer__knows(&explainer));
	free(text);
	made.target.n_sites = MADE_SITES;
	text = explain(&explainer, &made.report);
	cr_expect(strncmp(text, "\n", 1) != 0);
	cr_expect_not_null(strstr(text, "abc88888"));
	cr_expect(explainer__knows(&explainer));
	free(text);
	text = explain(&explainer, &made.report);
	cr_expect_str_eq(text, "", "once is enough");
	free(text);
	made.report.end = REPORT_INTERRUPTED;
	text = explain(&explainer, &made.report);
	cr_expect(strncmp(text, "\n", 1) == 0, "a blank line between");
	cr_expect_not_null(strstr(text, "abc88888"));
	cr_expect_null(strchr(text, '\x1b'));
	free(text);
}

Test(explainer, a_part_of_a_name_does)
{
	struct explainer explainer = {.pattern = "in.f11", .options.columns = 100};
	struct made_sites made;
	char *text;

	made_sites__init(&made);
	text = explain(&explainer, &made.report);
	cr_expect_not_null(strstr(text, "abcbbbbb"));
	cr_expect(explainer.explained);
	free(text);
}

/* f1 is a part of f10 and f11 as well. */
Test(explainer, a_whole_name_is_better_than_a_part)
{
	struct explainer explainer = {.pattern = "main.f1", .options.columns = 100};
	struct made_sites made;
	char *text;

	made_sites__init(&made);
	text = explain(&explainer, &made.report);
	cr_expect_eq(explainer.meant, 1);
	cr_expect_not_null(strstr(text, "abc11111"));
	free(text);
	explainer.pattern = "f1";
	text = explain(&explainer, &made.report);
	cr_expect_eq(explainer.meant, 3);
	cr_expect_not_null(strstr(text, "abcaaaaa"));
	free(text);
	explainer.pattern = "f";
	text = explain(&explainer, &made.report);
	cr_expect_eq(explainer.meant, MADE_SITES);
	cr_expect_not(explainer__knows(&explainer));
	free(text);
}

Test(explainer, on_a_terminal_it_replaces_the_screen)
{
	struct explainer explainer = {
		.pattern = "none", .options.columns = 100, .rows = 4, .terminal = true};
	const char *rows = "\x1b[H\x1b[Kno site matches 'none'; the largest sites are:\n"
			   "\x1b[K  abcbbbbb  idle            12  main.f11\n"
			   "\x1b[K  abcaaaaa  idle            11  main.f10\n\x1b[J";
	struct made_sites made;
	char *text;

	made_sites__init(&made);
	made.report.end = REPORT_GOES_ON;
	text = explain(&explainer, &made.report);
	cr_expect(strncmp(text, "\n\n\n\n", 4) == 0);
	cr_expect_str_eq(text + 4, rows, "the rest does not fit");
	free(text);
	text = explain(&explainer, &made.report);
	cr_expect_str_eq(text, rows);
	free(text);
	made.report.end = REPORT_INTERRUPTED;
	text = explain(&explainer, &made.report);
	cr_expect(strncmp(text, "\x1b[H\x1b[Jno site", 13) == 0);
	cr_expect_not_null(strstr(text, "main.f2\n"), "all of it");
	free(text);
}

Test(explainer, tells_that_nobody_reads)
{
	struct explainer explainer = {.pattern = "none", .options.columns = 100};
	struct made_sites made;

	made_sites__init(&made);
	explainer.out = fopen("/dev/full", "we");
	cr_expect_eq(explainer__write(&explainer, &made.report), -ENOSPC);
	fclose(explainer.out);
}

Test(explainer, nothing_seen_yet)
{
	struct explainer explainer = {.pattern = "main.*", .options.columns = 100};
	struct report report = {.end = REPORT_INTERRUPTED};
	char *text = explain(&explainer, &report);

	cr_expect_str_eq(text, "no site matches 'main.*'; no goroutines seen yet\n");
	free(text);
}
