// SPDX-License-Identifier: Apache-2.0
#include "probe/path.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fixtures.h"
#include "probe/insn.h"

static struct path_point cheapest(const struct fixture *fixture, const struct path_query *query)
{
	struct code code = fixture__code(fixture);
	struct path_point point = {0};

	cr_assert_eq(path__cheapest(&code, query, &point), 0);
	return point;
}

static void check(struct path_point got, uint32_t offset, enum probe_class class,
		  enum gl_g_location location, enum gl_guard guard)
{
	cr_assert_eq(got.offset, offset, "offset %#x instead of %#x", got.offset, offset);
	cr_assert_eq(got.class, class);
	cr_assert_eq(got.location, location);
	cr_assert_eq(got.guard, guard);
	cr_assert_eq(got.stack_offset, 0);
}

static const struct path_query argument = {.up_to_any_call = true};

Test(path, create_takes_the_call_of_runqput_and_not_the_nop_in_front_of_it)
{
	const struct path_query query = {.after_call = NEWPROC1_GO124, .up_to_call = RUNQPUT_GO124};

	check(cheapest(&newproc_func1_go124, &query), 0x40, PROBE_CLASS_EMULATED, GL_G_IN_REG1,
	      GL_GUARD_NONE);
}

Test(path, create_takes_the_call_of_runqput_where_there_is_no_nop)
{
	const struct path_query query = {.after_call = NEWPROC1_GO122, .up_to_call = RUNQPUT_GO122};

	check(cheapest(&newproc_func1_go122, &query), 0x35, PROBE_CLASS_EMULATED, GL_G_IN_REG1,
	      GL_GUARD_NONE);
}

/* With runqput inlined the line goes on to the first branch, which always runs too. */
Test(path, create_without_the_call_of_runqput_still_finds_the_g)
{
	const struct path_query query = {.after_call = NEWPROC1_GO122};

	check(cheapest(&newproc_func1_go122, &query), 0x35, PROBE_CLASS_EMULATED, GL_G_IN_REG1,
	      GL_GUARD_NONE);
}

Test(path, create_needs_the_call_that_makes_the_g)
{
	const struct path_query query = {.after_call = 0x1234, .up_to_call = RUNQPUT_GO122};
	struct code code = fixture__code(&newproc_func1_go122);
	struct path_point point = {.offset = 77};

	cr_assert_eq(path__cheapest(&code, &query, &point), -ENOENT);
	cr_assert_eq(point.offset, 77, "outputs stay untouched on failure");
}

Test(path, old_prologue_is_probed_at_the_guarded_branch)
{
	check(cheapest(&goexit0_go119, &argument), 0x4, PROBE_CLASS_EMULATED, GL_G_IN_REG0,
	      GL_GUARD_BRANCH_NOT_TAKEN);
}

Test(path, new_prologue_is_probed_at_the_push_behind_the_stack_check)
{
	check(cheapest(&gdestroy_go126, &argument), 0xa, PROBE_CLASS_EMULATED, GL_G_IN_REG0,
	      GL_GUARD_NONE);
}

Test(path, arm64)
{
	const struct path_query create = {.after_call = NEWPROC1_GO126_ARM64,
					  .up_to_call = RUNQPUT_GO126_ARM64};

	check(cheapest(&newproc_func1_go126_arm64, &create), 0x40, PROBE_CLASS_EMULATED,
	      GL_G_IN_REG1, GL_GUARD_NONE);
	check(cheapest(&goexit0_go120_arm64, &argument), 0x8, PROBE_CLASS_EMULATED, GL_G_IN_REG0,
	      GL_GUARD_BRANCH_NOT_TAKEN);
}

/* --- small functions written for one property each -------------------------------------------- */

static int x86(const uint8_t *bytes, size_t size, const struct path_query *query,
	       struct path_point *point)
{
	const struct code code = {
		.bytes = bytes, .size = size, .address = 0x401000, .decode = insn_amd64__decode};

	return path__cheapest(&code, query, point);
}

