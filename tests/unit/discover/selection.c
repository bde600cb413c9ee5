// SPDX-License-Identifier: Apache-2.0
#include "discover/selection.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATTERNS(...)                                                               \
	{                                                                           \
		(const char *const[]){__VA_ARGS__},                                 \
			sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *) \
	}

static struct process_info process = {.uid = 1000, .comm = "shop", .exe = "/srv/app/shop-api"};
static struct process_origin origin = {
	.cgroup = "/system.slice/shop@1.service",
	.unit = "shop@1.service",
};

static bool wants(struct selection_options options)
{
	struct selection *selection;
	struct failure failure = {""};
	bool wanted;

	cr_assert_eq(selection__new(&options, &selection, &failure), 0, "%s", failure.text);
	wanted = selection__wants(selection, &process, &origin);
	selection__free(selection);
	return wanted;
}

Test(selection, nothing_asked_is_everything)
{
	cr_expect(wants((struct selection_options){0}));
}

Test(selection, each_kind)
{
	cr_expect(wants((struct selection_options){.comm = PATTERNS("shop")}));
	cr_expect_not(wants((struct selection_options){.comm = PATTERNS("sho")}));
	cr_expect(wants((struct selection_options){.exe = PATTERNS("/srv/*")}));
	cr_expect_not(wants((struct selection_options){.exe = PATTERNS("shop-api")}));
	cr_expect(wants((struct selection_options){.unit = PATTERNS("shop@?.service")}));
	cr_expect_not(wants((struct selection_options){.unit = PATTERNS("shop")}));
	cr_expect(wants((struct selection_options){.cgroup = PATTERNS("/system.slice/*")}));
	cr_expect_not(wants((struct selection_options){.cgroup = PATTERNS("/user.slice/*")}));
	cr_expect(wants((struct selection_options){.user = PATTERNS("1000")}));
	cr_expect_not(wants((struct selection_options){.user = PATTERNS("root")}));
}

/* What a user called a group of his own does not make it another's, unless that is meant. */
Test(selection, claimed_groups)
{
	const char *own = "/user.slice/user-1000.slice/user@1000.service";
	const struct process_origin trusted = origin;

	snprintf(origin.cgroup, sizeof(origin.cgroup), "%s/app.slice/shop@1.service", own);
	snprintf(origin.claimant, sizeof(origin.claimant), "user 1000");
	origin.trusted = strlen(own);
	origin.unit_at = strlen(own) + strlen("/app.slice/");
	cr_expect_not(wants((struct selection_options){.unit = PATTERNS("shop@1.service")}));
	cr_expect(wants((struct selection_options){.exclude = PATTERNS("unit:shop*")}));
	cr_expect_not(wants((struct selection_options){.cgroup = PATTERNS("*/shop@1.service")}));
	cr_expect(wants((struct selection_options){.cgroup = PATTERNS("/user.slice/*")}));
	cr_expect(wants((struct selection_options){.cgroup = PATTERNS(own)}));
	cr_expect(wants((struct selection_options){
		.cgroup = PATTERNS(
			"/user.slice/user-1000.slice/user@1000.service/app.slice/shop*")}));
	cr_expect_not(wants((struct selection_options){
		.cgroup = PATTERNS("/user.slice/user-100?.slice/user@1000.service/app.slice/*")}));
	cr_expect_not(wants((struct selection_options){
		.cgroup = PATTERNS("/user.slice/user-1001.slice/user@1000.service/app.slice/*")}));
	origin = trusted;
}

Test(selection, one_of_a_kind_and_all_kinds)
{
	cr_expect(wants((struct selection_options){.comm = PATTERNS("other", "sh*")}));
	cr_expect_not(wants((struct selection_options){.comm = PATTERNS("shop"),
						       .user = PATTERNS("0", "1001")}));
	cr_expect(wants((struct selection_options){.comm = PATTERNS("shop"),
						   .user = PATTERNS("0", "1000")}));
}

