// SPDX-License-Identifier: Apache-2.0
/* What only a list of goroutines asks for: labels, threads, bubbles, stacks of runnable ones. */
#include <criterion/criterion.h>

#include "census_log.h"

TestSuite(census_details);

#define CALLER (FAKE_MAIN + 0x500)

static const struct census_options with_runnable = {.stacks = true, .runnable_stacks = true};

static const struct census_options plain_options = {.stacks = true};

/* The offsets of Go 1.26, which are the last in a g. */
static struct fixture *fixture_with_details(void)
{
	struct fixture *f = fixture_new(26, 4, &plain_options);

	f->fake->layout.g_lockedm = 208;
	f->fake->layout.g_labels = 352;
	f->fake->layout.g_bubble = 392;
	cr_assert_eq(census_runtime__set_window(&f->fake->runtime, NULL), 0);
	fixture_renew_census(f, &plain_options);
	return f;
}

Test(census_details, labels_thread_bubble_and_address)
{
	struct fixture *f = fixture_with_details();
	size_t plain = fake_add_parked(f->fake, 42, CALLER);
	size_t rich = fake_add_parked(f->fake, 43, CALLER);
	const struct census_goroutine *g;

	fake_set64(f->fake, rich, f->fake->layout.g_labels, 0xc000123450);
	fake_set64(f->fake, rich, f->fake->layout.g_lockedm, 0xc000200000);
	fake_set64(f->fake, rich, f->fake->layout.g_bubble, 0xc000300000);
	cr_assert_eq(fixture_run(f, 0), 0);
	g = fixture_seen(f, 42);
	cr_assert_eq(g->address, fake_g_address(f->fake, plain));
	cr_assert_eq(g->labels, 0u);
	cr_assert(!g->locked_to_thread && !g->in_bubble);
	g = fixture_seen(f, 43);
	cr_assert_eq(g->address, fake_g_address(f->fake, rich));
	cr_assert_eq(g->labels, 0xc000123450u);
	cr_assert(g->locked_to_thread && g->in_bubble);
	fixture_free(f);
}

/* Go 1.19 has no bubbles; a layout from DWARF may lack the others, too. */
Test(census_details, fields_that_a_version_does_not_have)
{
	struct fixture *f = fixture_new(19, 4, &plain_options);
	const struct census_goroutine *g;

	cr_assert_eq(f->fake->layout.g_labels, GO_LAYOUT_ABSENT);
	fake_add_parked(f->fake, 42, CALLER);
	cr_assert_eq(fixture_run(f, 0), 0);
	g = fixture_seen(f, 42);
	cr_assert_eq(g->labels, 0u);
	cr_assert(!g->locked_to_thread && !g->in_bubble);
	fixture_free(f);
}

static void check_stack(const struct fixture *f, uint64_t goid, size_t expected)
{
	size_t depth;

	stack_table__get(f->table, fixture_seen(f, goid)->stack_id, &depth);
	cr_assert_eq(depth, expected, "goroutine %lu: %zu", goid, depth);
}

Test(census_details, stacks_of_runnable_goroutines)
{
	struct fixture *f = fixture_new(26, 8, &with_runnable);
	size_t runnable = fake_add_parked(f->fake, 42, CALLER);
	size_t preempted = fake_add_parked(f->fake, 43, CALLER);
	size_t running = fake_add_parked(f->fake, 44, CALLER);
	size_t taken = fake_add_parked(f->fake, 45, CALLER);

	fake_set_status(f->fake, runnable, GO_STATUS_RUNNABLE);
	fake_set_status(f->fake, preempted, GO_STATUS_PREEMPTED | GO_STATUS_SCAN_BIT);
	fake_set_status(f->fake, running, GO_STATUS_RUNNING);
	fake_set_status(f->fake, taken, GO_STATUS_RUNNABLE);
	fake_set64(f->fake, taken, f->fake->layout.g_m, 0xc000200000); /* execute() has begun */
	cr_assert_eq(fixture_run(f, 0), 0);
	check_stack(f, 42, 3);
	check_stack(f, 43, 3);
	check_stack(f, 44, 0);
	check_stack(f, 45, 0);
	fixture_free(f);
}

Test(census_details, not_unless_asked_for)
{
	struct fixture *f = fixture_new(26, 4, NULL);
	size_t i = fake_add_parked(f->fake, 42, CALLER);

	fake_set_status(f->fake, i, GO_STATUS_RUNNABLE);
	cr_assert_eq(fixture_run(f, 0), 0);
	check_stack(f, 42, 0);
	fixture_free(f);
}
