// SPDX-License-Identifier: Apache-2.0
#include "discover/process_table.h"

#include <criterion/criterion.h>

#include "base/hash.h"

static struct process_table *make(size_t max)
{
	struct process_table *table;

	cr_assert_eq(process_table__new(max, &table), 0);
	return table;
}

Test(process_table, finds_what_was_added)
{
	struct process_table *table = make(5000);

	for (int pid = 1; pid <= 5000; pid++)
		cr_assert_not_null(process_table__add(table, pid));
	cr_expect_null(process_table__add(table, 5001), "it is full");
	cr_expect_null(process_table__find(table, 5001));
	for (int pid = 1; pid <= 5000; pid += 2)
		process_table__remove(table, process_table__find(table, pid));
	for (int pid = 1; pid <= 5000; pid++)
		cr_assert_eq(process_table__find(table, pid) != NULL, pid % 2 == 0);
	cr_expect_eq(process_table__count(table, PROCESS_CANDIDATE), 2500);
	process_table__set_state(table, process_table__find(table, 2), PROCESS_ATTACHED);
	cr_expect_eq(process_table__count(table, PROCESS_CANDIDATE), 2499);
	cr_expect_eq(process_table__count(table, PROCESS_ATTACHED), 1);
	process_table__remove(table, process_table__find(table, 2));
	cr_expect_eq(process_table__count(table, PROCESS_ATTACHED), 0);
	process_table__free(table);
	process_table__free(NULL);
}

/* In any order, moved and taken out again: what comes out comes out by time. */
Test(process_table, schedule_is_in_the_order_of_time)
{
	struct process_table *table = make(1000);
	uint64_t random = 1, last = 0;
	int n = 0;

	for (int pid = 1; pid <= 1000; pid++)
		process_table__schedule(table, process_table__add(table, pid),
					(random = hash__mix64(random + 77)) % 500);
	for (int pid = 3; pid <= 1000; pid += 3)
		process_table__schedule(table, process_table__find(table, pid),
					(random = hash__mix64(random + 77)) % 500);
	for (int pid = 5; pid <= 1000; pid += 5)
		process_table__unschedule(table, process_table__find(table, pid));
	for (int pid = 7; pid <= 1000; pid += 7)
		process_table__remove(table, process_table__find(table, pid));
	for (struct process_entry *next; (next = process_table__next(table)); n++) {
		cr_assert_geq(next->due_ns, last);
		cr_assert(next->id.pid % 5 && next->id.pid % 7);
		last = next->due_ns;
		process_table__unschedule(table, next);
		cr_assert_eq(next->heap_index, PROCESS_TABLE_IDLE);
	}
	cr_expect_eq(n, 1000 - 200 - 142 + 28);
	process_table__free(table);
}

static void remove_odd(void *ctx, struct process_entry *entry)
{
	if (entry->id.pid % 2)
		process_table__remove(ctx, entry);
}

Test(process_table, removing_while_looking_at_all)
{
	struct process_table *table = make(100);

	for (int pid = 1; pid <= 100; pid++)
		process_table__schedule(table, process_table__add(table, pid), 5);
	process_table__each(table, remove_odd, table);
	for (int pid = 1; pid <= 100; pid++)
		cr_assert_eq(process_table__find(table, pid) != NULL, pid % 2 == 0);
	cr_expect_not_null(process_table__next(table));
	process_table__free(table);
}
