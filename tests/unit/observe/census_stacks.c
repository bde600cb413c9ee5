// SPDX-License-Identifier: Apache-2.0
/* Park stacks: whole, deep, partial, torn and unreadable ones. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "census_log.h"
#include "observe/census_stacks.h"

TestSuite(census_stacks);

#define CALLER (FAKE_MAIN + 0x500)

static size_t depth_of(const struct fixture *f, uint64_t goid)
{
	size_t depth = 0;
	const struct census_goroutine *g = fixture_seen(f, goid);

	cr_assert_not_null(g);
	stack_table__get(f->table, g->stack_id, &depth);
	return depth;
}

static void fill_pcs(uint64_t *pcs, size_t n)
{
	pcs[0] = FAKE_GOPARK;
	for (size_t i = 1; i < n; i++)
		pcs[i] = FAKE_MAIN + 0x100 + i;
}

Test(census_stacks, equal_stacks_share_an_id_and_others_do_not)
{
	struct fixture *f = fixture_new(26, 8, NULL);

	fake_add_parked(f->fake, 2, CALLER);
	fake_add_parked(f->fake, 3, CALLER + 8);
	fake_add_parked(f->fake, 4, CALLER);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(fixture_seen(f, 2)->stack_id, fixture_seen(f, 4)->stack_id);
	cr_assert_neq(fixture_seen(f, 2)->stack_id, fixture_seen(f, 3)->stack_id);
	cr_assert_eq(stack_table__count(f->table), 3u);
	fixture_free(f);
}

/* Frames of 128 bytes: 50 of them do not fit into the first read. */
Test(census_stacks, frames_beyond_the_first_read_are_fetched)
{
	struct fixture *f = fixture_new(26, 8, NULL);
	uint64_t pcs[50];

	fill_pcs(pcs, 50);
	fake_park(f->fake, fake_add(f->fake, 2), 14, pcs, 50, 128, true);
	fake_add_parked(f->fake, 3, CALLER);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(depth_of(f, 2), 50u);
	cr_assert_eq(depth_of(f, 3), 3u);
	cr_assert_eq(stack_table__count(f->table), 3u, "no shortened copy was interned");
	cr_assert_eq(fixture_result(f)->stacks_partial, 0u);
	fixture_free(f);
}

