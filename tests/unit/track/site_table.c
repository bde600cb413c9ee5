// SPDX-License-Identifier: Apache-2.0
#include "track/site_table.h"

#include <criterion/criterion.h>

static struct site_table *table_new(size_t max)
{
	struct site_table *table = NULL;

	cr_assert_eq(site_table__new(max, &table), 0);
	return table;
}

static uint32_t intern(struct site_table *table, uint64_t pc, bool *ret_new)
{
	const struct site_key key = {.creation_pc = pc, .start_pc = pc * 3, .place = 5};

	return site_table__intern(table, &key, ret_new);
}

Test(site_table, every_part_of_the_key_counts)
{
	struct site_table *table = table_new(100);
	const struct site_key keys[] = {
		{0},	      {.creation_pc = 1}, {.start_pc = 1},
		{.place = 1}, {.call_pc = 1},	  {.wait_reason = 1},
	};
	bool is_new;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		cr_expect_eq(site_table__intern(table, &keys[i], &is_new), i + 1);
		cr_expect(is_new);
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		cr_expect_eq(site_table__intern(table, &keys[i], &is_new), i + 1);
		cr_expect_not(is_new);
	}
	site_table__free(table);
}

Test(site_table, full_table_recycles_the_empty_and_keeps_the_sums)
{
	struct site_table *table = table_new(8);
	uint64_t created = 0;
	bool is_new;

	for (uint64_t pc = 1; pc <= 1000; pc++) {
		struct site *site = site_table__at(table, intern(table, pc, &is_new));

		site->created += 3;
		if (pc <= 5)
			site->goroutines = 1;
	}
	for (uint32_t i = 0; i < site_table__end(table); i++)
		created += site_table__at(table, i)->created;
	cr_expect_eq(created, 3000);
	cr_expect_eq(site_table__count(table), 8);
	for (uint64_t pc = 1; pc <= 5; pc++) {
		uint32_t index = intern(table, pc, &is_new);

		cr_expect_not(is_new);
		cr_expect_neq(index, SITE_OTHER);
		cr_expect_eq(site_table__at(table, index)->key.creation_pc, pc);
	}
	site_table__free(table);
}

Test(site_table, other_takes_in_whom_nobody_makes_room_for)
{
	struct site_table *table = table_new(4);
	bool is_new;

	for (uint64_t pc = 1; pc <= 3; pc++)
		site_table__at(table, intern(table, pc, &is_new))->goroutines = 1;
	cr_expect_eq(intern(table, 4, &is_new), SITE_OTHER);
	cr_expect_not(is_new);
	site_table__at(table, intern(table, 2, &is_new))->goroutines = 0;
	cr_expect_neq(intern(table, 4, &is_new), SITE_OTHER);
	cr_expect(is_new);
	site_table__free(table);
}

Test(site_table, history_begins_with_members_and_ends_without)
{
	struct site_table *table = table_new(100);
	bool is_new;
	struct site *site = site_table__at(table, intern(table, 1, &is_new));

	site_table__sample(table, 1);
	cr_expect_null(site->history);
	site->goroutines = 7;
	site->arrivals = 7;
	site_table__sample(table, 2);
	cr_assert(site->history);
	cr_expect_eq(site->history->samples[0].arrivals, 7);
	cr_expect_eq(site->arrivals, 0);
	site->goroutines = 0;
	for (uint64_t t = 3; t < 100; t++)
		site_table__sample(table, t);
	cr_expect_null(site->history);
	site_table__free(table);
}

Test(site_table, frozen_only_the_empty_make_room)
{
	struct site_table *table = table_new(1000);
	bool is_new;
	uint32_t full = intern(table, 1, &is_new), empty = intern(table, 2, &is_new);
	size_t memory = site_table__memory(table);

	site_table__at(table, full)->goroutines = 1;
	site_table__freeze(table, true);
	for (uint64_t pc = 3; pc < 1000; pc++)
		cr_expect_eq(intern(table, pc, &is_new), empty);
	cr_expect_eq(intern(table, 1, &is_new), full);
	cr_expect_eq(site_table__memory(table), memory);
	site_table__freeze(table, false);
	cr_expect_eq(intern(table, 1000, &is_new), empty + 1);
	site_table__free(table);
}
