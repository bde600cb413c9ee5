// SPDX-License-Identifier: Apache-2.0
/* What users call theirs is counted for each of them, and never with what is root's word. */
#include "output/prometheus/textfile.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "output/prometheus/exposition.h"
#include "rendered.h"

static struct report_target of(const char *claimant, uint64_t goroutines)
{
	return (struct report_target){
		.pid = 1,
		.comm = "shop",
		.exe = "/bin/shop",
		.group = "shop",
		.unit = "shop.service",
		.claims = {.group = claimant, .exe = claimant, .unit = claimant},
		.totals.alive = goroutines,
	};
}

Test(textfile, claimed_names_stay_apart)
{
	static const char *const lines[] = {
		"gleakd_goroutines{groupname=\"shop\"} 2\n",
		"gleakd_goroutines{groupname=\"user 1000: shop\"} 7\n",
		"gleakd_goroutines{groupname=\"user 1001: shop\"} 5\n",
		"{groupname=\"shop\",exe=\"/bin/shop\",",
		"{groupname=\"user 1000: shop\",exe=\"user 1000: /bin/shop\",",
		"unit=\"user 1001: shop.service\"",
	};
	const struct report_target targets[] = {of("user 1000", 3), of("user 1001", 5), of("", 2),
						of("user 1000", 4)};
	const struct report report = {.targets = targets, .n_targets = ARRAY_SIZE(targets)};
	const struct textfile_options options = {.version = "1"};
	char *text = rendered(&report, &options);

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		cr_expect(strstr(text, lines[i]), "no %s in:\n%s", lines[i], text);
	free(text);
}

Test(exposition, who_claims_a_name_stands_before_it)
{
	static const struct {
		const char *claimant, *name, *shown;
	} cases[] = {
		{NULL, "shop", "shop"},
		{"", "shop", "shop"},
		{"user 7", "shop", "user 7: shop"},
		{"user 7", "", ""},
		{"container \033[2J", "shop", "container \xef\xbf\xbd[2J: shop"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *shown = exposition__claimed(cases[i].claimant, cases[i].name, 40);

		cr_expect_str_eq(shown, cases[i].shown);
		free(shown);
	}
}
