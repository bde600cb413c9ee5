// SPDX-License-Identifier: Apache-2.0
#include "naming/allow_list.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/site_pattern.h"
#include "pattern_site.h"

/* allow_list__read() of a file with these bytes. */
static int read_bytes(const void *text, size_t size, struct allow_list **ret_list,
		      struct failure *failure)
{
	char path[] = "/tmp/gleakd-allow-XXXXXX";
	int fd = mkstemp(path), err;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, size), (ssize_t)size);
	close(fd);
	err = allow_list__read(path, ret_list, failure);
	unlink(path);
	return err;
}

static struct allow_list *read_list(const char *text)
{
	struct allow_list *list = NULL;
	struct failure failure = {""};

	cr_assert_eq(read_bytes(text, strlen(text), &list, &failure), 0, "%s", failure.text);
	return list;
}

/* The reason by which a list of this one line suppresses the sample; "" when it does not. */
static bool suppresses(const char *pattern)
{
	char text[600];
	struct allow_list *list;
	bool found;

	snprintf(text, sizeof(text), "%s known\n", pattern);
	list = read_list(text);
	found = allow_list__match(list, &pattern_site) != NULL;
	cr_expect_eq(found, site_pattern__match(pattern, &pattern_site) == SITE_MATCH_WHOLE, "%s",
		     pattern);
	allow_list__free(list);
	return found;
}

static void check_refused(const void *text, size_t size, int err, const char *words)
{
	struct allow_list *list = (void *)&pattern_site;
	struct failure failure = {""};

	cr_expect_eq(read_bytes(text, size, &list, &failure), err, "%s: %s", words, failure.text);
	cr_expect_not_null(strstr(failure.text, words), "%s", failure.text);
	cr_expect_eq((void *)list, (void *)&pattern_site);
}

static void check_text_refused(const char *text, int err, const char *words)
{
	check_refused(text, strlen(text), err, words);
}

Test(allow_list, functions)
{
	cr_expect(suppresses("main.main"));
	cr_expect(suppresses("main.serve.*"));
	cr_expect(suppresses("github.com/acme/shop/jobs.*"));
	cr_expect(suppresses("github.com/*.run"));
	cr_expect(suppresses("github.com/acme/shop/jobs.(*Pump).run"));
	cr_expect(suppresses("*.serve.func[0-9]"));
	cr_expect(suppresses("main.m?in"));
	cr_expect_not(suppresses("main"));
	cr_expect_not(suppresses("ain.main"));
	cr_expect_not(suppresses("main.serve"));
	cr_expect_not(suppresses("acme/shop/jobs.*"));
	cr_expect_not(suppresses("MAIN.MAIN"));
}

Test(allow_list, type_arguments_stand_for_themselves)
{
	cr_expect(suppresses("github.com/acme/shop/cart.Load[...]"));
	cr_expect(suppresses("*.Load[...]"));
	cr_expect_not(suppresses("*.Load[..]"));
	cr_expect_not(suppresses("github.com/acme/shop/cart.Load."));
}

Test(allow_list, places)
{
	cr_expect(suppresses("/home/build/shop/jobs/pump.go:42"));
	cr_expect(suppresses("jobs/pump.go:42"));
	cr_expect(suppresses("pump.go:4?"));
	cr_expect(suppresses("pump.go:*"));
	cr_expect(suppresses("shop/*:42"));
	cr_expect(suppresses("main.go:9"));
	cr_expect(suppresses("load.go:7"));
	cr_expect_not(suppresses("/*/load.go:*"));
	cr_expect(suppresses("home/*/pump.go:42"));
	cr_expect_not(suppresses("pump.go"));
	cr_expect_not(suppresses("pump.go:4"));
	cr_expect_not(suppresses("ump.go:42"));
	cr_expect_not(suppresses("main.go:42"));
}

Test(allow_list, unknown_functions_and_places_match_nothing)
{
	static const struct report_frame nothing[] = {{.function = "", .file = "a.go"}, {0}};
	const struct report_site site = {.stack = nothing, .n_stack = ARRAY_SIZE(nothing)};
	struct allow_list *list = read_list("* anything\n*:0 too\n");

	cr_expect_null(allow_list__match(list, &site));
	cr_expect_not(site_pattern__match("*", &site));
	allow_list__free(list);
}

Test(allow_list, of_a_very_long_path_the_end_matches)
{
	char *path = malloc(9000);
	struct report_site site = {.created_by = {.line = 3}};
	struct allow_list *list = read_list("end.go:3 long\n");

	memset(path, 'x', 9000);
	memcpy(path + 9000 - sizeof("/end.go"), "/end.go", sizeof("/end.go"));
	site.created_by.file = path;
	cr_expect_str_eq(allow_list__match(list, &site), "long");
	allow_list__free(list);
	free(path);
}

Test(allow_list, first_line_that_matches_gives_the_reason)
{
	struct allow_list *list =
		read_list("# known cases\n"
			  "\n"
			  "  nothing.like.it\tnever\n"
			  "pump.go:42 \t one per tenant, see #12 (OPS-211) \t # later\n"
			  "main.main not this one\n"
			  " \t \n"
			  "#main.main neither\n");

	cr_expect_str_eq(allow_list__match(list, &pattern_site),
			 "one per tenant, see #12 (OPS-211)");
	allow_list__free(list);
}

Test(allow_list, unused_ones_are_told)
{
	struct allow_list *list = read_list("# one\na.b one\nmain.main two\n\nc.Load[...] three");
	unsigned int line = 0;

	cr_expect_str_eq(allow_list__unused(list, 1, &line), "main.main");
	cr_expect_eq(line, 3);
	cr_expect_str_eq(allow_list__match(list, &pattern_site), "two");
	cr_expect_str_eq(allow_list__unused(list, 0, &line), "a.b");
	cr_expect_eq(line, 2);
	cr_expect_str_eq(allow_list__unused(list, 1, &line), "c.Load[...]");
	cr_expect_eq(line, 5);
	line = 99;
	cr_expect_null(allow_list__unused(list, 2, &line));
	cr_expect_eq(line, 99);
	allow_list__free(list);
}

