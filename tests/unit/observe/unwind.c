// SPDX-License-Identifier: Apache-2.0
/* Stacks made by hand as the Go compiler lays them out, and stacks made at random. */
#include "observe/unwind.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STACK_LO 0xc000100000ULL
#define WORDS	 256u
#define STACK_HI (STACK_LO + WORDS * 8)
#define BIAS	 0x10000000ULL
#define TEXT	 (BIAS + 0x401000)
#define ETEXT	 (BIAS + 0x500000)
#define FUNCS	 64
#define FUNC	 0x100ULL /* bytes of each function of the made program */

struct stack {
	uint64_t words[WORDS];
	struct unwind_input in;
};

static uint64_t at(unsigned int word)
{
	return STACK_LO + 8 * word;
}

/* A target address in function @n of the made program, and what the walk makes of it. */
static uint64_t pc_in(unsigned int n)
{
	return TEXT + n * FUNC + 0x40;
}

static uint64_t link_time(unsigned int n)
{
	return pc_in(n) - BIAS;
}

static void init(struct stack *stack, unsigned int sp_word, unsigned int bp_word)
{
	memset(stack, 0, sizeof(*stack));
	stack->in = (struct unwind_input){
		.pc = pc_in(0),
		.sp = at(sp_word),
		.bp = at(bp_word),
		.stack_lo = STACK_LO,
		.stack_hi = STACK_HI,
		.copy = (const uint8_t *)stack->words,
		.copy_address = STACK_LO,
		.copy_size = sizeof(stack->words),
		.text = TEXT,
		.etext = ETEXT,
		.load_bias = BIAS,
		.bp_valid = true,
	};
}

/* A frame record: the caller's frame pointer and the return address above it. */
static void put_frame(struct stack *stack, unsigned int word, uint64_t caller_bp, uint64_t ra)
{
	stack->words[word] = caller_bp;
	stack->words[word + 1] = ra;
}

/* Frames of functions 1, 2, 3 at words 40, 60, 100; the last saved bp is 0, as on a new stack. */
static void put_three_frames(struct stack *stack)
{
	put_frame(stack, 40, at(60), pc_in(1));
	put_frame(stack, 60, at(100), pc_in(2));
	put_frame(stack, 100, 0, pc_in(3));
}

static void check(const struct stack *stack, unwind_sp_delta_fn deltas, void *ctx, size_t depth)
{
	uint64_t pcs[16], more = 99;

	cr_assert_eq(unwind__walk_by(&stack->in, deltas, ctx, pcs, 16, &more), depth);
	cr_assert_eq(more, 0);
	for (unsigned int i = 0; i < depth; i++)
		cr_assert_eq(pcs[i], link_time(i), "frame %u", i);
}

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
	cr_assert_eq(unwind__walk(&stack.in, NULL, pcs, 16, &more), 4);
	cr_assert_eq(pcs[3], link_time(3));
	cr_assert_eq(more, 0);
}

Test(unwind, maximum)
{
	struct stack stack;
	uint64_t pcs[3] = {0, 0, 7}, more;

	init(&stack, 30, 40);
	put_three_frames(&stack);
	cr_assert_eq(unwind__walk(&stack.in, NULL, pcs, 2, &more), 2);
	cr_assert_eq(pcs[2], 7);
	cr_assert_eq(more, 0, "more of the copy would not help");
	cr_assert_eq(unwind__walk(&stack.in, NULL, pcs, 0, &more), 0);
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
	cr_assert_eq(unwind__walk(&stack.in, NULL, pcs, 16, &more), 2);
	cr_assert_eq(more, at(60));
	stack.in.copy_size = 62 * 8;
	cr_assert_eq(unwind__walk(&stack.in, NULL, pcs, 16, &more), 3);
	cr_assert_eq(more, at(100));
	stack.in.copy_size = 7;
	cr_assert_eq(unwind__walk(&stack.in, NULL, pcs, 16, &more), 1);
	cr_assert_eq(more, at(40));
	stack.in.copy_size = 0;
	stack.in.copy = NULL;
	cr_assert_eq(unwind__walk(&stack.in, NULL, pcs, 16, &more), 1);
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
	cr_assert_eq(unwind__walk(&stack.in, NULL, pcs, 16, &more), 2);
	cr_assert_eq(more, at(60));
}

/* --- pcsp ---------------------------------------------------------------------------------------- */

struct deltas {
	int32_t of[FUNCS]; /* by function; negative: unknown */
	unsigned int asked;
};

static int answer_delta(void *ctx, uint64_t pc, int32_t *ret_delta)
{
	struct deltas *deltas = ctx;
	uint64_t n = (pc - (TEXT - BIAS)) / FUNC;

	deltas->asked++;
	if (pc < TEXT - BIAS || n >= FUNCS || deltas->of[n] == -1)
		return -ENOENT;
	*ret_delta = deltas->of[n];
	return 0;
}

