// SPDX-License-Identifier: Apache-2.0
#include "track/pools.h"

#include <criterion/criterion.h>

#define POOL 0x5a1000

static struct pool_uses *uses;

static void setup(void)
{
	cr_assert_eq(pool_uses__new(&uses), 0);
}

static void teardown(void)
{
	pool_uses__free(uses);
}

static void used(uint64_t pool, uint32_t opener, size_t gets, size_t puts)
{
	for (size_t i = 0; i < gets; i++)
		cr_assert_eq(pool_uses__note(uses, pool, opener, false), 0);
	for (size_t i = 0; i < puts; i++)
		cr_assert_eq(pool_uses__note(uses, pool, opener, true), 0);
}

static struct resource_place described(uint64_t pool)
{
	struct resource_place place = {.kind = RESOURCE_POOL};

	pool_uses__describe(uses, pool, &place);
	return place;
}

TestSuite(pools, .init = setup, .fini = teardown);

Test(pools, what_is_not_put_back_is_lost)
{
	used(POOL, 3, 700, 7);
	used(POOL, 5, 100, 90);
	used(POOL + 64, 3, 11, 13);
	const struct resource_place place = described(POOL);

	cr_expect_eq(place.verdict, RESOURCE_REUSE_LOST);
	cr_expect_eq(place.opened, 800);
	cr_expect_eq(place.closed, 97);
	cr_assert_eq(place.n_openers, 2);
	cr_expect_eq(place.openers[0].number, 3);
	cr_expect_eq(place.openers[0].verdict, RESOURCE_REUSE_LOST);
	cr_expect_eq(place.openers[1].number, 5);
	cr_expect_eq(place.openers[1].verdict, RESOURCE_STEADY);
	cr_expect_eq(pool_uses__count(uses), 921);
}

Test(pools, below_the_limit_it_is_reuse)
{
	used(POOL, 3, 1000, 400);
	cr_expect_eq(described(POOL).verdict, RESOURCE_STEADY);
	used(POOL, 3, 1, 0);
	cr_expect_eq(described(POOL).verdict, RESOURCE_REUSE_LOST);
}

Test(pools, too_few_uses_say_nothing)
{
	used(POOL, 3, POOL_MIN_GETS - 1, 0);
	cr_expect_eq(described(POOL).verdict, RESOURCE_NOT_JUDGED);
	used(POOL, 0, 1, 0);
	cr_expect_eq(described(POOL).verdict, RESOURCE_REUSE_LOST);
}

Test(pools, the_last_line_is_for_all_others)
{
	for (uint32_t i = 1; i <= 3 * RESOURCE_OPENERS; i++)
		used(POOL, i, 100 - i, i);
	const struct resource_place place = described(POOL);
	uint64_t gets = 0;

	cr_assert_eq(place.n_openers, RESOURCE_OPENERS);
	cr_expect_eq(place.openers[0].number, 1);
	cr_expect_eq(place.openers[RESOURCE_OPENERS - 1].number, 0);
	for (size_t i = 0; i < place.n_openers; i++)
		gets += place.openers[i].opened;
	cr_expect_eq(gets, place.opened);
}

Test(pools, all_pools_are_found)
{
	used(POOL + 64, 3, 1, 1);
	used(POOL, 4, 1, 1);
	used(POOL, 3, 1, 1);
	cr_expect_eq(pool_uses__next(uses, 0), POOL);
	cr_expect_eq(pool_uses__next(uses, POOL), POOL + 64);
	cr_expect_eq(pool_uses__next(uses, POOL + 64), 0);
}

Test(pools, what_is_too_much_is_counted)
{
	for (uint64_t i = 0; i < POOL_USES_MAX + 5; i++)
		used(POOL + 64 * i, 1, 1, 0);
	cr_expect_eq(pool_uses__refused(uses), 5);
	used(POOL, 1, 1, 0);
	cr_expect_eq(described(POOL).opened, 2);
}

Test(pools, nobody_watched)
{
	struct resource_place place = {.kind = RESOURCE_POOL, .outstanding = 7};

	pool_uses__describe(NULL, POOL, &place);
	cr_expect_eq(place.opened, 0);
	cr_expect_eq(place.verdict, RESOURCE_NOT_JUDGED);
}
