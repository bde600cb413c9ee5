// SPDX-License-Identifier: Apache-2.0
#include "observe/stack_table.h"

#include <criterion/criterion.h>
#include <string.h>

static struct stack_table *new_table(size_t max_stacks)
{
	struct stack_table *table;

	cr_assert_eq(stack_table__new(max_stacks, &table), 0);
	return table;
}

/* The n-th of many stacks: its depth and frames follow from n, and no two are equal. */
static size_t make_stack(uint32_t n, uint64_t *pcs)
{
	size_t depth = 1 + n % STACK_MAX_DEPTH;

	for (size_t i = 0; i < depth; i++)
		pcs[i] = 0x401000 + 16 * ((uint64_t)n >> (i % 20)) + i;
	pcs[0] = 0x400000 + n;
	return depth;
}

Test(stack_table, equal_stacks_have_equal_ids)
{
	const uint64_t a[] = {1, 2, 3}, b[] = {1, 2, 3}, c[] = {1, 2, 4};
	struct stack_table *table = new_table(100);
	size_t depth = 9;

	cr_assert_eq(stack_table__intern(table, a, 3), 1);
	cr_assert_eq(stack_table__intern(table, b, 3), 1);
	cr_assert_eq(stack_table__intern(table, c, 3), 2);
	cr_assert_eq(stack_table__intern(table, a, 2), 3, "a part is another stack");
	cr_assert_eq(stack_table__intern(table, c, 2), 3);
	cr_assert_eq(stack_table__count(table), 3);
	cr_assert_arr_eq(stack_table__get(table, 2, &depth), c, sizeof(c));
	cr_assert_eq(depth, 3);
	cr_assert_eq(stack_table__refused(table), 0);
	stack_table__free(table);
}

Test(stack_table, none_and_other)
{
	const uint64_t pc = 1;
	struct stack_table *table = new_table(10);
	size_t depth = 9;

	cr_assert_eq(stack_table__intern(table, NULL, 0), STACK_ID_NONE);
	cr_assert_eq(stack_table__intern(table, &pc, 1), 1);
	for (size_t i = 0; i < 4; i++) {
		const uint32_t ids[] = {STACK_ID_NONE, STACK_ID_OTHER, 2, STACK_ID_OTHER - 1};

		depth = 9;
		cr_assert_null(stack_table__get(table, ids[i], &depth));
		cr_assert_eq(depth, 0);
	}
	stack_table__free(table);
	stack_table__free(NULL);
}

Test(stack_table, zero_frames_are_frames)
{
	const uint64_t zeros[4] = {0};
	struct stack_table *table = new_table(10);

	cr_assert_eq(stack_table__intern(table, zeros, 1), 1);
	cr_assert_eq(stack_table__intern(table, zeros, 2), 2);
	cr_assert_eq(stack_table__intern(table, zeros, 4), 3);
	cr_assert_eq(stack_table__intern(table, zeros, 2), 2);
	stack_table__free(table);
}

Test(stack_table, deep_stacks_are_cut)
{
	uint64_t pcs[STACK_MAX_DEPTH + 50];
	struct stack_table *table = new_table(10);
	size_t depth;

	for (size_t i = 0; i < ARRAY_SIZE(pcs); i++)
		pcs[i] = i;
	cr_assert_eq(stack_table__intern(table, pcs, ARRAY_SIZE(pcs)), 1);
	cr_assert_eq(stack_table__intern(table, pcs, STACK_MAX_DEPTH), 1);
	stack_table__get(table, 1, &depth);
	cr_assert_eq(depth, STACK_MAX_DEPTH);
	stack_table__free(table);
}

Test(stack_table, full_table_knows_what_it_has)
{
	uint64_t pc;
	struct stack_table *table = new_table(3);

	for (pc = 1; pc <= 3; pc++)
		cr_assert_eq(stack_table__intern(table, &pc, 1), pc);
	cr_assert_eq(stack_table__intern(table, &pc, 1), STACK_ID_OTHER);
	cr_assert_eq(stack_table__intern(table, &pc, 1), STACK_ID_OTHER);
	cr_assert_eq(stack_table__refused(table), 2);
	cr_assert_eq(stack_table__count(table), 3);
	pc = 2;
	cr_assert_eq(stack_table__intern(table, &pc, 1), 2);
	stack_table__free(table);

	table = new_table(0);
	cr_assert_eq(stack_table__intern(table, &pc, 1), STACK_ID_OTHER);
	stack_table__free(table);
}

/* Enough to grow every array several times. */
Test(stack_table, many_stacks_stay_put)
{
	const uint32_t n = 50000;
	uint64_t pcs[STACK_MAX_DEPTH];
	struct stack_table *table = new_table(n);
	const uint64_t *early;
	size_t depth;

	cr_assert_eq(stack_table__intern(table, pcs, make_stack(0, pcs)), 1);
	early = stack_table__get(table, 1, &depth);
	for (uint32_t i = 1; i < n; i++)
		cr_assert_eq(stack_table__intern(table, pcs, make_stack(i, pcs)), i + 1);
	cr_assert_eq(stack_table__get(table, 1, &depth), early, "frames never move");
	for (uint32_t i = 0; i < n; i++) {
		size_t expected = make_stack(i, pcs);
		const uint64_t *got = stack_table__get(table, i + 1, &depth);

		cr_assert_eq(stack_table__intern(table, pcs, expected), i + 1);
		cr_assert_eq(depth, expected);
		cr_assert_eq(memcmp(got, pcs, depth * sizeof(*pcs)), 0);
	}
	cr_assert_eq(stack_table__count(table), n);
	cr_assert_eq(stack_table__refused(table), 0);
	stack_table__free(table);
}

Test(stack_table, frozen_it_takes_no_more)
{
	const uint64_t known[] = {1, 2, 3}, other[] = {1, 2, 4};
	struct stack_table *table;
	uint64_t memory;
	uint32_t id;

	cr_assert_eq(stack_table__new(100, &table), 0);
	id = stack_table__intern(table, known, 3);
	memory = stack_table__memory(table);
	cr_expect_gt(memory, 0);
	stack_table__freeze(table, true);
	cr_expect_eq(stack_table__intern(table, known, 3), id);
	cr_expect_eq(stack_table__intern(table, other, 3), STACK_ID_OTHER);
	cr_expect_eq(stack_table__refused(table), 1);
	cr_expect_eq(stack_table__memory(table), memory);
	stack_table__freeze(table, false);
	cr_expect_eq(stack_table__intern(table, other, 3), id + 1);
	stack_table__free(table);
}
