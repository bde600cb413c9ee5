// SPDX-License-Identifier: Apache-2.0
#include "output/site_pattern.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const struct report_frame stack[] = {
	{.function = "runtime.gopark", .file = "/usr/local/go/src/runtime/proc.go", .line = 435},
	{.function = "github.com/acme/shop/jobs.(*Pump).run",
	 .file = "/home/build/shop/jobs/pump.go",
	 .line = 42},
	{.function = "github.com/acme/shop/cart.Load[...]", .file = "cart/load.go", .line = 7},
};

static const struct report_site sample = {
	.id = "3fa94c01",
	.created_by = {.function = "main.main", .file = "/home/build/shop/main.go", .line = 9},
	.start_function = "main.serve.func1",
	.stack = stack,
	.n_stack = ARRAY_SIZE(stack),
};

Test(site_pattern, ids)
{
	cr_expect(site_pattern__match("3fa94c01", &sample));
	cr_expect(site_pattern__match("3fa9", &sample));
	cr_expect(site_pattern__match("3FA94C", &sample));
	cr_expect_not(site_pattern__match("3fa", &sample));
	cr_expect_not(site_pattern__match("3fa8", &sample));
	cr_expect_not(site_pattern__match("fa94", &sample));
	cr_expect_not(site_pattern__match("3fa94c011", &sample));
	cr_expect_not(site_pattern__match("", &sample));
}

Test(site_pattern, too_much_to_match)
{
	char longer[600];
	struct failure failure = {""};

	memset(longer, 'a', sizeof(longer));
	longer[513] = '\0';
	cr_expect_eq(site_pattern__check(longer, &failure), -EINVAL);
	cr_expect_not_null(strstr(failure.text, "512 bytes"));
	cr_expect_not(site_pattern__match(longer, &sample));
	cr_expect_eq(site_pattern__check("*********", &failure), -EINVAL);
	cr_expect_not_null(strstr(failure.text, "8 '*'"));
	cr_expect_not(site_pattern__match("*********", &sample));
	cr_expect_eq(site_pattern__check("********", &failure), 0);
	cr_expect(site_pattern__match("********", &sample));
}

Test(site_pattern, parts_of_functions)
{
	cr_expect_eq(site_pattern__match("Pump", &sample), SITE_MATCH_PART);
	cr_expect_eq(site_pattern__match("serve.func", &sample), SITE_MATCH_PART);
	cr_expect_eq(site_pattern__match("in.mai", &sample), SITE_MATCH_PART);
	cr_expect_eq(site_pattern__match("Load[...]", &sample), SITE_MATCH_PART);
	cr_expect_eq(site_pattern__match("pump", &sample), SITE_MATCH_NONE);
	cr_expect_eq(site_pattern__match("pump.go", &sample), SITE_MATCH_NONE, "of functions only");
	cr_expect_eq(site_pattern__match("Pum?", &sample), SITE_MATCH_NONE, "globs are whole");
	cr_expect_eq(site_pattern__match("main.main", &sample), SITE_MATCH_WHOLE);
	cr_expect_eq(site_pattern__match("pump.go:42", &sample), SITE_MATCH_WHOLE);
}