#define X86(query, point, ...)                                 \
	({                                                     \
		static const uint8_t bytes_[] = {__VA_ARGS__}; \
		x86(bytes_, sizeof(bytes_), query, point);     \
	})

Test(path, never_the_entry)
{
	struct path_point point;

	/* push %rbp; ret: no stack check, and the only emulated instruction is the entry */
	cr_assert_eq(X86(&argument, &point, 0x55, 0xc3), 0);
	cr_assert_eq(point.offset, 1);
	cr_assert_eq(point.class, PROBE_CLASS_SINGLE_STEP);
	/* ret */
	cr_assert_eq(X86(&argument, &point, 0xc3), -ENOENT);
}

Test(path, not_where_another_path_joins)
{
	struct path_point point;

	/* nop; nop; push %rbp; ret; jmp to the second nop: what follows it may run twice */
	cr_assert_eq(X86(&argument, &point, 0x66, 0x90, 0x90, 0x55, 0xc3, 0xeb, 0xfb), -ENOENT);
	/* the same jump to the entry is how a function starts again: allowed */
	cr_assert_eq(X86(&argument, &point, 0x66, 0x90, 0x90, 0x55, 0xc3, 0xeb, 0xf9), 0);
	cr_assert_eq(point.offset, 2);
}

Test(path, not_behind_a_branch)
{
	struct path_point point;

	/* mov %rdx,%rcx; je +1; push %rbp; ret: the push does not always run */
	cr_assert_eq(X86(&argument, &point, 0x48, 0x89, 0xd1, 0x74, 0x01, 0x55, 0xc3), 0);
	cr_assert_eq(point.offset, 3);
	cr_assert_eq(point.class, PROBE_CLASS_EMULATED);
}

Test(path, not_after_the_g_is_overwritten)
{
	struct path_point point;

	/* nop first; xor %eax,%eax (also clears RAX); nop; ret */
	cr_assert_eq(X86(&argument, &point, 0x48, 0x89, 0xd1, 0x31, 0xc0, 0x90, 0xc3), 0);
	cr_assert_eq(point.offset, 3, "the xor still sees the g, the nop does not");
	/* mov (%rdx),%al: a part is enough */
	cr_assert_eq(X86(&argument, &point, 0x8a, 0x02, 0x90, 0xc3), -ENOENT);
}

Test(path, follows_the_g_into_the_other_register)
{
	struct path_point point;

	/* mov %rax,%rbx; xor %eax,%eax; nop; ret */
	cr_assert_eq(X86(&argument, &point, 0x48, 0x89, 0xc3, 0x31, 0xc0, 0x90, 0xc3), 0);
	cr_assert_eq(point.offset, 5);
	cr_assert_eq(point.location, GL_G_IN_REG1);
	/* mov %eax,%ebx copies only half of it */
	cr_assert_eq(X86(&argument, &point, 0x89, 0xc3, 0x31, 0xc0, 0x90, 0xc3), 0);
	cr_assert_eq(point.offset, 2);
}

Test(path, follows_the_g_onto_the_stack)
{
	struct path_point point;

	/* mov %rax,0x18(%rsp); xor %eax,%eax; nop; ret */
	cr_assert_eq(X86(&argument, &point, 0x48, 0x89, 0x44, 0x24, 0x18, 0x31, 0xc0, 0x90, 0xc3),
		     0);
	cr_assert_eq(point.offset, 7);
	cr_assert_eq(point.location, GL_G_ON_STACK);
	cr_assert_eq(point.stack_offset, 0x18);
	/* the same with sub $8,%rsp before the nop: the slot has moved, and is given up */
	cr_assert_eq(X86(&argument, &point, 0x48, 0x89, 0x44, 0x24, 0x18, 0x31, 0xc0, 0x48, 0x83,
			 0xec, 0x08, 0x90, 0xc3),
		     0);
	cr_assert_neq(point.offset, 11);
}

