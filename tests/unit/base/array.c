// SPDX-License-Identifier: Apache-2.0
#include "base/array.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(array, grows_by_doubling_and_keeps_what_is_in_it)
{
	size_t capacity = 0;
	uint32_t *items = NULL;

	for (uint32_t i = 0; i < 1000; i++) {
		size_t before = capacity;

		cr_assert(array__reserve(items, capacity, (size_t)i + 1));
		cr_assert(capacity > i);
		cr_assert(capacity == before || capacity == before * 2 || !before);
		items[i] = i;
	}
	for (uint32_t i = 0; i < 1000; i++)
		cr_assert_eq(items[i], i);
	free(items);
}

Test(array, makes_room_for_many_at_once)
{
	size_t capacity = 0;
	uint64_t *items = NULL;

	cr_assert(array__reserve(items, capacity, (size_t)1000));
	cr_expect_eq(capacity, 1024);
	free(items);
}

Test(array, changes_nothing_where_it_fails)
{
	size_t capacity = 1;
	uint64_t *items = malloc(sizeof(*items)), *before = items;

	items[0] = 7;
	cr_expect_not(array__reserve(items, capacity, SIZE_MAX));
	cr_expect_not(array__reserve(items, capacity, SIZE_MAX / 16));
	cr_expect_eq(items, before);
	cr_expect_eq(capacity, 1);
	cr_expect_eq(items[0], 7);
	free(items);
}
