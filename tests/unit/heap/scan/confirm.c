// SPDX-License-Identifier: Apache-2.0
#include "heap/scan/confirm.h"

#include <criterion/criterion.h>

#define SECOND NSEC_PER_SEC

static struct heap_confirm *make(uint32_t scans, uint64_t min_age_ns, size_t max)
{
	const struct heap_confirm_options options = {
		.scans = scans,
		.interval_ns = 2 * SECOND,
		.min_age_ns = min_age_ns,
		.max = max,
	};
	struct heap_confirm *confirm;

	cr_assert_eq(heap_confirm__new(&options, &confirm), 0);
	return confirm;
}

/* One scan at @at seconds that finds goroutine @goid, standing at @fingerprint on @waits; 0: nobody. */
static void scan(struct heap_confirm *confirm, uint64_t at, uint64_t goid, uint64_t fingerprint,
		 uint64_t waits, uint64_t since_ns)
{
	const struct heap_sighting sighting = {goid, fingerprint, waits, since_ns};

	heap_confirm__begin(confirm, at * SECOND);
	cr_assert_eq(heap_confirm__see(confirm, &sighting), 0);
	heap_confirm__end(confirm);
}

static bool is_confirmed(struct heap_confirm *confirm, uint64_t goid, uint64_t at)
{
	return heap_confirm__is_confirmed(confirm, goid, at * SECOND);
}

Test(confirm, takes_three_scans)
{
	struct heap_confirm *confirm = make(0, 0, 0);

	for (uint64_t i = 0; i < 3; i++) {
		cr_assert_not(is_confirmed(confirm, 7, 100));
		cr_assert_eq(heap_confirm__count(confirm, 7), i);
		scan(confirm, 10 + 2 * i, 7, 1, 1, 0);
	}
	cr_assert(is_confirmed(confirm, 7, 100));
	cr_assert_not(is_confirmed(confirm, 8, 100));
	cr_assert_not(is_confirmed(confirm, 0, 100));
	heap_confirm__free(confirm);
}

Test(confirm, scans_in_quick_succession_count_once)
{
	struct heap_confirm *confirm = make(3, 0, 0);

	scan(confirm, 10, 7, 1, 1, 0);
	scan(confirm, 11, 7, 1, 1, 0);
	cr_assert_eq(heap_confirm__count(confirm, 7), 1);
	scan(confirm, 12, 7, 1, 1, 0);
	scan(confirm, 13, 7, 1, 1, 0);
	cr_assert_eq(heap_confirm__count(confirm, 7), 2);
	heap_confirm__free(confirm);
}

Test(confirm, one_that_ran_begins_anew)
{
	struct heap_confirm *confirm = make(3, 0, 0);

	scan(confirm, 10, 7, 1, 1, 0);
	scan(confirm, 20, 7, 1, 1, 0);
	scan(confirm, 30, 7, 2, 1, 0); /* it ran */
	cr_assert_eq(heap_confirm__count(confirm, 7), 1);
	scan(confirm, 40, 7, 2, 1, 0);
	scan(confirm, 50, 7, 2, 9, 0); /* it waits on something else */
	cr_assert_eq(heap_confirm__count(confirm, 7), 1);
	cr_assert_not(is_confirmed(confirm, 7, 100));
	heap_confirm__free(confirm);
}

Test(confirm, one_that_is_reachable_once_is_forgotten)
{
	struct heap_confirm *confirm = make(3, 0, 0);

	scan(confirm, 10, 7, 1, 1, 0);
	scan(confirm, 20, 7, 1, 1, 0);
	scan(confirm, 30, 8, 1, 1, 0); /* a scan without 7 */
	cr_assert_eq(heap_confirm__count(confirm, 7), 0);
	scan(confirm, 40, 7, 1, 1, 0);
	cr_assert_eq(heap_confirm__count(confirm, 7), 1);
	cr_assert_eq(heap_confirm__count(confirm, 8), 0);
	heap_confirm__free(confirm);
}

/* A confirmed one too: what was proven wrong once is not true. */
Test(confirm, confirmed_ones_can_be_taken_back)
{
	struct heap_confirm *confirm = make(2, 0, 0);

	scan(confirm, 10, 7, 1, 1, 0);
	scan(confirm, 20, 7, 1, 1, 0);
	cr_assert(is_confirmed(confirm, 7, 20));
	scan(confirm, 30, 8, 1, 1, 0);
	cr_assert_not(is_confirmed(confirm, 7, 30));
	heap_confirm__free(confirm);
}

Test(confirm, age)
{
	struct heap_confirm *confirm = make(2, 60 * SECOND, 0);

	/* Since when it waits is known for 7; 8 has been seen since 100 only. */
	for (uint64_t at = 100; at < 110; at += 2) {
		heap_confirm__begin(confirm, at * SECOND);
		cr_assert_eq(
			heap_confirm__see(confirm, &(struct heap_sighting){7, 1, 1, 50 * SECOND}),
			0);
		cr_assert_eq(heap_confirm__see(confirm, &(struct heap_sighting){8, 1, 1, 0}), 0);
		heap_confirm__end(confirm);
	}
	cr_assert_not(is_confirmed(confirm, 7, 109));
	cr_assert(is_confirmed(confirm, 7, 110));
	cr_assert_not(is_confirmed(confirm, 8, 159));
	cr_assert(is_confirmed(confirm, 8, 160));
	cr_assert_eq(heap_confirm__waiting(confirm, 115 * SECOND), 1);
	cr_assert_eq(heap_confirm__waiting(confirm, 160 * SECOND), 0);
	heap_confirm__free(confirm);
}

Test(confirm, many_and_the_maximum)
{
	struct heap_confirm *confirm = make(2, 0, 5003);

	for (uint64_t round = 0; round < 2; round++) {
		heap_confirm__begin(confirm, (10 + 5 * round) * SECOND);
		for (uint64_t goid = 1; goid <= 5003; goid++)
			cr_assert_eq(
				heap_confirm__see(confirm, &(struct heap_sighting){goid, 1, 1, 0}),
				0);
		cr_assert_eq(heap_confirm__see(confirm, &(struct heap_sighting){9999, 1, 1, 0}),
			     -12);
		heap_confirm__end(confirm);
	}
	for (uint64_t goid = 1; goid <= 5003; goid++)
		cr_assert(is_confirmed(confirm, goid, 20));
	cr_assert_not(is_confirmed(confirm, 9999, 20));
	heap_confirm__free(confirm);
}