Test(allow_list, an_empty_file_silences_nothing)
{
	struct allow_list *list = read_list("");
	unsigned int line;

	cr_expect_null(allow_list__match(list, &pattern_site));
	cr_expect_null(allow_list__unused(list, 0, &line));
	allow_list__free(list);
	list = read_list("\xef\xbb\xbf# all of it\r\n\r\n");
	cr_expect_null(allow_list__unused(list, 0, &line));
	allow_list__free(list);
}

Test(allow_list, files_of_other_systems)
{
	struct allow_list *list = read_list("\xef\xbb\xbfmain.main crlf\r\nx.y z\r\n");
	unsigned int line;

	cr_expect_str_eq(allow_list__match(list, &pattern_site), "crlf");
	cr_expect_str_eq(allow_list__unused(list, 0, &line), "x.y");
	allow_list__free(list);
}

Test(allow_list, reasons_become_valid_utf8)
{
	struct allow_list *list = read_list("main.main caf\xe9 \xc3\xa9\n");

	cr_expect_str_eq(allow_list__match(list, &pattern_site), "caf\xef\xbf\xbd \xc3\xa9");
	allow_list__free(list);
}

Test(allow_list, invalid_utf8_in_a_pattern_is_compared_as_it_is)
{
	const struct report_site site = {.start_function = "main.\xff\xfe"};
	struct allow_list *list = read_list("main.\xff? odd\n");

	cr_expect_str_eq(allow_list__match(list, &site), "odd");
	cr_expect_null(allow_list__match(list, &pattern_site));
	allow_list__free(list);
}

Test(allow_list, lines_that_are_refused)
{
	check_text_refused("a.b ok\nmain.main\n", -EINVAL, ", line 2: a pattern without a reason");
	check_text_refused("main.main # why\n", -EINVAL, ", line 1: a pattern without a reason");
	check_text_refused("\n\n \tmain.main \t\r\n", -EINVAL, ", line 3: a pattern without");
	check_text_refused("a*b*c*d*e*f*g*h*i* stars\n", -EINVAL, ", line 1: more than 8 '*'");
	check_refused("a b\nx\0y z\n", 10, -EINVAL, ", line 2: a NUL byte");
	check_refused("\xff\xfem\0a\0 \0r\0", 10, -EINVAL, ", line 1: a NUL byte");
}

Test(allow_list, eight_stars_and_512_bytes_are_fine)
{
	char pattern[600];
	struct report_site site = {.start_function = pattern};
	struct allow_list *list;
	char text[700];

	cr_expect(suppresses("*****i*n.m*i*"));
	memset(pattern, 'p', sizeof(pattern));
	pattern[512] = '\0';
	snprintf(text, sizeof(text), "%s reason\n", pattern);
	list = read_list(text);
	cr_expect_str_eq(allow_list__match(list, &site), "reason");
	allow_list__free(list);
	snprintf(text, sizeof(text), "\np%s reason\n", pattern);
	check_text_refused(text, -E2BIG, ", line 2: a pattern of more than 512 bytes");
}

Test(allow_list, type_arguments_all_over)
{
	char text[600] = "";
	struct report_site site = {.start_function = text};

	for (size_t i = 0; i < 102; i++)
		memcpy(text + 5 * i, "[...]", 5);
	cr_expect(site_pattern__match(text, &site));
	text[0] = 'x';
	cr_expect(site_pattern__match(text, &site));
}

Test(allow_list, long_lines_and_files)
{
	char *text = malloc(ALLOW_LIST_MAX_BYTES + 2);

	memset(text, 'r', ALLOW_LIST_MAX_BYTES + 2);
	memcpy(text, "a.b ok\nc.d ", 11);
	check_refused(text, 5000, -E2BIG, ", line 2: longer than 4096 bytes");
	check_refused(text, ALLOW_LIST_MAX_BYTES + 1, -E2BIG, "is longer than 1 MiB");
	memset(text, '\n', ALLOW_LIST_MAX_BYTES);
	text[0] = 'x';
	check_refused(text, ALLOW_LIST_MAX_BYTES, -EINVAL, ", line 1: a pattern without");
	free(text);
}

Test(allow_list, patterns_have_a_limit)
{
	char *text = malloc(8u * (ALLOW_LIST_MAX_PATTERNS + 1));
	struct allow_list *list;

	for (size_t i = 0; i <= ALLOW_LIST_MAX_PATTERNS; i++)
		memcpy(text + 8 * i, "abc. ok\n", 8);
	check_refused(text, 8u * (ALLOW_LIST_MAX_PATTERNS + 1), -E2BIG,
		      ", line 4097: more than 4096 patterns");
	text[8u * ALLOW_LIST_MAX_PATTERNS] = '\0';
	list = read_list(text);
	cr_expect_null(allow_list__match(list, &pattern_site));
	allow_list__free(list);
	free(text);
}

Test(allow_list, files_that_cannot_be_read)
{
	struct allow_list *list = NULL;
	struct failure failure = {""};

	cr_expect_eq(allow_list__read("/nonexistent/list", &list, &failure), -ENOENT);
	cr_expect_str_eq(failure.text, "cannot read the allow-list /nonexistent/list: No such file "
				       "or directory; check the path of --allow");
	cr_expect_eq(allow_list__read("/", &list, &failure), -EISDIR);
	cr_expect_null(list);
	allow_list__free(NULL);
}
