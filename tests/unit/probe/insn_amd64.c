// SPDX-License-Identifier: Apache-2.0
#include "probe/insn.h"

#include <criterion/criterion.h>
#include <errno.h>

#define ADDRESS 0x401000

#define DECODE(...)                                                                           \
	({                                                                                    \
		static const uint8_t bytes_[] = {__VA_ARGS__};                                \
		struct insn insn_ = {0};                                                      \
		cr_assert_eq(insn_amd64__decode(bytes_, sizeof(bytes_), ADDRESS, &insn_), 0); \
		cr_assert_eq(insn_.length, sizeof(bytes_));                                   \
		insn_;                                                                        \
	})

static void is_class(struct insn insn, enum probe_class class)
{
	cr_assert(insn.probeable);
	cr_assert_eq(insn.class, class);
}

/* What arch/x86/kernel/uprobes.c emulates. */
Test(insn_amd64, emulated)
{
	is_class(DECODE(0x90), PROBE_CLASS_EMULATED);
	is_class(DECODE(0x66, 0x90), PROBE_CLASS_EMULATED);
	is_class(DECODE(0x55), PROBE_CLASS_EMULATED);				    /* push */
	is_class(DECODE(0x41, 0x54), PROBE_CLASS_EMULATED);			    /* push %r12 */
	is_class(DECODE(0x76, 0x10), PROBE_CLASS_EMULATED);			    /* jbe */
	is_class(DECODE(0x0f, 0x86, 0x00, 0x01, 0x00, 0x00), PROBE_CLASS_EMULATED); /* jbe */
	is_class(DECODE(0xe8, 0x00, 0x01, 0x00, 0x00), PROBE_CLASS_EMULATED);	    /* call */
	is_class(DECODE(0xeb, 0x10), PROBE_CLASS_EMULATED);			    /* jmp */
	is_class(DECODE(0xe9, 0x00, 0x01, 0x00, 0x00), PROBE_CLASS_EMULATED);	    /* jmp */
}

Test(insn_amd64, single_stepped)
{
	is_class(DECODE(0x49, 0x3b, 0x66, 0x10), PROBE_CLASS_SINGLE_STEP); /* cmp */
	is_class(DECODE(0x48, 0x89, 0xe5), PROBE_CLASS_SINGLE_STEP);	   /* mov */
	is_class(DECODE(0xc3), PROBE_CLASS_SINGLE_STEP);		   /* ret */
	/* xchg %r8,%rax shares its opcode with nop */
	cr_assert(!DECODE(0x49, 0x90).probeable);
}

/* Kernels turn some of them into calls of a system call. */
Test(insn_amd64, long_nops_are_never_probed)
{
	cr_assert(!DECODE(0x0f, 0x1f, 0x00).probeable);
	cr_assert(!DECODE(0x0f, 0x1f, 0x40, 0x00).probeable);
	cr_assert(!DECODE(0x0f, 0x1f, 0x44, 0x00, 0x00).probeable);
	cr_assert(!DECODE(0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00).probeable);
}

Test(insn_amd64, never_probed)
{
	cr_assert(!DECODE(0xcc).probeable);	  /* int3 */
	cr_assert(!DECODE(0x0f, 0x05).probeable); /* syscall */
	cr_assert(!DECODE(0xf4).probeable);	  /* hlt */
	cr_assert(!DECODE(0xe3, 0x05).probeable); /* jrcxz */
	cr_assert(!DECODE(0xff, 0xd0).probeable); /* call *%rax */
	cr_assert(!DECODE(0x64, 0x48, 0x8b, 0x04, 0x25, 0xf8, 0xff, 0xff, 0xff).probeable);
}

