// SPDX-License-Identifier: Apache-2.0
#include "base/index.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/hash.h"

static struct index *new_index(size_t max)
{
	struct index *index;

	cr_assert_eq(index__new(max, &index), 0);
	return index;
}

/* How often a search for @hash comes upon @number. */
static int seen(const struct index *index, uint64_t hash, uint32_t number)
{
	struct index_search search = index__search(index, hash);
	int n = 0;

	while (index__next(&search))
		n += search.number == number;
	return n;
}

Test(index, finds_what_was_added_and_nothing_else)
{
	struct index *index = new_index(INDEX_MAX);

	cr_expect_eq(seen(index, 5, 0), 0);
	for (uint32_t i = 0; i < 10000; i++)
		cr_assert_eq(index__add(index, hash__mix64(i), i), 0);
	for (uint32_t i = 0; i < 10000; i++)
		cr_assert_eq(seen(index, hash__mix64(i), i), 1, "%u", i);
	for (uint32_t i = 10000; i < 20000; i++) {
		struct index_search search = index__search(index, hash__mix64(i));

		cr_assert_not(index__next(&search), "%u", i);
	}
	index__free(index);
}

Test(index, lets_its_owner_tell_apart_what_has_the_same_hash)
{
	struct index *index = new_index(INDEX_MAX);

	for (uint32_t i = 0; i < 1000; i++)
		cr_assert_eq(index__add(index, 42, i), 0);
	for (uint32_t i = 0; i < 1000; i++)
		cr_assert_eq(seen(index, 42, i), 1);
	cr_expect_eq(seen(index, 43, 0), 0);
	index__free(index);
}

Test(index, takes_no_more_than_its_maximum)
{
	struct index *index = new_index(100);

	for (uint32_t i = 0; i < 100; i++)
		cr_assert_eq(index__add(index, hash__mix64(i), i), 0);
	cr_expect_eq(index__add(index, hash__mix64(100), 100), -ENOSPC);
	cr_expect_eq(seen(index, hash__mix64(100), 100), 0);
	index__remove(index, hash__mix64(3), 3);
	cr_expect_eq(index__add(index, hash__mix64(100), 100), 0);
	cr_expect_eq(seen(index, hash__mix64(100), 100), 1);
	index__free(index);
}

Test(index, of_nothing_takes_nothing)
{
	struct index *index = new_index(0);

	cr_expect_eq(index__add(index, 1, 1), -ENOSPC);
	index__remove(index, 1, 1);
	index__free(index);
	index__free(NULL);
}

Test(index, removes_the_one_that_is_named)
{
	struct index *index = new_index(INDEX_MAX);

	cr_assert_eq(index__add(index, 42, 1), 0);
	cr_assert_eq(index__add(index, 42, 2), 0);
	cr_assert_eq(index__add(index, 42, 3), 0);
	index__remove(index, 42, 2);
	index__remove(index, 42, 4);
	index__remove(index, 41, 1);
	cr_expect_eq(seen(index, 42, 1), 1);
	cr_expect_eq(seen(index, 42, 2), 0);
	cr_expect_eq(seen(index, 42, 3), 1);
	index__free(index);
}

Test(index, is_empty_once_it_is_cleared)
{
	struct index *index = new_index(500);

	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 500; i++)
			cr_assert_eq(index__add(index, hash__mix64(i), i), 0);
		index__clear(index);
		for (uint32_t i = 0; i < 500; i++)
			cr_assert_eq(seen(index, hash__mix64(i), i), 0);
	}
	index__free(index);
}

/*
 * Against a plain array, with hashes of few bits: runs of occupied slots are long, wrap around the
 * end of the table, and are torn up everywhere.
 */
Test(index, agrees_with_a_list_after_any_mixture_of_changes)
{
	enum {
		ENTRIES = 300,
		STEPS = 20000,
	};
	struct index *index = new_index(INDEX_MAX);
	bool there[ENTRIES] = {false};
	uint64_t random = 1;

	for (int step = 0; step < STEPS; step++) {
		uint32_t i;

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		i = (uint32_t)(random >> 33) % ENTRIES;
		if (there[i])
			index__remove(index, UINT32_MAX - i % 7 * 3, i);
		else
			cr_assert_eq(index__add(index, UINT32_MAX - i % 7 * 3, i), 0);
		there[i] = !there[i];
		for (uint32_t k = 0; k < ENTRIES && step % 50 == 0; k++)
			cr_assert_eq(seen(index, UINT32_MAX - k % 7 * 3, k), there[k],
				     "%u in step %d", k, step);
	}
	index__free(index);
}
