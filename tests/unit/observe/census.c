// SPDX-License-Identifier: Apache-2.0
/* What a census reports of each goroutine, and when it says "unchanged" instead. */
#include <criterion/criterion.h>
#include <errno.h>

#include "census_log.h"

TestSuite(census);

/* Every test runs on the oldest and the newest family of layouts. */
#define BOTH(name)                   \
	static void name(int minor); \
	Test(census, name##_go1_19)  \
	{                            \
		name(19);            \
	}                            \
	Test(census, name##_go1_26)  \
	{                            \
		name(26);            \
	}                            \
	static void name(int minor)

#define CALLER (FAKE_MAIN + 0x500)

BOTH(reports_a_parked_goroutine_in_full)
{
	struct fixture *f = fixture_new(minor, 4, NULL);
	size_t i = fake_add_parked(f->fake, 42, CALLER);
	const struct census_goroutine *g;
	const uint64_t *pcs;
	size_t depth;

	fake_set64(f->fake, i, f->fake->layout.g_waitsince, 777);
	cr_assert_eq(fixture_run(f, 0), 0);
	g = fixture_seen(f, 42);
	cr_assert_not_null(g);
	cr_assert_eq(g->parent_goid, minor >= 26 ? 1u : 0u);
	cr_assert_eq(g->creation_pc, FAKE_MAIN + 0x80);
	cr_assert_eq(g->start_pc, FAKE_MAIN + 0x1000);
	cr_assert_eq(g->waitsince_ns, 777u);
	cr_assert_eq(g->status, GO_STATUS_WAITING);
	cr_assert_eq(g->wait_reason, 14);
	cr_assert(!g->on_system_stack && !g->in_syscall);
	cr_assert_geq(g->read_at_ns, fixture_result(f)->started_ns);
	cr_assert_leq(g->read_at_ns, fixture_result(f)->finished_ns);

	pcs = stack_table__get(f->table, g->stack_id, &depth);
	cr_assert_eq(depth, 3u);
	cr_assert_eq(pcs[0], FAKE_GOPARK);
	cr_assert_eq(pcs[1], CALLER);
	cr_assert_eq(pcs[2], FAKE_MAIN + 0x1010);

	g = fixture_seen(f, 1);
	cr_assert_not_null(g);
	cr_assert_eq(g->creation_pc, 0u);
	cr_assert_eq(fixture_result(f)->alive, 2u);
	cr_assert_eq(fixture_result(f)->slots, 2u);
	cr_assert_eq(fixture_result(f)->stacks_read, 2u);
	cr_assert_eq(fixture_result(f)->stacks_partial, 0u);
	fixture_free(f);
}

BOTH(times_are_those_of_the_host)
{
	const struct census_options moved = {.stacks = true, .clock_offset = 500};
	struct fixture *f = fixture_new(minor, 4, &moved);
	size_t i = fake_add_parked(f->fake, 42, CALLER);
	size_t unknown = fake_add_parked(f->fake, 43, CALLER);

	fake_set64(f->fake, i, f->fake->layout.g_waitsince, 777);
	fake_set64(f->fake, unknown, f->fake->layout.g_waitsince, 0);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_expect_eq(fixture_seen(f, 42)->waitsince_ns, 277u);
	cr_expect_eq(fixture_seen(f, 43)->waitsince_ns, 0u);
	fixture_free(f);
}

struct expectation {
	uint32_t status;
	bool alive, stack, syscall;
};

BOTH(classifies_every_status)
{
	const struct expectation expected[] = {
		{GO_STATUS_IDLE, false, false, false},
		{GO_STATUS_RUNNABLE, true, false, false},
		{GO_STATUS_RUNNING, true, false, false},
		{GO_STATUS_WAITING, true, true, false},
		{GO_STATUS_DEAD, false, false, false},
		{GO_STATUS_COPYSTACK, true, false, false},
		{GO_STATUS_PREEMPTED, true, false, false},
		{GO_STATUS_LEAKED, true, true, false},
		{GO_STATUS_DEAD_EXTRA, false, false, false},
		{5, false, false, false},
		{7, false, false, false},
		{12, false, false, false},
		{GO_STATUS_WAITING | 0x10000, false, false, false},
	};

	for (uint32_t scan = 0; scan <= GO_STATUS_SCAN_BIT; scan += GO_STATUS_SCAN_BIT) {
		struct fixture *f = fixture_new(minor, 32, NULL);
		size_t alive = 1;

		for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
			size_t index = fake_add_parked(f->fake, 100 + i, CALLER);

			fake_set_status(f->fake, index, expected[i].status | scan);
			alive += expected[i].alive;
		}
		cr_assert_eq(fixture_run(f, 0), 0);
		for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
			const struct census_goroutine *g = fixture_seen(f, 100 + i);

			cr_assert_eq(g != NULL, expected[i].alive, "status %u", expected[i].status);
			if (!g)
				continue;
			cr_assert_eq(g->status, expected[i].status);
			cr_assert_eq(g->stack_id != STACK_ID_NONE, expected[i].stack);
			cr_assert_eq(g->in_syscall, expected[i].syscall);
		}
		cr_assert_eq(fixture_result(f)->alive, alive);
		cr_assert_eq(fixture_result(f)->unreadable, 4u, "four are no status of Go");
		fixture_free(f);
	}
}