Test(insn_amd64, flow)
{
	struct insn insn = DECODE(0xe8, 0xfb, 0xff, 0xff, 0xff);

	cr_assert_eq(insn.kind, INSN_CALL);
	cr_assert_eq(insn.target, ADDRESS);
	insn = DECODE(0x76, 0x10);
	cr_assert_eq(insn.kind, INSN_BRANCH);
	cr_assert(insn.branches_if_below_or_equal);
	cr_assert_eq(insn.target, ADDRESS + 0x12);
	cr_assert(!DECODE(0x72, 0x10).branches_if_below_or_equal); /* jb */
	cr_assert_eq(DECODE(0xeb, 0x10).kind, INSN_JUMP);
	cr_assert_eq(DECODE(0xff, 0xd0).kind, INSN_CALL_INDIRECT);
	cr_assert_eq(DECODE(0xff, 0xe0).kind, INSN_END); /* jmp *%rax */
	cr_assert_eq(DECODE(0xcc).kind, INSN_END);
	cr_assert_eq(DECODE(0x0f, 0x0b).kind, INSN_END); /* ud2 */
	insn = DECODE(0xc3);
	cr_assert_eq(insn.kind, INSN_END);
	cr_assert(insn.returns);
}

Test(insn_amd64, stack_limit)
{
	cr_assert(DECODE(0x49, 0x3b, 0x66, 0x10).compares_stack_limit);	 /* 0x10(%r14),%rsp */
	cr_assert(DECODE(0x4d, 0x3b, 0x66, 0x10).compares_stack_limit);	 /* 0x10(%r14),%r12 */
	cr_assert(!DECODE(0x49, 0x3b, 0x66, 0x18).compares_stack_limit); /* 0x18(%r14),%rsp */
	cr_assert(!DECODE(0x49, 0x8b, 0x66, 0x10).compares_stack_limit); /* mov */
}

Test(insn_amd64, moves)
{
	struct insn insn = DECODE(0x48, 0x89, 0xc3); /* mov %rax,%rbx */

	cr_assert_eq(insn.copies_from, INSN_REG0);
	cr_assert_eq(insn.copies_to, INSN_REG1);
	cr_assert_eq(insn.writes, INSN_REG1);
	cr_assert_eq(DECODE(0x89, 0xc3).copies_to, 0); /* mov %eax,%ebx */
	insn = DECODE(0x48, 0x89, 0x5c, 0x24, 0x40);   /* mov %rbx,0x40(%rsp) */
	cr_assert_eq(insn.stores, INSN_REG1);
	cr_assert_eq(insn.slot, 0x40);
	cr_assert_eq(DECODE(0x89, 0x5c, 0x24, 0x40).stores, 0);	      /* mov %ebx,0x40(%rsp) */
	cr_assert_eq(DECODE(0x48, 0x89, 0x5c, 0x24, 0xf8).stores, 0); /* mov %rbx,-8(%rsp) */
	cr_assert_eq(DECODE(0x48, 0x89, 0x43, 0x40).stores, 0);	      /* mov %rax,0x40(%rbx) */
	cr_assert_eq(DECODE(0x48, 0x83, 0xec, 0x20).writes, INSN_SP);
	cr_assert_eq(DECODE(0x66, 0x90).writes, 0);
	cr_assert(DECODE(0x48, 0x93).writes & INSN_REG0); /* xchg %rax,%rbx */
	cr_assert(DECODE(0x0f, 0xa2).writes & INSN_REG1); /* cpuid */
}

Test(insn_amd64, refuses_what_is_no_instruction)
{
	static const uint8_t cut[] = {0xe8, 0x00};
	static const uint8_t invalid[] = {0x06}; /* push %es: not in long mode */
	struct insn insn = {.length = 99};

	cr_assert_eq(insn_amd64__decode(cut, sizeof(cut), ADDRESS, &insn), -EILSEQ);
	cr_assert_eq(insn_amd64__decode(invalid, sizeof(invalid), ADDRESS, &insn), -EILSEQ);
	cr_assert_eq(insn_amd64__decode(invalid, 0, ADDRESS, &insn), -EILSEQ);
	cr_assert_eq(insn.length, 99);
}
