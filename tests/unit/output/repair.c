// SPDX-License-Identifier: Apache-2.0
#include "output/repair.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char *link_of(struct report_site *site)
{
	const struct repair *repair = report__repair(site);

	return repair ? repair->link : "";
}

static struct report_site waiting(const char *reason)
{
	return (struct report_site){.view.verdict = VERDICT_LEAKING, .wait_reason = reason};
}

Test(repair, goes_by_what_is_waited_for)
{
	static const char *const known[][2] = {
		{"chan send", "send"},	     {"chan send (durable)", "send"},
		{"chan receive", "receive"}, {"chan receive (nil chan)", "nil-channel"},
		{"select", "select"},	     {"select (no cases)", "select"},
		{"sync.Mutex.Lock", "lock"}, {"sync.RWMutex.RLock", "lock"},
		{"semacquire", "lock"},	     {"sync.WaitGroup.Wait", "waitgroup"},
		{"sync.Cond.Wait", "cond"},  {"IO wait", "io"},
		{"sleep", "sleep"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		struct report_site site = waiting(known[i][0]);
		const char *heading = strchr(link_of(&site), '#');

		cr_expect(heading && !strcmp(heading + 1, known[i][1]), "%s: %s", known[i][0],
			  link_of(&site));
	}
}

Test(repair, code_of_libraries_says_more_than_the_wait)
{
	const struct report_frame stack[] = {{.function = "runtime.netpollblock"},
					     {.function = "net/http.(*persistConn).readLoop"}};
	struct report_site site = waiting("select");

	site.stack = stack;
	site.n_stack = ARRAY_SIZE(stack);
	cr_expect_str_eq(link_of(&site), "docs/repairs.md#http-client");
}

Test(repair, old_semaphores_are_told_apart_by_what_is_there)
{
	struct wait_objects objects = {.n_top = 1};
	struct report_site site = waiting("semacquire");

	objects.top[0].kind = WAIT_OBJECT_WAIT_GROUP;
	site.objects = &objects;
	cr_expect_str_eq(link_of(&site), "docs/repairs.md#waitgroup");
}

Test(repair, what_is_not_suspected_needs_none)
{
	struct report_site site = waiting("chan send");

	site.view.verdict = VERDICT_IDLE;
	cr_expect_null(report__repair(&site));
	site = waiting("trace reader (blocked)");
	cr_expect_null(report__repair(&site));
}

/* Each link has its heading. */
Test(repair, the_page_has_all_headings)
{
	static const char *const headings[] = {"http-client", "database", "grpc",   "nil-channel",
					       "send",	      "receive",  "select", "lock",
					       "waitgroup",   "cond",	  "io",	    "sleep"};
	FILE *page = fopen("docs/repairs.md", "r");
	char text[32768];
	size_t n;

	cr_assert_not_null(page, "to be run from the top folder");
	n = fread(text, 1, sizeof(text) - 1, page);
	text[n] = '\0';
	fclose(page);
	for (size_t i = 0; i < ARRAY_SIZE(headings); i++) {
		char anchor[48];

		snprintf(anchor, sizeof(anchor), "<a id=\"%s\"></a>", headings[i]);
		cr_expect_not_null(strstr(text, anchor), "%s", headings[i]);
	}
}