/*
 * Function 0 is assembly without a frame and was called by 1, 1 by 2, 2 by 3: frames of 9, 19 and
 * 39 words below the return address, the saved bp in the topmost of them.
 */
static void put_syscall(struct stack *stack, struct deltas *deltas)
{
	init(stack, 30, 0);
	stack->in.bp_valid = false;
	memset(deltas, 0, sizeof(*deltas));
	stack->words[30] = pc_in(1);
	deltas->of[1] = 9 * 8;
	put_frame(stack, 39, at(59), pc_in(2));
	deltas->of[2] = 19 * 8;
	put_frame(stack, 59, at(99), pc_in(3));
	deltas->of[3] = 39 * 8;
	put_frame(stack, 99, 0, pc_in(4));
}

Test(unwind_pcsp, finds_the_frame_pointer_on_the_way)
{
	struct stack stack;
	struct deltas deltas;

	put_syscall(&stack, &deltas);
	check(&stack, answer_delta, &deltas, 5);
	cr_assert_eq(deltas.asked, 3, "frame pointers from function 2 on");
}

Test(unwind_pcsp, stale_frame_pointer_is_not_believed)
{
	struct stack stack;
	struct deltas deltas;

	put_syscall(&stack, &deltas);
	/* Left from an earlier call, and at the time it led to a frame. */
	stack.in.bp = at(45);
	put_frame(&stack, 45, at(99), pc_in(9));
	check(&stack, answer_delta, &deltas, 5);
}

Test(unwind_pcsp, right_frame_pointer_is_recognised)
{
	struct stack stack;
	struct deltas deltas;

	put_syscall(&stack, &deltas);
	stack.in.bp = at(39);
	check(&stack, answer_delta, &deltas, 5);
	cr_assert_eq(deltas.asked, 2);
}

/* No function saves a frame pointer: all by pcsp. */
Test(unwind_pcsp, whole_stack_without_frame_pointers)
{
	struct stack stack;
	struct deltas deltas;

	put_syscall(&stack, &deltas);
	stack.words[39] = 0;
	stack.words[59] = 1;
	stack.words[99] = at(10);
	check(&stack, answer_delta, &deltas, 5);
}

/* Preempted in a prologue: sp at the return address, bp still the caller's (function 1 has none). */
Test(unwind_pcsp, prologue)
{
	struct stack stack;
	struct deltas deltas = {.of = {0, 24}};

	init(&stack, 30, 33);
	stack.in.bp_valid = false;
	stack.words[30] = pc_in(1);
	put_frame(&stack, 33, at(60), pc_in(2));
	put_frame(&stack, 60, 0, pc_in(3));
	stack.in.bp = at(33);
	check(&stack, answer_delta, &deltas, 4);
}

/* newproc1 leaves goexit + 1 as the return address in the last words of a new stack. */
Test(unwind_pcsp, brand_new_goroutine)
{
	struct stack stack;
	struct deltas deltas = {.of = {0}};

	init(&stack, WORDS - 1, 0);
	stack.in.bp_valid = false;
	stack.in.bp = 0;
	stack.words[WORDS - 1] = pc_in(1);
	check(&stack, answer_delta, &deltas, 2);
}

Test(unwind_pcsp, is_the_way_out_when_bp_is_unusable)
{
	struct stack stack;
	struct deltas deltas;

	put_syscall(&stack, &deltas);
	stack.in.bp_valid = true;
	stack.in.bp = 0;
	check(&stack, answer_delta, &deltas, 5);
	stack.in.bp = STACK_HI;
	check(&stack, answer_delta, &deltas, 5);
}

Test(unwind_pcsp, without_table_only_the_pc)
{
	struct stack stack;
	struct deltas deltas;

	put_syscall(&stack, &deltas);
	check(&stack, NULL, NULL, 1);
}

Test(unwind_pcsp, hostile_deltas)
{
	const int32_t bad[] = {-1, -8, INT32_MIN, INT32_MAX, 4, WORDS * 8, INT32_MAX - 7};
	struct stack stack;
	struct deltas deltas;

	put_syscall(&stack, &deltas);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		deltas.of[1] = bad[i];
		check(&stack, answer_delta, &deltas, 2);
	}
}

/* A step over the end of the address space would come out below, where a caller is at word 1. */
Test(unwind_pcsp, wrapping_step)
{
	struct stack stack;
	struct deltas deltas = {.of = {24}};

	init(&stack, 0, 0);
	stack.in.bp_valid = false;
	stack.in.sp = UINT64_MAX - 15;
	stack.words[1] = pc_in(1);
	check(&stack, answer_delta, &deltas, 1);
	stack.in.stack_lo = 0;
	stack.in.stack_hi = UINT64_MAX;
	stack.in.copy_address = 0;
	check(&stack, answer_delta, &deltas, 1);
}