Test(census_stacks, depth_is_cut_at_the_maximum)
{
	struct fixture *f = fixture_new(26, 8, NULL);
	uint64_t pcs[200];
	const size_t depths[] = {STACK_MAX_DEPTH - 1, STACK_MAX_DEPTH, STACK_MAX_DEPTH + 1, 200};

	fill_pcs(pcs, 200);
	for (size_t i = 0; i < ARRAY_SIZE(depths); i++)
		fake_park(f->fake, fake_add(f->fake, 2 + i), 14, pcs, depths[i], 32, true);
	cr_assert_eq(fixture_run(f, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(depths); i++)
		cr_assert_eq(depth_of(f, 2 + i), min_of(depths[i], (size_t)STACK_MAX_DEPTH));
	cr_assert_eq(fixture_result(f)->stacks_read, 5u);
	cr_assert_eq(fixture_result(f)->stacks_partial, 0u);
	fixture_free(f);
}

Test(census_stacks, a_chain_that_ends_early_is_kept_and_counted)
{
	struct fixture *f = fixture_new(26, 8, NULL);
	uint64_t pcs[4];

	fill_pcs(pcs, 4);
	fake_park(f->fake, fake_add(f->fake, 2), 14, pcs, 4, 64, false);
	/* Nothing but gopark: that says nothing. */
	fake_park(f->fake, fake_add(f->fake, 3), 14, pcs, 1, 64, false);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(depth_of(f, 2), 4u);
	cr_assert_eq(fixture_seen(f, 3)->stack_id, STACK_ID_NONE);
	cr_assert_eq(fixture_result(f)->stacks_partial, 1u);
	cr_assert_eq(fixture_result(f)->stacks_read, 2u);
	cr_assert_eq(fixture_result(f)->stacks_failed, 1u);
	fixture_free(f);
}

/* Cyclic, descending, unaligned and outlying frame pointers, and stacks that cannot be. */
Test(census_stacks, hostile_stacks_end_and_are_no_sites)
{
	struct fixture *f = fixture_new(26, 16, NULL);
	struct go_layout *layout = &f->fake->layout;
	uint64_t pcs[1] = {FAKE_GOPARK};
	const uint64_t bps[] = {1, 7, UINT64_MAX, UINT64_MAX - 7, 0x8000000000000000};

	for (uint64_t goid = 2; goid < 12; goid++)
		fake_park(f->fake, fake_add(f->fake, goid), 14, pcs, 1, 64, false);
	for (size_t i = 0; i < ARRAY_SIZE(bps); i++)
		fake_set64(f->fake, 1 + i, layout->g_sched_bp, bps[i]);
	fake_set64(f->fake, 6, layout->g_sched_sp, 0);
	fake_set64(f->fake, 7, layout->g_sched_sp, UINT64_MAX);
	fake_set64(f->fake, 8, layout->g_stack_hi, 0);
	fake_set64(f->fake, 9, layout->g_stack_lo, UINT64_MAX);
	fake_set64(f->fake, 10, layout->g_stack_hi, UINT64_MAX);
	cr_assert_eq(fixture_run(f, 0), 0);
	for (uint64_t goid = 2; goid < 12; goid++)
		cr_assert_eq(fixture_seen(f, goid)->stack_id, STACK_ID_NONE);
	cr_assert_eq(stack_table__count(f->table), 1u);
	cr_assert_eq(fixture_result(f)->stacks_failed, 10u);
	fixture_free(f);
}

Test(census_stacks, a_frame_that_points_at_itself_ends)
{
	struct fixture *f = fixture_new(26, 8, NULL);
	uint64_t pcs[3], frame;

	fill_pcs(pcs, 3);
	fake_park(f->fake, fake_add(f->fake, 2), 14, pcs, 3, 64, true);
	frame = fake_get64(f->fake, 1, f->fake->layout.g_sched_bp) + 64;
	memcpy(f->fake->stacks + (frame - FAKE_STACKS), &frame, sizeof(frame));
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(depth_of(f, 2), 3u);
	cr_assert_eq(fixture_result(f)->stacks_partial, 1u);
	fixture_free(f);
}

/* The stack's memory is gone: no stack now, another try next time, the others unharmed. */
Test(census_stacks, an_unreadable_stack_is_tried_again)
{
	struct fixture *f = fixture_new(26, 8, NULL);
	struct fake *fake = f->fake;
	size_t hole = 3 * FAKE_STACK_SIZE;

	for (uint64_t goid = 2; goid < 8; goid++)
		fake_add_parked(fake, goid, CALLER);
	fake->ranges[3].size = hole;
	fake->ranges[4] =
		(struct remote_range){FAKE_STACKS + hole + FAKE_STACK_SIZE,
				      fake->stacks + hole + FAKE_STACK_SIZE, 4 * FAKE_STACK_SIZE};
	fake->n_ranges = 5;
	fake_open(fake);
	fixture_renew_census(f, &(struct census_options){.stacks = true});
	for (int round = 0; round < 2; round++) {
		cr_assert_eq(fixture_run(f, 0), 0);
		cr_assert_eq(fixture_seen(f, 4)->stack_id, STACK_ID_NONE);
		cr_assert_eq(fixture_result(f)->stacks_failed, 1u);
		cr_assert_eq(fixture_result(f)->alive, 7u);
		cr_assert_eq(f->log->n_seen, round ? 1u : 7u);
	}
	fixture_free(f);
}

struct tear {
	struct fake *fake;
	size_t victim;
	uint32_t offset; /* a word to set, or 0 */
	uint64_t value;
};

/*
 * Runs after the copy of the victim's g and before that of its stack: it wakes, runs and parks in
 * another place of its code.
 */
static void tear(void *ctx, const struct census_goroutine *g)
{
	const struct tear *tear = ctx;
	uint64_t pc = FAKE_MAIN + 0x7777 + tear->fake->bias, frame;

	if (g->status != GO_STATUS_RUNNING)
		return;
	frame = fake_get64(tear->fake, tear->victim, tear->fake->layout.g_sched_bp);
	memcpy(tear->fake->stacks + (frame - FAKE_STACKS) + 8, &pc, sizeof(pc));
	if (tear->offset)
		fake_set64(tear->fake, tear->victim, tear->offset, tear->value);
	else
		fake_ran(tear->fake, tear->victim);
}

/* The runner's slot precedes the victim's: its sighting comes at once, the victim's stack later. */
static void check_torn(uint32_t offset, uint64_t value, size_t frame_size)
{
	struct fixture *f = fixture_new(26, 8, NULL);
	size_t runner = fake_add(f->fake, 50), victim = fake_add(f->fake, 51);
	uint64_t pcs[40], before;
	struct tear how = {.fake = f->fake, .victim = victim, .offset = offset, .value = value};

	fill_pcs(pcs, 40);
	fake_park(f->fake, victim, 14, pcs, 40, frame_size, true);
	before = fake_get64(f->fake, victim, offset);
	fake_set_status(f->fake, runner, GO_STATUS_RUNNING);
	f->log->hook = tear;
	f->log->hook_ctx = &how;
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(fixture_seen(f, 51)->stack_id, STACK_ID_NONE);
	cr_assert_eq(fixture_result(f)->stacks_failed, 1u);
	cr_assert_eq(stack_table__count(f->table), 1u, "the torn stack was not interned");

	f->log->hook = NULL;
	if (offset)
		fake_set64(f->fake, victim, offset, before);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert(!fixture_unchanged(f, 51), "a failed stack is read again");
	cr_assert_neq(fixture_seen(f, 51)->stack_id, STACK_ID_NONE);
	fixture_free(f);
}

Test(census_stacks, torn_by_a_run)
{
	check_torn(0, 0, 48);
}

Test(census_stacks, torn_by_a_run_deep)
{
	check_torn(0, 0, 160);
}

Test(census_stacks, torn_by_another_goroutine)
{
	check_torn(152, 5151, 48); /* goid */
}

Test(census_stacks, torn_by_a_moved_stack)
{
	check_torn(56, FAKE_STACKS, 48); /* sched.sp */
}

Test(census_stacks, torn_by_a_wake_up)
{
	check_torn(48, 0xc000004000, 48); /* m */
}

static void tear_after_first(void *ctx, const struct census_goroutine *g)
{
	const struct tear *tear = ctx;

	if (g->goid == 50)
		fake_ran(tear->fake, tear->victim);
}

/*
 * A deep stack is read alone, after the batch's second look at its g: the sighting of another of
 * the batch comes in between.
 */
Test(census_stacks, torn_between_the_batch_and_the_deep_read)
{
	struct fixture *f = fixture_new(26, 8, NULL);
	uint64_t pcs[40];
	struct tear how = {.fake = f->fake};

	fill_pcs(pcs, 40);
	fake_add_parked(f->fake, 50, CALLER);
	how.victim = fake_add(f->fake, 51);
	fake_park(f->fake, how.victim, 14, pcs, 40, 160, true);
	f->log->hook = tear_after_first;
	f->log->hook_ctx = &how;
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_neq(fixture_seen(f, 50)->stack_id, STACK_ID_NONE);
	cr_assert_eq(fixture_seen(f, 51)->stack_id, STACK_ID_NONE);
	cr_assert_eq(fixture_result(f)->stacks_failed, 1u);
	cr_assert_eq(stack_table__count(f->table), 2u);
	fixture_free(f);
}

/* Many goroutines with stacks in another order than their g structs, over several batches. */
Test(census_stacks, any_order_of_stacks)
{
	const size_t n = 3000;
	struct fixture *f = fixture_new(26, n, NULL);
	struct fake *fake = f->fake;
	struct go_layout *layout = &fake->layout;

	for (size_t i = 1; i < n; i++)
		fake_add_parked(fake, i + 1, CALLER + 16 * i);
	/* The stack that was filled for g i goes to g n - i. */
	for (size_t i = 1; i < n; i++) {
		uint64_t lo = FAKE_STACKS + (n - i) * FAKE_STACK_SIZE;
		uint64_t sp = lo + FAKE_STACK_SIZE - 64 - 3 * 64;

		fake_set64(fake, i, layout->g_stack_lo, lo);
		fake_set64(fake, i, layout->g_stack_hi, lo + FAKE_STACK_SIZE);
		fake_set64(fake, i, layout->g_sched_sp, sp);
		fake_set64(fake, i, layout->g_sched_bp, sp + 16);
	}
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(fixture_result(f)->stacks_read, n);
	cr_assert_eq(fixture_result(f)->stacks_partial, 0u);
	cr_assert_eq(stack_table__count(f->table), n);
	for (size_t i = 1; i < n; i++) {
		const struct census_goroutine *g = fixture_seen(f, i + 1);
		size_t depth;
		const uint64_t *pcs = stack_table__get(f->table, g->stack_id, &depth);

		cr_assert_eq(depth, 3u);
		cr_assert_eq(pcs[1], CALLER + 16 * (n - i));
	}
	fixture_free(f);
}

static void count_whole(void *ctx, const struct census_parked *parked, uint32_t stack_id,
			enum census_stack_state state)
{
	size_t *whole = ctx;

	(void)parked;
	*whole += state == CENSUS_STACK_READ && stack_id == 1;
}

/*
 * A full batch whose tops nearly fill the buffer, with gaps that would be worth reading but have no
 * room. The scratch memory is exactly one, so that an overflow hits its end.
 */
Test(census_stacks, gaps_between_stacks_do_not_overflow_the_buffer)
{
	struct fake *fake = fake_new(26, PARKED_BATCH + 2);
	struct census_stacks_scratch *scratch = malloc(sizeof(*scratch));
	struct census_parked *parked = calloc(PARKED_BATCH, sizeof(*parked));
	struct census_stacks stacks = {.runtime = &fake->runtime};
	size_t whole = 0;
	uint64_t pcs[29];

	cr_assert(scratch && parked && stack_table__new(10, &stacks.table) == 0);
	fill_pcs(pcs, 29);
	fake->stack_size = FAKE_STACK_SIZE / 2;
	fake_add(fake, 2); /* its stack would overlap the main goroutine's */
	for (size_t i = 0; i < PARKED_BATCH; i++) {
		size_t g = fake_add(fake, i + 3);

		fake_park(fake, g, 14, pcs, 29, 64, true);
		parked[i].address = fake_g_address(fake, g);
		parked[i].slot = g;
		census_runtime__decode(&fake->runtime,
				       fake->heap + g * fake->stride + fake->runtime.window,
				       &parked[i].g);
	}
	cr_assert_eq(
		census_stacks__read(&stacks, scratch, parked, PARKED_BATCH, count_whole, &whole),
		0);
	cr_assert_eq(whole, (size_t)PARKED_BATCH);
	stack_table__free(stacks.table);
	free(parked);
	free(scratch);
	fake_free(fake);
}

Test(census_stacks, system_call_from_1_23_on)
{
	struct fixture *f = fixture_new(26, 8, NULL);
	struct fake *fake = f->fake;
	size_t i = fake_add_parked(fake, 2, CALLER);

	/* sched.* is not to be used. */
	fake_set64(fake, i, fake->layout.g_syscallsp, fake_get64(fake, i, fake->layout.g_sched_sp));
	fake_set64(fake, i, fake->layout.g_syscallbp, fake_get64(fake, i, fake->layout.g_sched_bp));
	fake_set64(fake, i, fake->layout.g_syscallpc, FAKE_TEXT + 0x99 + fake->bias);
	fake_set64(fake, i, fake->layout.g_sched_sp, 0);
	fake_set64(fake, i, fake->layout.g_sched_bp, 0);
	fake_set64(fake, i, fake->layout.g_m, 0xc000004000);
	fake_set_status(fake, i, GO_STATUS_SYSCALL);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(depth_of(f, 2), 3u);
	fixture_free(f);
}
