// SPDX-License-Identifier: Apache-2.0
#include "probe/alloc_windows.h"

#include <criterion/criterion.h>

#define MS NSEC_PER_MSEC

#define HIT_NS 2000.0

/* A target of @cores that makes @hits per ms while probed; returns the share that hits took. */
static double simulate(struct alloc_windows *windows, double cores, double hits, uint64_t seconds,
		       uint64_t *ret_windows)
{
	uint64_t cpu_ns = 0;
	double spent_ns = 0;

	for (uint64_t ms = 1; ms <= seconds * 1000; ms++) {
		bool open;

		cpu_ns += (uint64_t)(cores * MS);
		spent_ns += windows->open ? hits * HIT_NS : 0;
		open = alloc_windows__tick(windows, ms * MS, cpu_ns, spent_ns);
		*ret_windows += open && !windows->open;
		if (open != windows->open)
			alloc_windows__set(windows, open, ms * MS);
	}
	return spent_ns / (double)cpu_ns;
}

Test(alloc_windows, the_budget_is_kept)
{
	struct alloc_windows windows;
	uint64_t n = 0;
	double share;

	alloc_windows__init(&windows, 0.01, 10 * MS, 1);
	share = simulate(&windows, 2, 900, 100, &n);
	cr_expect_float_eq(share, 0.01, 0.001, "%f", share);
	cr_expect_geq(n, 100, "%lu windows", (unsigned long)n);
}

Test(alloc_windows, who_allocates_little_is_seen_all_the_time)
{
	struct alloc_windows windows;
	uint64_t n = 0;

	alloc_windows__init(&windows, 0.01, 10 * MS, 1);
	simulate(&windows, 1, 4, 100, &n); /* 0.8 % */
	cr_expect_eq(n, 1);
	cr_expect(windows.open);
}

Test(alloc_windows, what_is_dear_and_can_be_paid_is_seen_all_the_time)
{
	struct alloc_windows windows;
	uint64_t n = 0, before;

	alloc_windows__init(&windows, 0.9, 10 * MS, 1);
	simulate(&windows, 1, 1000, 2, &n); /* twice as much as there is */
	cr_expect_gt(n, 2, "it was used up");
	simulate(&windows, 1, 400, 2, &n); /* 80 % */
	before = n;
	simulate(&windows, 1, 400, 10, &n);
	cr_expect_leq(n - before, 1, "%lu windows", (unsigned long)(n - before));
	cr_expect(windows.open);
}

Test(alloc_windows, of_nearly_nothing_no_share_is_taken)
{
	struct alloc_windows windows;
	uint64_t n = 0;

	alloc_windows__init(&windows, 0.01, 10 * MS, 1);
	simulate(&windows, 0, 50, 1, &n);
	n = 0;
	/* 0.1 ms of hits per ms and window: a tenth of a core pays for 1 % of that. */
	simulate(&windows, 0, 50, 100, &n);
	cr_expect_gt(n, 5);
	cr_expect_lt(n, 20);
}

Test(alloc_windows, a_debt_is_waited_for)
{
	struct alloc_windows windows;

	alloc_windows__init(&windows, 0.01, 10 * MS, 1);
	cr_expect(alloc_windows__tick(&windows, MS, 0, 0));
	alloc_windows__set(&windows, true, MS);
	/* 100 ms of hits at one time: what ten seconds of a core bring in. */
	cr_expect_not(alloc_windows__tick(&windows, 2 * MS, MS, 100 * MS));
	alloc_windows__set(&windows, false, 2 * MS);
	cr_expect_not(alloc_windows__tick(&windows, 9000 * MS, 9000 * MS, 100 * MS));
	alloc_windows__tick(&windows, 10500 * MS, 10500 * MS, 100 * MS);
	cr_expect(alloc_windows__tick(&windows, 10600 * MS, 10600 * MS, 100 * MS));
}