Test(path, not_in_front_of_a_stack_check_it_does_not_know)
{
	struct path_point point;

	/* cmp 0x10(%r14),%rsp; jb grow (not jbe); push %rbp; ret */
	cr_assert_eq(X86(&argument, &point, 0x49, 0x3b, 0x66, 0x10, 0x72, 0x02, 0x55, 0xc3),
		     -ENOENT);
	/* nop; cmp; jbe; push; ret: the nop runs again after growth, the push does not */
	cr_assert_eq(X86(&argument, &point, 0x66, 0x90, 0x90, 0x49, 0x3b, 0x66, 0x10, 0x76, 0x02,
			 0x55, 0xc3),
		     0);
	cr_assert_eq(point.offset, 9);
}

Test(path, the_only_return)
{
	static const uint8_t one[] = {0x90, 0x48, 0x89, 0xd1, 0xc3, 0xcc, 0xcc};
	static const uint8_t two[] = {0x90, 0x74, 0x01, 0xc3, 0xc3};
	static const uint8_t none[] = {0x90, 0xeb, 0xfd};
	struct code code = {.bytes = one,
			    .size = sizeof(one),
			    .address = 0x401000,
			    .decode = insn_amd64__decode};
	struct path_point point;

	cr_assert_eq(path__only_return(&code, &point), 0);
	cr_assert_eq(point.offset, 4);
	cr_assert_eq(point.location, GL_G_IN_REG0);
	cr_assert_eq(point.class, PROBE_CLASS_SINGLE_STEP);
	code.bytes = two;
	code.size = sizeof(two);
	cr_assert_eq(path__only_return(&code, &point), -ENOENT);
	code.bytes = none;
	code.size = sizeof(none);
	cr_assert_eq(path__only_return(&code, &point), -ENOENT);
}

Test(path, whether_a_function_is_called_or_has_been_inlined)
{
	struct code code = fixture__code(&newproc_func1_go124);

	cr_assert_eq(path__calls(&code, NEWPROC1_GO124), 1);
	cr_assert_eq(path__calls(&code, RUNQPUT_GO124), 1);
	cr_assert_eq(path__calls(&code, NEWPROC1_GO124 + 1), 0);
	code.size = 0x42; /* inside the call of runqput: not understood is not "no" */
	cr_assert_eq(path__calls(&code, RUNQPUT_GO124), -EILSEQ);
}

/* --- hostile code ------------------------------------------------------------------------------ */

Test(path, code_that_ends_inside_an_instruction_is_refused)
{
	const struct path_query query = {.after_call = NEWPROC1_GO124, .up_to_call = RUNQPUT_GO124};
	struct code code = fixture__code(&newproc_func1_go124);
	struct path_point point;

	code.size = 0x42; /* the call at 0x40 has five bytes */
	cr_assert_eq(path__cheapest(&code, &query, &point), -EILSEQ);
	code.size = 0;
	cr_assert_eq(path__cheapest(&code, &query, &point), -ENOENT);
}

Test(path, endless_code_is_refused)
{
	size_t size = 1u << 20;
	uint8_t *nops = malloc(size);
	struct code code = {
		.bytes = nops, .size = size, .address = 0x401000, .decode = insn_amd64__decode};
	struct path_point point;

	cr_assert_not_null(nops);
	memset(nops, 0x90, size);
	cr_assert_eq(path__cheapest(&code, &argument, &point), -E2BIG);
	free(nops);
}

Test(path, data_never_yields_a_point_outside_of_it)
{
	uint8_t bytes[256];
	uint32_t state = 12345;

	for (int round = 0; round < 4000; round++) {
		struct code code = {.bytes = bytes,
				    .size = 4 + round % 250,
				    .address = 0x401000,
				    .decode = round % 2 ? insn_amd64__decode : insn_arm64__decode};
		struct path_point point = {0};

		for (size_t i = 0; i < sizeof(bytes); i++) {
			state = state * 1664525 + 1013904223;
			bytes[i] = (uint8_t)(state >> 24);
		}
		if (path__cheapest(&code, &argument, &point))
			continue;
		cr_assert(point.offset > 0 && point.offset < code.size);
		cr_assert(point.location <= GL_G_ON_STACK);
	}
}