BOTH(unchanged_goroutines_are_not_read_again)
{
	struct fixture *f = fixture_new(minor, 64, NULL);

	for (uint64_t goid = 2; goid < 60; goid++)
		fake_add_parked(f->fake, goid, CALLER);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(f->log->n_seen, 59u);
	cr_assert_eq(f->log->n_unchanged, 0u);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(f->log->n_seen, 0u);
	cr_assert_eq(f->log->n_unchanged, 59u);
	cr_assert_eq(fixture_result(f)->alive, 59u);
	cr_assert_eq(fixture_result(f)->changed, 0u);
	cr_assert_eq(fixture_result(f)->stacks_read, 0u);
	fixture_free(f);
}

BOTH(each_part_of_the_fingerprint_counts)
{
	struct fixture *f = fixture_new(minor, 16, NULL);
	struct go_layout *layout = &f->fake->layout;

	for (uint64_t goid = 2; goid < 10; goid++)
		fake_add_parked(f->fake, goid, CALLER);
	cr_assert_eq(fixture_run(f, 0), 0);
	fake_ran(f->fake, 1);
	fake_set_reason(f->fake, 2, 9);
	fake_set64(f->fake, 3, layout->g_sched_pc, FAKE_TEXT + 0x77 + f->fake->bias);
	fake_set_status(f->fake, 4, GO_STATUS_RUNNING);
	fake_set64(f->fake, 5, layout->g_goid, 1000);
	/* Not a run: the GC scans it, moves its stack, notes when it saw it, calls it leaked. */
	fake_set_status(f->fake, 6, GO_STATUS_WAITING | GO_STATUS_SCAN_BIT);
	fake_set64(f->fake, 6, layout->g_sched_sp, 0x1000);
	fake_set64(f->fake, 7, layout->g_waitsince, 12345);
	fake_set_status(f->fake, 8, GO_STATUS_LEAKED);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(f->log->n_seen, 5u);
	cr_assert_not_null(fixture_seen(f, 2));
	cr_assert_not_null(fixture_seen(f, 3));
	cr_assert_not_null(fixture_seen(f, 4));
	cr_assert_not_null(fixture_seen(f, 5));
	cr_assert_not_null(fixture_seen(f, 1000));
	cr_assert(fixture_unchanged(f, 1) && fixture_unchanged(f, 7) && fixture_unchanged(f, 8) &&
		  fixture_unchanged(f, 9));
	fixture_free(f);
}

BOTH(a_slot_reused_after_a_death_starts_afresh)
{
	struct fixture *f = fixture_new(minor, 8, NULL);
	size_t i = fake_add_parked(f->fake, 20, CALLER);

	cr_assert_eq(fixture_run(f, 0), 0);
	fake_set_status(f->fake, i, GO_STATUS_DEAD);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_null(fixture_seen(f, 20));
	cr_assert(!fixture_unchanged(f, 20));
	cr_assert_eq(fixture_result(f)->alive, 1u);
	/* Everything as it was, but the slot was empty in between: not "unchanged". */
	fake_set_status(f->fake, i, GO_STATUS_WAITING);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_not_null(fixture_seen(f, 20));
	fixture_free(f);
}

