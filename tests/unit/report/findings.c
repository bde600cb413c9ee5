// SPDX-License-Identifier: Apache-2.0
/* Which sites are one finding, and which of them leads it. */
#include "report/findings.h"

#include <criterion/criterion.h>
#include <string.h>

/* A forgotten client of three goroutines, two of one kind; a leak by itself; what is no finding. */
static void make_sites(struct report_site sites[6])
{
	const struct report_site made[6] = {
		{.id = "0000000a",
		 .view = {.verdict = VERDICT_LEAKING,
			  .goroutines = 86,
			  .bundle = 3,
			  .confidence = 0.7,
			  .growth_per_minute = 40}},
		{.id = "0000000b",
		 .view = {.verdict = VERDICT_LEAKING,
			  .goroutines = 44,
			  .confidence = 0.9,
			  .growth_per_minute = 7}},
		{.id = "0000000c",
		 .meaning = "a client: made for each job",
		 .view = {.verdict = VERDICT_LEAKING,
			  .goroutines = 43,
			  .bundle = 3,
			  .confidence = 0.8,
			  .growth_per_minute = 20}},
		{.id = "0000000d",
		 .suppressed = true,
		 .view = {.verdict = VERDICT_LEAKING, .goroutines = 43, .bundle = 3}},
		{.id = "0000000e",
		 .view = {.verdict = VERDICT_SUSPECTED,
			  .goroutines = 100,
			  .bundle = 7,
			  .confidence = 0.5}},
		{.id = "0000000f",
		 .view = {.verdict = VERDICT_GROWING, .goroutines = 43, .bundle = 3}},
	};

	memcpy(sites, made, sizeof(made));
	sites[1].start_function = "example.org/shop/cart.(*Store).load";
}

Test(findings, sites_that_are_created_together_are_one)
{
	struct built_findings built;
	struct report_site sites[6];
	char what[REPORT_WHAT_SIZE];
	const struct report_finding *client = NULL, *alone = NULL;

	make_sites(sites);
	cr_assert_eq(built_findings__make(&built, sites, 6), 0);
	cr_assert_eq(built.n, 3);
	client = &built.findings[0];
	cr_assert_eq(client->n_sites, 2, "neither what is silenced nor what rises only");
	cr_expect_eq(client->sites[0], &sites[2], "what has a meaning leads");
	cr_expect_eq(client->sites[1], &sites[0]);
	cr_expect_eq(client->goroutines, 129);
	cr_expect_eq(client->units, 43);
	cr_expect_eq(client->per_minute, 20);
	cr_expect_eq(client->confidence, 0.8);
	cr_expect_str_eq(report_finding__what(client, what),
			 "43 × a client: made for each job: 3 goroutines each");
	cr_expect(report__leads(&sites[2]) && !report__leads(&sites[0]));
	alone = &built.findings[1];
	cr_expect_eq(alone->n_sites, 1);
	cr_expect_str_eq(report_finding__what(alone, what), "44 × cart.(*Store).load");
	cr_expect_eq(built.findings[2].verdict, VERDICT_SUSPECTED);
	cr_expect_null(sites[3].finding);
	cr_expect_null(sites[5].finding);
	cr_expect(report__leads(&sites[5]));
	built_findings__clear(&built);
}

Test(findings, a_line_of_the_programs_own_leads)
{
	const struct report_frame stack[] = {{.function = "lib.Get", .file = ""},
					     {.function = "main.job", .file = "", .own = true}};
	struct built_findings built;
	struct report_site sites[6];

	make_sites(sites);
	sites[0].stack = stack;
	sites[0].n_stack = ARRAY_SIZE(stack);
	cr_assert_eq(built_findings__make(&built, sites, 6), 0);
	cr_expect_eq(built.findings[0].sites[0], &sites[0]);
	built_findings__clear(&built);
}

Test(findings, those_that_wait_for_one_lock_and_who_holds_it)
{
	struct report_lock locks[] = {
		{.kind = WAIT_OBJECT_MUTEX, .sites = {"0000000b"}, .n_sites = 1, .waiters = 44},
		{.kind = WAIT_OBJECT_RWMUTEX,
		 .address = 0xc000123000,
		 .sites = {"0000000b", "0000000e"},
		 .n_sites = 2,
		 .waiters = 145,
		 .holders = {{.goid = 41, .site = "0000000c"}},
		 .n_holders = 1}};
	struct built_findings built;
	struct report_site sites[6];
	char what[REPORT_WHAT_SIZE];

	make_sites(sites);
	sites[2].view.bundle = 0;
	for (size_t i = 0; i < 6; i++) {
		sites[i].locks = locks;
		sites[i].n_locks = ARRAY_SIZE(locks);
	}
	cr_assert_eq(built_findings__make(&built, sites, 6), 0);
	cr_assert_eq(built.n, 2);
	cr_expect_eq(built.findings[1].n_sites, 3);
	cr_expect_eq(built.findings[1].sites[0], &sites[2], "who holds it leads");
	cr_expect_str_eq(report_finding__what(&built.findings[1], what),
			 "145 wait for one rwmutex, which goroutine 41 seems to hold");
	locks[1].kind = WAIT_OBJECT_CHANNEL;
	locks[1].n_holders = 2;
	cr_expect_str_eq(
		report_finding__what(&built.findings[1], what),
		"145 wait for one channel, whose other end goroutine 41 or another seems to be");
	locks[1].n_holders = 0;
	cr_expect_str_eq(report_finding__what(&built.findings[1], what),
			 "145 wait for one channel");
	cr_expect_eq(built.findings[1].units, 1);
	cr_expect_eq(report__lock_at(&sites[1], 0xc000123000), &locks[1]);
	cr_expect_null(report__lock_at(&sites[1], 0xc000123008));
	built_findings__clear(&built);
}

Test(findings, none)
{
	struct built_findings built;

	cr_assert_eq(built_findings__make(&built, NULL, 0), 0);
	cr_expect_eq(built.n, 0);
	built_findings__clear(&built);
}
