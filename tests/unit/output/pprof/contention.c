// SPDX-License-Identifier: Apache-2.0
/* Where goroutines wait for each other. */
#include <criterion/criterion.h>
#include <string.h>

#include "output/pprof/sites.h"
#include "output/report.h"
#include "pprof_read_back.h"

static struct report_site site(enum wait_class class, uint64_t seconds)
{
	return (struct report_site){
		.id = "0123abcd",
		.wait_reason = "sync.Mutex.Lock",
		.start_function = "main.convoy",
		.view = {.wait_class = class, .waited_ns = seconds * NSEC_PER_SEC, .parks = 3},
	};
}

Test(contention, the_most_first_and_no_more_than_so_many)
{
	enum { N = REPORT_MAX_CONTENTION + 7 };
	const struct report_site *sites[REPORT_MAX_CONTENTION];
	struct report_site all[N];
	const struct report_target target = {.sites = all, .n_sites = N};

	for (size_t i = 0; i < N; i++)
		all[i] = site(WAIT_LOCK, i * 7 % N);
	cr_assert_eq(report__contention(&target, sites), REPORT_MAX_CONTENTION);
	for (size_t i = 0; i < REPORT_MAX_CONTENTION; i++)
		cr_expect_eq(sites[i]->view.waited_ns, (N - 1 - i) * NSEC_PER_SEC);
}

Test(contention, what_is_not_for_others_is_none)
{
	struct report_site all[] = {site(WAIT_IO, 5), site(WAIT_SLEEP, 7), site(WAIT_LOCK, 0),
				    site(WAIT_SYSCALL, 3), site(WAIT_CHAN_SEND, 2)};
	const struct report_target target = {.sites = all, .n_sites = ARRAY_SIZE(all)};
	const struct report_site *sites[REPORT_MAX_CONTENTION];

	cr_assert_eq(report__contention(&target, sites), 1);
	cr_expect_eq(sites[0], &all[4]);
}

Test(contention, a_profile_as_go_has_it)
{
	struct report_site all[] = {site(WAIT_LOCK, 5), site(WAIT_IO, 7)};
	const struct report_target target = {
		.exe = "/usr/bin/shop", .sites = all, .n_sites = ARRAY_SIZE(all)};
	Gleakd__Pprof__Profile *read;
	struct pprof *profile;

	cr_assert_eq(contention_profile__make(&target, 1767323045678000000, &profile), 0);
	read = pprof__read_back(profile);
	cr_assert_eq(read->n_sample, 1);
	cr_assert_eq(read->n_sample_type, 2);
	cr_expect_str_eq(read->string_table[read->sample_type[0]->type], "contentions");
	cr_expect_str_eq(read->string_table[read->sample_type[1]->type], "delay");
	cr_expect_str_eq(read->string_table[read->sample_type[1]->unit], "nanoseconds");
	cr_expect_eq(read->sample[0]->value[0], 3);
	cr_expect_eq(read->sample[0]->value[1], 5 * (int64_t)NSEC_PER_SEC);
	gleakd__pprof__profile__free_unpacked(read, NULL);
}