Test(unwind_pcsp, tells_where_the_copy_ended)
{
	struct stack stack;
	struct deltas deltas;
	uint64_t pcs[16], more = 0;

	put_syscall(&stack, &deltas);
	stack.in.copy_size = 40 * 8;
	cr_assert_eq(unwind__walk_by(&stack.in, answer_delta, &deltas, pcs, 16, &more), 2);
	cr_assert_eq(more, at(40));
	cr_assert_eq(unwind__walk_by(&stack.in, answer_delta, &deltas, pcs, 1, &more), 1);
	cr_assert_eq(more, 0);
}

/*
 * A callback from C: function 1 is runtime.cgocallbackg, 2 runtime.cgocallback, whose frame of four
 * words below the return address holds no frame pointer, 3 where the goroutine called C.
 */
static void put_callback(struct stack *stack, struct deltas *deltas)
{
	init(stack, 30, 40);
	memset(deltas, 0, sizeof(*deltas));
	put_frame(stack, 40, at(50), pc_in(1));
	put_frame(stack, 50, 0x7ffd12345678, pc_in(2));
	deltas->of[2] = 4 * 8;
	stack->words[55] = 0x7ffd12345678;
	stack->words[56] = pc_in(3);
	deltas->of[3] = 0;
	stack->words[57] = pc_in(4);
	deltas->of[4] = 9 * 8;
	put_frame(stack, 66, at(80), pc_in(5));
	deltas->of[5] = 13 * 8;
	put_frame(stack, 80, 0, pc_in(6));
}

Test(unwind_pcsp, callback_from_c)
{
	struct stack stack;
	struct deltas deltas;

	put_callback(&stack, &deltas);
	check(&stack, answer_delta, &deltas, 7);
	cr_assert_leq(deltas.asked, 4, "frame pointers wherever there are some");
	check(&stack, NULL, NULL, 3);
}

/* C called Go, which called C, which called Go: each time the chain begins anew. */
Test(unwind_pcsp, callback_within_callback)
{
	struct stack stack;
	struct deltas deltas;

	put_callback(&stack, &deltas);
	put_frame(&stack, 80, 0x7ffd87654321, pc_in(6));
	deltas.of[6] = 4 * 8;
	stack.words[86] = pc_in(7);
	deltas.of[7] = 8;
	stack.words[88] = pc_in(8);
	deltas.of[8] = -1;
	check(&stack, answer_delta, &deltas, 9);
}

Test(unwind_pcsp, callback_with_hostile_sizes)
{
	const int32_t bad[] = {-1, -8, INT32_MIN, INT32_MAX, 4, WORDS * 8};
	struct stack stack;
	struct deltas deltas;

	put_callback(&stack, &deltas);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		deltas.of[2] = bad[i];
		check(&stack, answer_delta, &deltas, 3);
	}
}

/* --- arm64 --------------------------------------------------------------------------------------- */

/* mcall: the frame record of the function itself is one word below its sp. */
Test(unwind_arm64, frame_pointers_begin_below_sp)
{
	struct stack stack;

	init(&stack, 41, 40);
	stack.in.arm64 = true;
	put_three_frames(&stack);
	check(&stack, NULL, NULL, 4);
	stack.in.bp = at(39);
	check(&stack, NULL, NULL, 1);
}

Test(unwind_arm64, frame_without_frame_pointer)
{
	struct stack stack;
	struct deltas deltas = {.of = {64}};

	init(&stack, 41, 0);
	stack.in.arm64 = true;
	stack.in.bp_valid = false;
	put_three_frames(&stack);
	check(&stack, answer_delta, &deltas, 4);
}

/* The caller is in the link register; the record below sp is the caller's. */
Test(unwind_arm64, prologue)
{
	struct stack stack;
	struct deltas deltas = {.of = {0}};

	init(&stack, 61, 0);
	stack.in.arm64 = true;
	stack.in.bp_valid = false;
	put_three_frames(&stack);
	stack.in.lr = pc_in(1);
	check(&stack, answer_delta, &deltas, 4);
	stack.in.lr = 0;
	check(&stack, answer_delta, &deltas, 1);
}

/* cgocallback keeps a record of its own one word below its sp, but nothing points there. */
Test(unwind_arm64, callback_from_c)
{
	struct stack stack;
	struct deltas deltas = {.of = {0, 9 * 8}};

	init(&stack, 41, 40);
	stack.in.arm64 = true;
	put_frame(&stack, 40, at(50), pc_in(1));
	put_frame(&stack, 50, 0xffff12345678, pc_in(2));
	put_frame(&stack, 59, at(80), pc_in(3));
	put_frame(&stack, 80, 0, pc_in(4));
	check(&stack, answer_delta, &deltas, 5);
	deltas.of[1] = -1;
	check(&stack, answer_delta, &deltas, 3);
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
	stack->in.arm64 = r & 2;
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
