// SPDX-License-Identifier: Apache-2.0
/* Stacks walked by frame pointers, by frame sizes, and stacks made at random. */
#include "made_stack.h"

/* --- frame pointers ------------------------------------------------------------------------------ */

Test(unwind, frame_pointers)
{
	struct stack stack;

	init(&stack, 30, 40);
	put_three_frames(&stack);
	check(&stack, NULL, NULL, 4);
}

Test(unwind, public_entry_without_table)
{
	struct stack stack;
	uint64_t pcs[16], more = 99;

	init(&stack, 30, 40);
	put_three_frames(&stack);
	cr_assert_eq(unwind__walk(&stack.in, pcs, 16, &more), 4);
	cr_assert_eq(pcs[3], link_time(3));
	cr_assert_eq(more, 0);
}

Test(unwind, maximum)
{
	struct stack stack;
	uint64_t pcs[3] = {0, 0, 7}, more;

	init(&stack, 30, 40);
	put_three_frames(&stack);
	cr_assert_eq(unwind__walk(&stack.in, pcs, 2, &more), 2);
	cr_assert_eq(pcs[2], 7);
	cr_assert_eq(more, 0, "more of the copy would not help");
	cr_assert_eq(unwind__walk(&stack.in, pcs, 0, &more), 0);
}

Test(unwind, loops_and_steps_down_end_the_walk)
{
	struct stack stack;

	init(&stack, 30, 40);
	put_three_frames(&stack);
	put_frame(&stack, 60, at(60), pc_in(2));
	check(&stack, NULL, NULL, 3);
	put_frame(&stack, 60, at(40), pc_in(2));
	check(&stack, NULL, NULL, 3);
}

Test(unwind, frames_must_be_aligned_and_in_the_stack)
{
	const uint64_t bad[] = {at(60) + 4,	STACK_HI - 8,  STACK_HI,
				STACK_HI + 800, STACK_LO - 8,  8,
				UINT64_MAX,	UINT64_MAX - 7};
	struct stack stack;

	init(&stack, 30, 40);
	put_three_frames(&stack);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		stack.words[40] = bad[i];
		check(&stack, NULL, NULL, 2);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		stack.in.bp = bad[i];
		check(&stack, NULL, NULL, 1);
	}
	stack.in.bp = at(29);
	check(&stack, NULL, NULL, 1);
}

Test(unwind, misaligned_frame_is_none_however_good_it_looks)
{
	const uint64_t frame[2] = {0, pc_in(2)};
	struct stack stack;

	init(&stack, 30, 40);
	put_frame(&stack, 40, at(60) + 4, pc_in(1));
	memcpy((uint8_t *)stack.words + 60 * 8 + 4, frame, sizeof(frame));
	check(&stack, NULL, NULL, 2);
}

Test(unwind, last_words_of_the_stack_are_a_frame)
{
	struct stack stack;

	init(&stack, 30, WORDS - 2);
	put_frame(&stack, WORDS - 2, 0, pc_in(1));
	check(&stack, NULL, NULL, 2);
}

Test(unwind, return_addresses_must_be_in_text)
{
	const uint64_t bad[] = {0, TEXT - 1, ETEXT, UINT64_MAX, at(50)};
	struct stack stack;

	init(&stack, 30, 40);
	put_three_frames(&stack);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		stack.words[61] = bad[i];
		check(&stack, NULL, NULL, 2);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		stack.in.pc = bad[i];
		check(&stack, NULL, NULL, 0);
	}
}

/* The copy ends at word 61: the return address of the second frame is the first that is missing. */
Test(unwind, tells_where_the_copy_ended)
{
	struct stack stack;
	uint64_t pcs[16], more = 0;

	init(&stack, 30, 40);
	put_three_frames(&stack);
	stack.in.copy_size = 61 * 8;
	cr_assert_eq(unwind__walk(&stack.in, pcs, 16, &more), 2);
	cr_assert_eq(more, at(60));
	stack.in.copy_size = 62 * 8;
	cr_assert_eq(unwind__walk(&stack.in, pcs, 16, &more), 3);
	cr_assert_eq(more, at(100));
	stack.in.copy_size = 7;
	cr_assert_eq(unwind__walk(&stack.in, pcs, 16, &more), 1);
	cr_assert_eq(more, at(40));
	stack.in.copy_size = 0;
	stack.in.copy = NULL;
	cr_assert_eq(unwind__walk(&stack.in, pcs, 16, &more), 1);
	cr_assert_eq(more, at(40));
}

