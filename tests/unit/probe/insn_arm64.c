// SPDX-License-Identifier: Apache-2.0
#include "probe/insn.h"

#include <criterion/criterion.h>
#include <errno.h>

#define ADDRESS 0x5f3b0

static struct insn decode(uint32_t word)
{
	const uint8_t bytes[] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16),
				 (uint8_t)(word >> 24)};
	struct insn insn = {0};

	cr_assert_eq(insn_arm64__decode(bytes, sizeof(bytes), ADDRESS, &insn), 0);
	cr_assert_eq(insn.length, 4);
	return insn;
}

static void flows(uint32_t word, enum insn_kind kind, uint64_t target)
{
	struct insn insn = decode(word);

	cr_assert_eq(insn.kind, kind, "%08x", word);
	cr_assert_eq(insn.target, target, "%08x", word);
	cr_assert(insn.probeable);
	cr_assert_eq(insn.class, PROBE_CLASS_EMULATED);
}

Test(insn_arm64, simulated_branches)
{
	flows(0x94000012, INSN_CALL, ADDRESS + 0x48);
	flows(0x97ffe8d7, INSN_CALL, ADDRESS - 0x5ca4);
	flows(0x17ffffe6, INSN_JUMP, ADDRESS - 0x68);
	flows(0x540002c9, INSN_BRANCH, ADDRESS + 0x58); /* b.ls */
	flows(0x36000045, INSN_BRANCH, ADDRESS + 8);	/* tbz w5, #0 */
	flows(0xb4000341, INSN_BRANCH, ADDRESS + 0x68); /* cbz x1 */
	flows(0xd63f0040, INSN_CALL_INDIRECT, 0);	/* blr x2 */
	flows(0xd61f0040, INSN_END, 0);			/* br x2 */
	flows(0xd65f03c0, INSN_END, 0);			/* ret */
	cr_assert(decode(0xd65f03c0).returns);
	cr_assert(!decode(0xd61f0040).returns);
	cr_assert(decode(0x540002c9).branches_if_below_or_equal);
	cr_assert(!decode(0x54000423).branches_if_below_or_equal); /* b.lo */
}

Test(insn_arm64, stack_limit)
{
	cr_assert(decode(0xeb3063ff).compares_stack_limit);  /* cmp sp, x16 */
	cr_assert(decode(0xeb10023f).compares_stack_limit);  /* cmp x17, x16 */
	cr_assert(!decode(0xeb04007f).compares_stack_limit); /* cmp x3, x4 */
	cr_assert(!decode(0xcb100231).compares_stack_limit); /* sub x17, x17, x16 */
}

Test(insn_arm64, moves)
{
	struct insn insn = decode(0xaa0003e1); /* mov x1, x0 */

	cr_assert_eq(insn.copies_from, INSN_REG0);
	cr_assert_eq(insn.copies_to, INSN_REG1);
	cr_assert_eq(insn.writes, INSN_REG1);
	cr_assert_eq(decode(0x2a0003e1).copies_to, 0); /* mov w1, w0: half of it */
	cr_assert_eq(decode(0xaa0503e0).copies_to, 0); /* mov x0, x5 */
	insn = decode(0xf90027e0);		       /* str x0, [sp, #72] */
	cr_assert_eq(insn.stores, INSN_REG0);
	cr_assert_eq(insn.slot, 72);
	cr_assert_eq(decode(0xf9002460).stores, 0); /* str x0, [x3, #72] */
}

Test(insn_arm64, writes)
{
	cr_assert_eq(decode(0xf9400400).writes, INSN_REG0);		/* ldr x0, [x0, #8] */
	cr_assert_eq(decode(0xa9408740).writes, INSN_REG0 | INSN_REG1); /* ldp x0, x1, [x26, #8] */
	cr_assert_eq(decode(0xb27f03e1).writes, INSN_REG1);		/* orr x1, xzr, #2 */
	cr_assert_eq(decode(0x90000b00).writes, INSN_REG0);		/* adrp x0 */
	cr_assert_eq(decode(0xd10083ff).writes, INSN_SP);		/* sub sp, sp, #32 */
	cr_assert(decode(0xf81d0ffe).writes & INSN_SP);			/* str x30, [sp, #-48]! */
	cr_assert(decode(0xa9bf7bfd).writes & INSN_SP);	  /* stp x29, x30, [sp, #-16]! */
	cr_assert(decode(0xf8408400).writes & INSN_REG0); /* ldr x0, [x0], #8 */
	cr_assert(decode(0xf8200041).writes & INSN_REG1); /* ldadd x0, x1, [x2] */
	cr_assert(decode(0xc8dffc80).writes & INSN_REG0); /* ldar x0, [x4] */
	cr_assert(decode(0x58000040).writes & INSN_REG0); /* ldr x0, literal */
	cr_assert(decode(0xd53bd040).writes & INSN_REG0); /* mrs x0, tpidr_el0 */
	cr_assert_eq(decode(0xeb04007f).writes, 0);	  /* cmp x3, x4 */
	cr_assert_eq(decode(0xf9401b84).writes, 0);	  /* ldr x4, [x28, #48] */
}

Test(insn_arm64, cost)
{
	cr_assert_eq(decode(0x90000b00).class, PROBE_CLASS_EMULATED); /* adrp */
	cr_assert_eq(decode(0xaa0003e1).class, PROBE_CLASS_SINGLE_STEP);
	cr_assert(decode(0xaa0003e1).probeable);
	cr_assert(!decode(0xc8dffc85).probeable); /* ldar */
	cr_assert(!decode(0xc85ffc85).probeable); /* ldaxr */
	cr_assert(!decode(0x58000045).probeable); /* ldr literal */
	cr_assert(!decode(0xd4200000).probeable); /* brk */
	cr_assert(!decode(0xd53bd045).probeable); /* mrs */
	cr_assert(!decode(0x00000000).probeable); /* udf */
	cr_assert_eq(decode(0x00000000).kind, INSN_END);
	cr_assert_eq(decode(0xd4200000).kind, INSN_END);
}

Test(insn_arm64, too_short)
{
	const uint8_t bytes[4] = {0};
	struct insn insn = {.length = 99};

	cr_assert_eq(insn_arm64__decode(bytes, 3, ADDRESS, &insn), -EILSEQ);
	cr_assert_eq(insn.length, 99);
}