BOTH(a_handle_that_is_refused_means_a_full_report)
{
	struct fixture *f = fixture_new(minor, 8, NULL);

	fake_add_parked(f->fake, 20, CALLER);
	fake_add_parked(f->fake, 21, CALLER);
	f->log->refuse_handle_of = 20;
	cr_assert_eq(fixture_run(f, 0), 0);
	f->log->deny_goid = 21;
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_not_null(fixture_seen(f, 20));
	cr_assert_not_null(fixture_seen(f, 21));
	cr_assert_neq(fixture_seen(f, 21)->stack_id, STACK_ID_NONE);
	cr_assert(fixture_unchanged(f, 1));
	fixture_free(f);
}

BOTH(waiting_with_a_thread_is_not_parked_and_not_kept)
{
	struct fixture *f = fixture_new(minor, 8, NULL);
	size_t i = fake_add_parked(f->fake, 20, CALLER);

	fake_set64(f->fake, i, f->fake->layout.g_m, 0xc000004000);
	for (int round = 0; round < 2; round++) {
		cr_assert_eq(fixture_run(f, 0), 0);
		cr_assert_not_null(fixture_seen(f, 20), "round %d", round);
		cr_assert(fixture_seen(f, 20)->on_system_stack);
		cr_assert_eq(fixture_seen(f, 20)->stack_id, STACK_ID_NONE);
	}
	/* It was just about to park: nothing in the fingerprint shows the end of that. */
	fake_set64(f->fake, i, f->fake->layout.g_m, 0);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_not_null(fixture_seen(f, 20));
	cr_assert(!fixture_seen(f, 20)->on_system_stack);
	cr_assert_neq(fixture_seen(f, 20)->stack_id, STACK_ID_NONE);
	fixture_free(f);
}

BOTH(system_calls_are_kept_only_where_they_leave_a_trace)
{
	const struct census_options options = {.stacks = false};
	struct fixture *f = fixture_new(minor, 8, &options);
	size_t i = fake_add_parked(f->fake, 20, CALLER);

	fake_set_status(f->fake, i, GO_STATUS_SYSCALL);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert(fixture_seen(f, 20)->in_syscall);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(fixture_unchanged(f, 20), minor < 26);
	cr_assert_eq(fixture_seen(f, 20) != NULL, minor >= 26);
	fixture_free(f);
}

BOTH(grows_while_allgs_moves)
{
	struct fixture *f = fixture_new(minor, 4000, NULL);
	uint64_t moved[4000];

	for (uint64_t goid = 2; goid <= 1000; goid++)
		fake_add_parked(f->fake, goid, CALLER);
	/* In allgs in an order that is not the addresses'. */
	for (size_t i = 1; i < 1000; i++)
		fake_entry(f->fake, i, fake_g_address(f->fake, 1000 - i));
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(f->log->n_seen, 1000u);

	for (uint64_t goid = 1001; goid <= 4000; goid++)
		fake_add_parked(f->fake, goid, CALLER);
	for (size_t i = 0; i < 4000; i++)
		moved[i] = fake_g_address(f->fake, i < 1000 ? (1000 - i) % 1000 : i);
	moved[0] = fake_g_address(f->fake, 0);
	f->fake->ranges[4] = (struct remote_range){0xc030000000, moved, sizeof(moved)};
	f->fake->n_ranges = 5;
	fake_global(f->fake, FAKE_ALLGPTR, 0xc030000000);
	/* The outgrown array is garbage now. */
	for (size_t i = 0; i < 1000; i++)
		fake_entry(f->fake, i, 0x6b6b6b6b6b6b6b6b);
	remote__free(f->fake->runtime.remote);
	cr_assert_eq(remote__open_image(f->fake->ranges, 5, &f->fake->runtime.remote), 0);
	fixture_renew_census(f, &(struct census_options){.stacks = true});
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(f->log->n_seen, 4000u);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(f->log->n_unchanged, 4000u);
	fixture_free(f);
}

