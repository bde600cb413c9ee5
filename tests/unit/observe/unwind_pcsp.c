// SPDX-License-Identifier: Apache-2.0
/* Stacks that need the frame sizes of the pcsp table, and those of arm64. */
#include "made_stack.h"

/* --- pcsp ---------------------------------------------------------------------------------------- */

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
	stack.in.uses_lr = true;
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
	stack.in.uses_lr = true;
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
	stack.in.uses_lr = true;
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
	stack.in.uses_lr = true;
	put_frame(&stack, 40, at(50), pc_in(1));
	put_frame(&stack, 50, 0xffff12345678, pc_in(2));
	put_frame(&stack, 59, at(80), pc_in(3));
	put_frame(&stack, 80, 0, pc_in(4));
	check(&stack, answer_delta, &deltas, 5);
	deltas.of[1] = -1;
	check(&stack, answer_delta, &deltas, 3);
}