/* Runs for 10 ms, waits for 40: windows are to have as much of the one as there is. */
Test(alloc_windows, they_are_a_fair_sample_of_time)
{
	struct alloc_windows windows;
	uint64_t cpu_ns = 0, open_ms = 0, running_ms = 0, n = 0;
	double spent_ns = 0;

	alloc_windows__init(&windows, 0.05, 10 * MS, 1);
	for (uint64_t ms = 1; ms <= 1000000; ms++) {
		bool runs = ms % 50 < 10, open;

		cpu_ns += runs ? MS : 0;
		open_ms += windows.open;
		running_ms += windows.open && runs;
		spent_ns += windows.open && runs ? 0.9 * MS : 0;
		open = alloc_windows__tick(&windows, ms * MS, cpu_ns, spent_ns);
		n += open && !windows.open;
		if (open != windows.open)
			alloc_windows__set(&windows, open, ms * MS);
	}
	cr_expect_gt(n, 400, "%lu windows", (unsigned long)n);
	cr_expect_float_eq((double)running_ms / (double)open_ms, 0.2, 0.03, "%lu of %lu ms",
			   (unsigned long)running_ms, (unsigned long)open_ms);
}

struct seen {
	uint64_t first_ms, second_ms, n;
};

/* Once a second it does one thing for 50 ms, and then another. */
static void see_both(uint64_t price_ns, uint64_t random, struct seen *seen)
{
	struct alloc_windows windows;
	uint64_t cpu_ns = 0;
	double spent_ns = 0;

	alloc_windows__init(&windows, 0.05, price_ns, random);
	for (uint64_t ms = 1; ms <= 500000; ms++) {
		uint64_t at = ms % 1009;
		bool runs = at < 100, open;

		cpu_ns += runs ? MS : 0;
		seen->first_ms += windows.open && at < 50;
		seen->second_ms += windows.open && at >= 50 && runs;
		spent_ns += windows.open && runs ? 0.9 * MS : 0;
		open = alloc_windows__tick(&windows, ms * MS, cpu_ns, spent_ns);
		seen->n += open && !windows.open;
		if (open != windows.open)
			alloc_windows__set(&windows, open, ms * MS);
	}
}

/* What windows see of each is to be as much, though each could use one up: within a fifth, whatever is drawn. */
static void check_what_comes_first(uint64_t price_ns)
{
	struct seen seen = {0};

	for (uint64_t i = 1; i <= 16; i++)
		see_both(price_ns, i * 7919, &seen);
	cr_expect_gt(seen.n, 8000, "%lu windows", (unsigned long)seen.n);
	cr_expect_float_eq((double)seen.first_ms / (double)seen.second_ms, 1, 0.2, "%lu and %lu ms",
			   (unsigned long)seen.first_ms, (unsigned long)seen.second_ms);
}

Test(alloc_windows, what_comes_first_is_not_all_that_is_seen)
{
	check_what_comes_first(10 * MS);
	check_what_comes_first(2 * MS);
}

Test(alloc_windows, to_attach_takes_time)
{
	struct alloc_windows windows;

	alloc_windows__init(&windows, 0.01, 10 * MS, 1);
	cr_expect(alloc_windows__tick(&windows, MS, 0, 0));
	alloc_windows__set(&windows, true, 100 * MS);
	cr_expect(alloc_windows__tick(&windows, 101 * MS, MS, MS));
	cr_expect(alloc_windows__tick(&windows, 109 * MS, 9 * MS, 8 * MS));
	cr_expect_not(alloc_windows__tick(&windows, 110 * MS, 10 * MS, 9 * MS));
}

Test(alloc_windows, a_larger_budget_has_longer_ones)
{
	cr_expect_eq(alloc_windows__price(0.008), 2 * MS);
	cr_expect_eq(alloc_windows__price(0.125), 4 * MS);
	cr_expect_eq(alloc_windows__price(4), 10 * MS);
}

Test(alloc_windows, what_share_it_is)
{
	cr_expect_float_eq(alloc_windows__share(NSEC_PER_SEC, NSEC_PER_SEC / 2, 10 * MS), 0.02,
			   1e-9);
	/* Of a tenth of a core at least. */
	cr_expect_float_eq(alloc_windows__share(NSEC_PER_SEC, 0, 10 * MS), 0.1, 1e-9);
	cr_expect_eq(alloc_windows__share(0, 0, 0), 0);
}

Test(alloc_windows, without_a_limit_it_stays_open)
{
	struct alloc_windows windows;
	uint64_t n = 0;

	alloc_windows__init(&windows, 0, 10 * MS, 1);
	simulate(&windows, 1, 100000, 1, &n);
	cr_expect_eq(n, 1);
	cr_expect(windows.open);
}
