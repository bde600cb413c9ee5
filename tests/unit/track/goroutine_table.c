// SPDX-License-Identifier: Apache-2.0
#include "track/goroutine_table.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/hash.h"

static struct goroutine_table *table_new(size_t max)
{
	struct goroutine_table *table = NULL;

	cr_assert_eq(goroutine_table__new(max, &table), 0);
	return table;
}

static uint32_t add(struct goroutine_table *table, uint64_t goid)
{
	uint32_t handle = 0;

	cr_assert(goroutine_table__add(table, goid, &handle));
	cr_assert_neq(handle, 0);
	return handle;
}

Test(goroutine_table, fields_keep_their_width)
{
	struct goroutine g = {0};
	const uint64_t max = (1ULL << 40) - 1;

	goroutine__set_last_news(&g, max);
	goroutine__set_parked_since(&g, 1ULL << 39);
	goroutine__set_existed_since(&g, 0x1234567890);
	goroutine__set_site(&g, (1u << 24) - 1);
	cr_expect_eq(goroutine__last_news(&g), max);
	cr_expect_eq(goroutine__parked_since(&g), 1ULL << 39);
	cr_expect_eq(goroutine__existed_since(&g), 0x1234567890);
	cr_expect_eq(goroutine__site(&g), (1u << 24) - 1);
	cr_expect_eq(goroutine__goid(&g), 0);
	cr_expect_eq(g.flags, 0);
	cr_expect_eq(g.epoch, 0);
}

Test(goroutine_table, found_by_goid_and_by_handle)
{
	struct goroutine_table *table = table_new(100);
	uint32_t handle = add(table, 7), other;

	cr_expect(goroutine_table__find(table, 7, &other));
	cr_expect_eq(other, handle);
	cr_expect(goroutine_table__at(table, handle, 7));
	cr_expect_null(goroutine_table__at(table, handle, 8));
	cr_expect_null(goroutine_table__find(table, 8, &other));
	cr_expect_null(goroutine_table__find(table, 0, &other));
	goroutine_table__remove(table, handle);
	cr_expect_null(goroutine_table__find(table, 7, &other));
	cr_expect_null(goroutine_table__at(table, handle, 7));
	cr_expect_eq(goroutine_table__count(table), 0);
	goroutine_table__free(table);
}

Test(goroutine_table, foreign_handles_are_refused)
{
	struct goroutine_table *table = table_new(100);
	const uint32_t wild[] = {0, 2, 4096, 1u << 23, GOROUTINE_MAX_HANDLE, UINT32_MAX};

	cr_assert_eq(add(table, 7), 1);
	for (size_t i = 0; i < ARRAY_SIZE(wild); i++) {
		cr_expect_null(goroutine_table__at(table, wild[i], 7));
		cr_expect_null(goroutine_table__at(table, wild[i], 0));
	}
	goroutine_table__free(table);
}

Test(goroutine_table, limit)
{
	struct goroutine_table *table = table_new(3);
	uint32_t handle;

	for (uint64_t goid = 1; goid <= 3; goid++)
		add(table, goid);
	cr_expect_null(goroutine_table__add(table, 4, &handle));
	cr_assert(goroutine_table__find(table, 2, &handle));
	goroutine_table__remove(table, handle);
	cr_expect(goroutine_table__add(table, 4, &handle));
	goroutine_table__free(table);
}

/* Goids in all the orders that a program produces, and some that it does not. */
static uint64_t goid_of(int pattern, uint64_t i)
{
	switch (pattern) {
	case 0:
		return i + 1;
	case 1:
		return (i + 1) << 4; /* one survivor of each batch */
	case 2:
		return (i + 1) << 40;
	default:
		return hash__mix64(i + 1);
	}
}

Test(goroutine_table, grows_and_shrinks_without_losing_anybody)
{
	const uint64_t n = 50021;

	for (int pattern = 0; pattern < 4; pattern++) {
		struct goroutine_table *table = table_new(1 << 20);
		uint32_t handle;
		size_t full;

		for (uint64_t i = 0; i < n; i++)
			add(table, goid_of(pattern, i));
		full = goroutine_table__memory(table);
		for (uint64_t i = 0; i < n; i++)
			cr_assert(goroutine_table__find(table, goid_of(pattern, i), &handle));
		for (uint64_t i = 0; i < n; i++) {
			if (i % 101 == 0)
				continue;
			cr_assert(goroutine_table__find(table, goid_of(pattern, i), &handle));
			goroutine_table__remove(table, handle);
		}
		goroutine_table__trim(table);
		cr_expect_eq(goroutine_table__count(table), (n + 100) / 101);
		for (uint64_t i = 0; i < n; i++)
			cr_assert_eq(goroutine_table__find(table, goid_of(pattern, i), &handle) !=
					     NULL,
				     i % 101 == 0);
		cr_expect_lt(goroutine_table__memory(table), full);
		goroutine_table__free(table);
	}
}