Test(unwind, copy_of_the_upper_part_only)
{
	struct stack stack;
	uint64_t pcs[16], more = 0;

	init(&stack, 30, 40);
	put_three_frames(&stack);
	stack.in.copy = (const uint8_t *)&stack.words[39];
	stack.in.copy_address = at(39);
	stack.in.copy_size = 100;
	cr_assert_eq(unwind__walk(&stack.in, pcs, 16, &more), 2);
	cr_assert_eq(more, at(60));
}

/* --- at random ----------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
	/* xorshift64 (Marsaglia 2003) */
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Mostly numbers that lead somewhere: into the stack, into text, next to the edges. */
static uint64_t random_word(uint64_t *state)
{
	uint64_t r = next_random(state);

	switch (r % 8) {
	case 0:
	case 1:
		return at((unsigned int)(r >> 8) % WORDS);
	case 2:
	case 3:
	case 4:
		return TEXT + (r >> 8) % (FUNCS * FUNC);
	case 5:
		return STACK_HI - 24 + (r >> 8) % 48;
	case 6:
		return (r >> 8) % 3 - 1; /* 0, 1 or all ones */
	default:
		return r;
	}
}

static void randomize(struct stack *stack, struct deltas *deltas, uint64_t *state)
{
	uint64_t r = next_random(state);

	init(stack, (unsigned int)(r >> 8) % WORDS, (unsigned int)(r >> 20) % WORDS);
	for (size_t i = 0; i < WORDS; i++)
		stack->words[i] = random_word(state);
	for (size_t i = 0; i < FUNCS; i++)
		deltas->of[i] = next_random(state) % 4 ? (int32_t)(next_random(state) % 16 * 8) :
							 (int32_t)next_random(state);
	stack->in.bp_valid = r & 1;
	stack->in.uses_lr = r & 2;
	stack->in.lr = random_word(state);
	if (r & 4)
		stack->in.sp = random_word(state);
	if (r & 8)
		stack->in.bp = random_word(state);
	if (!(r & 0x30))
		stack->in.stack_lo = random_word(state);
	if (!(r & 0xc0))
		stack->in.stack_hi = random_word(state);
}

/* The copy is as long as it says and no longer, in memory of its own: ASan watches its ends. */
static size_t walk_hostile(uint64_t seed)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15ULL + 1;
	struct deltas deltas = {0};
	struct stack stack;
	uint64_t pcs[32], more = 0;
	uint8_t *exact;
	size_t depth;

	randomize(&stack, &deltas, &state);
	stack.in.copy_size = next_random(&state) % (sizeof(stack.words) + 1);
	stack.in.copy_address = at((unsigned int)next_random(&state) % 64);
	exact = malloc(stack.in.copy_size + 1);
	cr_assert_not_null(exact);
	memcpy(exact + 1, stack.words, stack.in.copy_size);
	stack.in.copy = exact + 1;
	depth = unwind__walk_by(&stack.in, answer_delta, &deltas, pcs, 32, &more);
	cr_assert_leq(depth, 32);
	for (size_t i = 0; i < depth; i++)
		cr_assert(pcs[i] >= TEXT - BIAS && pcs[i] < ETEXT - BIAS, "seed %lu", seed);
	if (more)
		cr_assert(more >= stack.in.stack_lo && more < stack.in.stack_hi, "seed %lu", seed);
	free(exact);
	return depth;
}

Test(unwind, hostile_memory)
{
	size_t deepest = 0;

	for (uint64_t seed = 1; seed <= 20000; seed++)
		deepest = max_of(deepest, walk_hostile(seed));
	cr_assert_gt(deepest, 4, "the stacks are such that walks get somewhere");
}
