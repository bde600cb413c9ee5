// SPDX-License-Identifier: Apache-2.0
#include "track/bundles.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/hash.h"
#include "track/ticks.h"

#define SECOND ticks__of(NSEC_PER_SEC)

/* @n members of a new site, @every ticks and goids apart, the first at @at; as many goids are others'. */
static int site(struct bundles *bundles, uint64_t n, uint64_t at, uint64_t every)
{
	int slot = bundles__add_site(bundles);

	cr_assert_geq(slot, 0);
	for (uint64_t i = 0; i < n; i++)
		bundles__add_birth(bundles, (size_t)slot, at + i * every, at + i * every);
	return slot;
}

static bool together(struct bundles *bundles, int a, int b)
{
	bundles__find(bundles);
	return bundles__of(bundles, (size_t)a) == bundles__of(bundles, (size_t)b);
}

Test(bundles, created_together)
{
	for (int exact = 0; exact < 2; exact++) {
		struct bundles *bundles = bundles__new(exact);
		int a = site(bundles, 50, 1000, SECOND), b = site(bundles, 50, 1100, SECOND);
		int c = site(bundles, 50, 1000 + SECOND / 2, SECOND);

		cr_expect(together(bundles, a, b));
		cr_expect_not(together(bundles, a, c), "half a gap away");
		bundles__free(bundles);
	}
}

Test(bundles, several_of_one_for_each_of_the_other)
{
	struct bundles *bundles = bundles__new(true);
	int one = site(bundles, 40, 1000, SECOND), three = site(bundles, 40, 1003, SECOND);

	for (uint64_t i = 0; i < 80; i++)
		bundles__add_birth(bundles, (size_t)three, 1, 1005 + i / 2 * SECOND);
	cr_expect(together(bundles, one, three));
	bundles__free(bundles);
}

Test(bundles, not_in_proportion)
{
	struct bundles *bundles = bundles__new(true);
	int one = site(bundles, 40, 1000, SECOND), more = site(bundles, 40, 1000, SECOND);

	/* Half as many more: two of every other. */
	for (uint64_t i = 0; i < 20; i++)
		bundles__add_birth(bundles, (size_t)more, 1, 1005 + 2 * i * SECOND);
	cr_expect_not(together(bundles, one, more));
	bundles__free(bundles);
}

Test(bundles, too_few_or_too_many_apart)
{
	struct bundles *bundles = bundles__new(true);
	int few = site(bundles, 7, 1000, SECOND), as_few = site(bundles, 7, 1000, SECOND);
	int seldom = site(bundles, 20, 1000, 100 * SECOND);
	int late = site(bundles, 20, 1000 + 2 * SECOND, 100 * SECOND);

	cr_expect_not(together(bundles, few, as_few), "seven may be chance");
	cr_expect_not(together(bundles, seldom, late), "two seconds are no handshake");
	bundles__free(bundles);
}

/* Where hardly anything else is created, neighbouring goids are nothing special. */
Test(bundles, goids_of_a_quiet_process_tell_nothing)
{
	struct bundles *bundles = bundles__new(false);
	int a = site(bundles, 50, 1000, 40), b = site(bundles, 50, 1001, 40);

	cr_expect_not(together(bundles, a, b));
	bundles__free(bundles);
}

Test(bundles, the_latest_births_are_kept)
{
	struct bundles *bundles = bundles__new(true);
	int a = site(bundles, 5000, 1000, SECOND), b = site(bundles, 5000, 1001, SECOND);
	int other = site(bundles, 5000, 1000, SECOND / 3);

	cr_expect(together(bundles, a, b));
	cr_expect_not(together(bundles, a, other), "its latest are older than those of the others");
	bundles__free(bundles);
}

Test(bundles, limit)
{
	struct bundles *bundles = bundles__new(true);

	for (int i = 0; i < BUNDLES_MAX_SITES; i++)
		cr_expect_eq(bundles__add_site(bundles), i);
	cr_expect_eq(bundles__add_site(bundles), -ENOSPC);
	cr_expect_eq(bundles__count(bundles), BUNDLES_MAX_SITES);
	bundles__find(bundles);
	cr_expect_eq(bundles__of(bundles, 7), 7, "empty ones are alone");
	bundles__free(bundles);
	bundles__free(NULL);
}