/* Of hash__mix64(). Its multipliers' inverses modulo 2^64. */
static uint64_t unmix64(uint64_t x)
{
	x ^= x >> 31 ^ x >> 62;
	x *= 0x319642b2d24d8ec3ULL;
	x ^= x >> 27 ^ x >> 54;
	x *= 0x96de1b173f119089ULL;
	return x ^ x >> 30 ^ x >> 60;
}

/*
 * A process chooses its goids. Half a million that an unkeyed hash puts into one line of the index, with
 * one tag: each that is added would go past all before it.
 */
Test(goroutine_table, goids_that_collide_by_choice, .timeout = 30)
{
	struct goroutine_table *table = table_new(1 << 20);
	uint64_t hash = 0, goid;

	cr_assert_eq(hash__mix64(unmix64(12345)), 12345);
	for (int n = 0; n < 500000;) {
		hash += 1 << 23;
		goid = unmix64(hash & ((1ULL << 56) - 1));
		if (!goid || goid >= 1ULL << 61)
			continue;
		add(table, 4 * goid);
		n++;
	}
	goroutine_table__free(table);
}

Test(goroutine_table, at_most_40_bytes_each_once_there_are_many)
{
	struct goroutine_table *table = table_new(1 << 20);
	size_t worst = 0;

	for (uint64_t goid = 1; goid <= 500000; goid++) {
		add(table, goid);
		if (goid >= 50000 && goid % 97 == 0)
			worst = max_of(worst, goroutine_table__memory(table) * 100 / goid);
	}
	/* A chunk that just began counts in full: its untouched pages cost nothing. */
	cr_expect_leq(worst, 4000 + (size_t)28 * 4096 * 100 / 50000, "%zu.%02zu bytes", worst / 100,
		      worst % 100);
	cr_expect_leq(goroutine_table__memory(table), 40 * 500000);
	goroutine_table__free(table);
}

Test(goroutine_table, a_burst_gives_its_memory_back)
{
	struct goroutine_table *table = table_new(1 << 20);
	size_t small = goroutine_table__memory(table);
	uint32_t handle;

	for (uint64_t goid = 1; goid <= 200000; goid++)
		add(table, goid);
	for (uint64_t goid = 1; goid <= 200000; goid++) {
		cr_assert(goroutine_table__find(table, goid, &handle));
		goroutine_table__remove(table, handle);
	}
	goroutine_table__trim(table);
	cr_expect_leq(goroutine_table__memory(table), small + 2 * 28 * 4200);
	goroutine_table__free(table);
}

Test(goroutine_table, walk_sees_each_once_and_bears_removal)
{
	struct goroutine_table *table = table_new(1 << 20);
	uint64_t seen = 0, sum = 0;
	uint32_t handle = 0, spare;
	struct goroutine *g;

	for (uint64_t goid = 1; goid <= 10007; goid++)
		add(table, goid);
	while ((g = goroutine_table__next(table, &handle))) {
		sum += goroutine__goid(g);
		seen++;
		if (goroutine__goid(g) % 2)
			goroutine_table__remove(table, handle);
	}
	cr_expect_eq(seen, 10007);
	cr_expect_eq(sum, 10007ULL * 10008 / 2);
	cr_expect_eq(goroutine_table__count(table), 5003);
	cr_expect_null(goroutine_table__find(table, 3, &spare));
	cr_expect(goroutine_table__find(table, 4, &spare));
	goroutine_table__free(table);
}

Test(goroutine_table, churn_against_a_plain_model)
{
	struct goroutine_table *table = table_new(1 << 20);
	bool *alive = calloc(20000, sizeof(*alive));
	uint64_t random = 1;
	size_t count = 0;
	uint32_t handle;

	cr_assert(alive);
	for (int i = 0; i < 400000; i++) {
		uint64_t goid = 1 + hash__mix64(random += 7919) % 19999;
		struct goroutine *g = goroutine_table__find(table, goid, &handle);

		cr_assert_eq(g != NULL, alive[goid]);
		if (g)
			goroutine_table__remove(table, handle);
		else
			add(table, goid);
		alive[goid] = !g;
		count += g ? -1 : 1;
		cr_assert_eq(goroutine_table__count(table), count);
	}
	free(alive);
	goroutine_table__free(table);
}
