// SPDX-License-Identifier: Apache-2.0
#include "output/site_pattern.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "pattern_site.h"

Test(site_pattern, ids)
{
	cr_expect(site_pattern__match("3fa94c01", &pattern_site));
	cr_expect(site_pattern__match("3fa9", &pattern_site));
	cr_expect(site_pattern__match("3FA94C", &pattern_site));
	cr_expect_not(site_pattern__match("3fa", &pattern_site));
	cr_expect_not(site_pattern__match("3fa8", &pattern_site));
	cr_expect_not(site_pattern__match("fa94", &pattern_site));
	cr_expect_not(site_pattern__match("3fa94c011", &pattern_site));
	cr_expect_not(site_pattern__match("", &pattern_site));
}

Test(site_pattern, too_much_to_match)
{
	char longer[600];
	struct failure failure = {""};

	memset(longer, 'a', sizeof(longer));
	longer[513] = '\0';
	cr_expect_eq(site_pattern__check(longer, &failure), -EINVAL);
	cr_expect_not_null(strstr(failure.text, "512 bytes"));
	cr_expect_not(site_pattern__match(longer, &pattern_site));
	cr_expect_eq(site_pattern__check("*********", &failure), -EINVAL);
	cr_expect_not_null(strstr(failure.text, "8 '*'"));
	cr_expect_not(site_pattern__match("*********", &pattern_site));
	cr_expect_eq(site_pattern__check("********", &failure), 0);
	cr_expect(site_pattern__match("********", &pattern_site));
}

Test(site_pattern, parts_of_functions)
{
	cr_expect_eq(site_pattern__match("Pump", &pattern_site), SITE_MATCH_PART);
	cr_expect_eq(site_pattern__match("serve.func", &pattern_site), SITE_MATCH_PART);
	cr_expect_eq(site_pattern__match("in.mai", &pattern_site), SITE_MATCH_PART);
	cr_expect_eq(site_pattern__match("Load[...]", &pattern_site), SITE_MATCH_PART);
	cr_expect_eq(site_pattern__match("pump", &pattern_site), SITE_MATCH_NONE);
	cr_expect_eq(site_pattern__match("pump.go", &pattern_site), SITE_MATCH_NONE,
		     "of functions only");
	cr_expect_eq(site_pattern__match("Pum?", &pattern_site), SITE_MATCH_NONE,
		     "globs are whole");
	cr_expect_eq(site_pattern__match("main.main", &pattern_site), SITE_MATCH_WHOLE);
	cr_expect_eq(site_pattern__match("pump.go:42", &pattern_site), SITE_MATCH_WHOLE);
}
