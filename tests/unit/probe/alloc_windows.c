// SPDX-License-Identifier: Apache-2.0
#include "probe/alloc_windows.h"

#include <criterion/criterion.h>

#define MS NSEC_PER_MSEC

/* A target of @cores that makes @hits per ms while probed; returns the share that hits took. */
static double simulate(struct alloc_windows *windows, double cores, uint64_t hits, uint64_t seconds,
		       uint64_t *ret_windows)
{
	uint64_t cpu_ns = 0, n = 0, total = 0;

	for (uint64_t ms = 1; ms <= seconds * 1000; ms++) {
		bool open;

		cpu_ns += (uint64_t)(cores * MS);
		n += windows->open ? hits : 0;
		total += windows->open ? hits : 0;
		open = alloc_windows__tick(windows, ms * MS, cpu_ns, n);
		*ret_windows += open && !windows->open;
		alloc_windows__set(windows, open);
	}
	return (double)total * windows->ns_per_hit / (double)cpu_ns;
}

Test(alloc_windows, the_budget_is_kept)
{
	struct alloc_windows windows;
	uint64_t n = 0;
	double share;

	alloc_windows__init(&windows, 0.01, 2000);
	share = simulate(&windows, 2, 900, 100, &n);
	cr_expect_float_eq(share, 0.01, 0.001, "%f", share);
	cr_expect_geq(n, 100, "%lu windows", (unsigned long)n);
}

Test(alloc_windows, who_allocates_little_is_seen_all_the_time)
{
	struct alloc_windows windows;
	uint64_t n = 0;

	alloc_windows__init(&windows, 0.01, 2000);
	simulate(&windows, 1, 4, 100, &n); /* 0.8 % */
	cr_expect_eq(n, 1);
	cr_expect(windows.open);
}

Test(alloc_windows, of_nearly_nothing_no_share_is_taken)
{
	struct alloc_windows windows;
	uint64_t n = 0;

	alloc_windows__init(&windows, 0.01, 100000);
	simulate(&windows, 0, 1, 1, &n);
	n = 0;
	/* 0.1 ms of hits per ms and window: a tenth of a core pays for 1 % of that. */
	simulate(&windows, 0, 1, 100, &n);
	cr_expect_gt(n, 5);
	cr_expect_lt(n, 20);
}

Test(alloc_windows, a_debt_is_waited_for)
{
	struct alloc_windows windows;

	alloc_windows__init(&windows, 0.01, 1000);
	cr_expect(alloc_windows__tick(&windows, MS, 0, 0));
	alloc_windows__set(&windows, true);
	/* 100 ms of hits at one time: what ten seconds of a core bring in. */
	cr_expect_not(alloc_windows__tick(&windows, 2 * MS, MS, 100000));
	alloc_windows__set(&windows, false);
	cr_expect_not(alloc_windows__tick(&windows, 9000 * MS, 9000 * MS, 100000));
	cr_expect(alloc_windows__tick(&windows, 10500 * MS, 10500 * MS, 100000));
}

Test(alloc_windows, without_a_limit_it_stays_open)
{
	struct alloc_windows windows;
	uint64_t n = 0;

	alloc_windows__init(&windows, 0, 2000);
	simulate(&windows, 1, 100000, 1, &n);
	cr_expect_eq(n, 1);
	cr_expect(windows.open);
}