BOTH(growth_keeps_what_is_known_of_old_slots)
{
	struct fixture *f = fixture_new(minor, 3000, NULL);

	for (uint64_t goid = 2; goid <= 3000; goid++)
		fake_add_parked(f->fake, goid, CALLER);
	/* The first half of allgs are the odd slots: later ones come between them. */
	for (size_t i = 1; i < 3000; i++)
		fake_entry(f->fake, i,
			   fake_g_address(f->fake, i < 1500 ? 2 * i - 1 : 2 * (i - 1499)));
	fake_entry(f->fake, 2999, fake_g_address(f->fake, 2999));
	fake_length(f->fake, 1500);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(f->log->n_seen, 1500u);
	fake_length(f->fake, 3000);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(f->log->n_unchanged, 1500u);
	cr_assert_eq(f->log->n_seen, 1500u);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(f->log->n_unchanged, 3000u);
	fixture_free(f);
}

BOTH(slices_give_the_same_result)
{
	struct fixture *whole = fixture_new(minor, 5000, NULL);
	struct fixture *sliced = fixture_new(minor, 5000, NULL);
	size_t steps = 1;
	int more;

	for (uint64_t goid = 2; goid <= 5000; goid++) {
		fake_add_parked(whole->fake, goid, CALLER + 16 * (goid % 97));
		fake_add_parked(sliced->fake, goid, CALLER + 16 * (goid % 97));
	}
	cr_assert_eq(fixture_run(whole, 0), 0);
	cr_assert_eq(census__start(sliced->census, NULL), 0);
	while ((more = census__step(sliced->census, 1, NULL)) == 1) {
		cr_assert(census__running(sliced->census));
		cr_assert_eq(fixture_result(sliced)->slots, 0u, "not complete yet");
		steps++;
	}
	cr_assert_eq(more, 0);
	cr_assert_gt(steps, 5u);
	cr_assert(!census__running(sliced->census));
	cr_assert_eq(whole->log->n_seen, 5000u);
	cr_assert_eq(sliced->log->n_seen, 5000u);
	for (size_t i = 0; i < 5000; i++) {
		struct census_goroutine a = whole->log->seen[i], b = sliced->log->seen[i];

		cr_assert_eq(a.goid, b.goid);
		cr_assert_eq(a.stack_id, b.stack_id);
		cr_assert_eq(a.status, b.status);
	}
	cr_assert_eq(stack_table__count(whole->table), 98u);
	cr_assert_eq(fixture_result(sliced)->stacks_read, fixture_result(whole)->stacks_read);
	fixture_free(whole);
	fixture_free(sliced);
}

Test(census, one_at_a_time_and_none_when_idle)
{
	struct fixture *f = fixture_new(26, 4, NULL);

	cr_assert_eq(census__step(f->census, 0, NULL), 0);
	cr_assert_eq(fixture_result(f)->finished_ns, 0u);
	cr_assert_eq(census__start(f->census, &f->failure), 0);
	cr_assert_eq(census__start(f->census, &f->failure), -EBUSY);
	cr_assert(census__running(f->census));
	fixture_free(f); /* in the middle */
	census__free(NULL);
}

Test(census, the_last_one_once_more)
{
	struct fixture *f = fixture_new(26, 4, NULL);
	uint64_t finished_ns;

	fake_add_parked(f->fake, 42, CALLER);
	cr_expect(!census__carries_on(f->census), "there was none");
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert(census__carries_on(f->census));
	finished_ns = fixture_result(f)->finished_ns;
	census__carry_on(f->census, finished_ns + 1);
	cr_expect_eq(fixture_result(f)->started_ns, finished_ns + 1);
	cr_expect_eq(fixture_result(f)->alive, 2u);
	cr_expect_eq(fixture_result(f)->changed, 0u);
	cr_expect_eq(fixture_result(f)->stacks_read, 0u);
	cr_expect(census__carries_on(f->census));
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_expect(fixture_unchanged(f, 42), "one that reads goes on from there");
	census__freeze(f->census, true);
	cr_expect(!census__carries_on(f->census), "it may leave something out");
	census__freeze(f->census, false);
	cr_assert_eq(census__start(f->census, &f->failure), 0);
	cr_expect(!census__carries_on(f->census), "another one goes on");
	fixture_free(f);
}