Test(selection, exclude)
{
	static const char *const excluding[] = {
		"comm:sh*",  "exe:/srv/*", "unit:*.service", "cgroup:*shop*",
		"user:1000", "shop",	   "shop-api",	     "*api",
	};
	static const char *const not_excluding[] = {
		"comm:shop-api", "exe:shop-api", "unit:shop", "cgroup:/",
		"user:root",	 "/srv/*",	 "name:shop", "srv",
	};

	for (size_t i = 0; i < ARRAY_SIZE(excluding); i++) {
		cr_expect_not(wants((struct selection_options){.exclude = PATTERNS(excluding[i])}),
			      "%s", excluding[i]);
		cr_expect(wants((struct selection_options){.only = PATTERNS(excluding[i])}),
			  "only %s", excluding[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(not_excluding); i++) {
		cr_expect(wants((struct selection_options){.exclude = PATTERNS(not_excluding[i])}),
			  "%s", not_excluding[i]);
		cr_expect_not(wants((struct selection_options){.only = PATTERNS(not_excluding[i])}),
			      "only %s", not_excluding[i]);
	}
	cr_expect_not(wants((struct selection_options){.comm = PATTERNS("shop"),
						       .exclude = PATTERNS("user:1000")}),
		      "what is asked for and excluded is excluded");
}

static int error(struct selection_options options, const char *word)
{
	struct selection *selection = NULL;
	struct failure failure = {""};
	int err = selection__new(&options, &selection, &failure);

	cr_expect_null(selection, "outputs stay untouched on failure");
	cr_expect(strstr(failure.text, word), "%s", failure.text);
	return err;
}

Test(selection, refused)
{
	static const char *many[SELECTION_MAX_PATTERNS + 1];
	static char text[SELECTION_MAX_PATTERN + 2];

	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = "x";
	memset(text, 'x', sizeof(text) - 1);
	cr_expect_eq(error((struct selection_options){.comm = PATTERNS("")}, "comm"), -EINVAL);
	cr_expect_eq(error((struct selection_options){.exclude = PATTERNS("unit:")}, "unit"),
		     -EINVAL);
	cr_expect_eq(error((struct selection_options){.exe = PATTERNS(text)}, "exe"), -EINVAL);
	cr_expect_eq(error((struct selection_options){.exe = {many, ARRAY_SIZE(many)}}, "1024"),
		     -EINVAL);
	cr_expect_eq(
		error((struct selection_options){.user = PATTERNS("no such one")}, "no such one"),
		-EINVAL);
	cr_expect_eq(
		error((struct selection_options){.user = PATTERNS("4294967295")}, "4294967295"),
		-EINVAL, "which is -1, nobody");
	cr_expect_eq(error((struct selection_options){.user = PATTERNS("12x")}, "12x"), -EINVAL);
}

Test(glob, matches)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"a", "", false},
		{"*", "a/b", true},
		{"?", "", false},
		{"?", "a", true},
		{"a*", "abc", true},
		{"a*", "ba", false},
		{"*c", "abc", true},
		{"*c", "abcd", false},
		{"a*b*c", "aXbYc", true},
		{"a*b*c", "aXbYcZ", false},
		{"*ab*", "aab", true},
		{"*aab", "aaab", true},
		{"**", "x", true},
		{"a**", "a", true},
		{"[a]", "a", false},
		{"[a]", "[a]", true},
		{"\\x2d*", "\\x2dfoo", true},
		{"a?c", "abc", true},
		{"*a?", "xaxa", false},
		{"*a?", "xaxab", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(glob__match(cases[i].pattern, cases[i].text), cases[i].matches,
			     "'%s' on '%s'", cases[i].pattern, cases[i].text);
}

/* A matcher that tries every way would not come back. */
Test(glob, many_stars_on_a_long_text, .timeout = 10)
{
	char text[4096];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cr_expect_not(glob__match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*ab", text));
}
