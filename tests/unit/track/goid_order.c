// SPDX-License-Identifier: Apache-2.0
/* What the order of goids tells of lives, and how many of some kind lie between two of them. */
#include "track/goid_order.h"

#include <criterion/criterion.h>

static struct goroutine_table *table_of(uint64_t n, uint64_t stride)
{
	struct goroutine_table *table = NULL;
	uint32_t handle;

	cr_assert_eq(goroutine_table__new(n + 1, &table), 0);
	for (uint64_t i = 1; i <= n; i++)
		cr_assert(goroutine_table__add(table, i * stride, &handle));
	return table;
}

static struct goid_order *order_of(const struct goroutine_table *table)
{
	struct goid_order *order = goid_order__new(table);

	cr_assert(order);
	return order;
}

Test(goid_order, a_goroutine_is_as_old_as_the_longest_wait_of_a_later_one)
{
	struct goroutine_table *table = table_of(5, 10);
	struct goid_order *order = order_of(table);

	goid_order__note(order, 20, 700);
	goid_order__note(order, 30, 300);
	goid_order__note(order, 40, 500);
	goid_order__close(order);
	cr_expect_eq(goid_order__existed_at(order, 10), 300);
	cr_expect_eq(goid_order__existed_at(order, 20), 300);
	cr_expect_eq(goid_order__existed_at(order, 30), 500, "its own wait is no news");
	cr_expect_eq(goid_order__existed_at(order, 40), UINT64_MAX);
	cr_expect_eq(goid_order__existed_at(order, 50), UINT64_MAX);
	cr_expect_eq(goid_order__existed_at(order, 7), 300, "older than all");
	cr_expect_eq(goid_order__existed_at(order, 77), UINT64_MAX, "younger than all");
	goid_order__free(order);
	goroutine_table__free(table);
}

Test(goid_order, counts_between_two_goids)
{
	struct goroutine_table *table = table_of(9, 7);
	struct goid_order *order = order_of(table);

	goid_order__count(order, 14);
	goid_order__count(order, 28);
	goid_order__count(order, 35);
	goid_order__close(order);
	cr_expect_eq(goid_order__counted(order, 7, 63), 3);
	cr_expect_eq(goid_order__counted(order, 14, 28), 2);
	cr_expect_eq(goid_order__counted(order, 21, 21), 0);
	cr_expect_eq(goid_order__counted(order, 42, 63), 0);
	goid_order__free(order);
	goroutine_table__free(table);
}

/* More goroutines than steps: what is told of one may be less than the truth, never more. */
Test(goid_order, many_share_a_step)
{
	const uint64_t n = 100000;
	struct goroutine_table *table = table_of(n, 3);
	struct goid_order *order = order_of(table);
	uint64_t counted, wrong = 0;

	for (uint64_t i = 1; i <= n; i++) {
		goid_order__note(order, i * 3, i);
		if (i % 2)
			goid_order__count(order, i * 3);
	}
	goid_order__close(order);
	for (uint64_t i = 1; i <= n; i++) {
		uint64_t born_by = goid_order__existed_at(order, i * 3);

		wrong += born_by <= i || (born_by > i + 2 * n / GOID_ORDER_STEPS + 2 && i < n - 60);
	}
	cr_expect_eq(wrong, 0, "%lu wrong", wrong);
	counted = goid_order__counted(order, 3 * n / 4, 3 * n / 2);
	cr_expect(counted > n / 8 - 60 && counted < n / 8 + 60, "%lu", counted);
	goid_order__free(order);
	goroutine_table__free(table);
}

Test(goid_order, nobody)
{
	struct goroutine_table *table = table_of(0, 1);
	struct goid_order *order = order_of(table);

	goid_order__close(order);
	cr_expect_eq(goid_order__existed_at(order, 17), UINT64_MAX);
	cr_expect_eq(goid_order__counted(order, 1, 1000), 0);
	goid_order__free(order);
	goroutine_table__free(table);
}
