/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_OBSERVE_MADE_STACK_H
#define GLEAKD_TESTS_OBSERVE_MADE_STACK_H

/* Stacks made by hand as the Go compiler lays them out. */
#include "observe/unwind.h"

#include <criterion/criterion.h>
#include <errno.h>
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

static inline uint64_t at(unsigned int word)
{
	return STACK_LO + 8 * word;
}

/* A target address in function @n of the made program, and what the walk makes of it. */
static inline uint64_t pc_in(unsigned int n)
{
	return TEXT + n * FUNC + 0x40;
}

static inline uint64_t link_time(unsigned int n)
{
	return pc_in(n) - BIAS;
}

/* The made program, loaded at BIAS. */
static inline struct module_map *made_modules(void)
{
	static struct module_map *map;
	const struct loaded_module module = {.bias = BIAS, .text = TEXT, .etext = ETEXT};

	if (!map)
		cr_assert(!module_map__new(&map) && !module_map__add(map, &module));
	return map;
}

static inline void init(struct stack *stack, unsigned int sp_word, unsigned int bp_word)
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
		.modules = made_modules(),
		.bp_valid = true,
	};
}

/* A frame record: the caller's frame pointer and the return address above it. */
static inline void put_frame(struct stack *stack, unsigned int word, uint64_t caller_bp,
			     uint64_t ra)
{
	stack->words[word] = caller_bp;
	stack->words[word + 1] = ra;
}

/* Frames of functions 1, 2, 3 at words 40, 60, 100; the last saved bp is 0, as on a new stack. */
static inline void put_three_frames(struct stack *stack)
{
	put_frame(stack, 40, at(60), pc_in(1));
	put_frame(stack, 60, at(100), pc_in(2));
	put_frame(stack, 100, 0, pc_in(3));
}

static inline void check(const struct stack *stack, unwind_sp_delta_fn deltas, void *ctx,
			 size_t depth)
{
	uint64_t pcs[16], more = 99;

	cr_assert_eq(unwind__walk_by(&stack->in, deltas, ctx, pcs, 16, &more), depth);
	cr_assert_eq(more, 0);
	for (unsigned int i = 0; i < depth; i++)
		cr_assert_eq(pcs[i], link_time(i), "frame %u", i);
}

struct deltas {
	int32_t of[FUNCS]; /* by function; negative: unknown */
	unsigned int asked;
};

static inline int answer_delta(void *ctx, uint64_t pc, int32_t *ret_delta)
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
static inline void put_syscall(struct stack *stack, struct deltas *deltas)
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

#endif /* GLEAKD_TESTS_OBSERVE_MADE_STACK_H */
