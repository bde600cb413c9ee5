// SPDX-License-Identifier: Apache-2.0
#include "probe/trials.h"

/*
 * @name runs @before, the probed @insn and @after as often as its second argument says. In assembly,
 * because the instruction has to be this very one.
 */
#if defined(__x86_64__)

#define ENTER  "\tmov %rdi, %rax\n"
#define AGAIN  "\tdec %rsi\n\tjnz 1b\n"
#define RETURN "\tret\n"

#define CALL   "call 3f"
#define JUMP   "jmp 4f\n4:"
#define BRANCH "jbe 2f"
/* Never emulated so far; kernels after 6.18 do emulate mov and sub. */
#define STEPPED "lea (%rax), %rax"

/* Neither below nor equal: the branch is not taken, as in a Go prologue. */
#define BEFORE_BRANCH "\ttest %rsi, %rsi\n"

#elif defined(__aarch64__)

#define ENTER  "\tmov x9, x30\n"
#define AGAIN  "\tsubs x1, x1, #1\n\tb.ne 1b\n"
#define RETURN "\tmov x30, x9\n\tret\n"

#define CALL	"bl 3f"
#define JUMP	"b 4f\n4:"
#define BRANCH	"b.ls 2f"
#define STEPPED "mov x2, x0"

#define BEFORE_BRANCH "\tcmp x1, #0\n"

#endif

#define TRIAL(name, before, insn, after)                                         \
	__asm__(".pushsection .text\n"                                           \
		".balign 64\n"                                                   \
		".type trial_" name ", %function\n"                              \
		"trial_" name ":\n" ENTER "1:\n" before "trial_" name "_site:\n" \
		"\t" insn "\n" after AGAIN "2:\n" RETURN "3:\tret\n"             \
		".size trial_" name ", . - trial_" name "\n"                     \
		".popsection\n")

#define DECLARE(name)                                                                           \
	void trial_##name(const void *g, uint64_t count) __attribute__((visibility("hidden"))); \
	extern const char trial_##name##_site[] __attribute__((visibility("hidden")))

#define ENTRY(name)                                          \
	{                                                    \
		trial_##name, (uintptr_t)trial_##name##_site \
	}

DECLARE(call);
DECLARE(jump);
DECLARE(branch);
DECLARE(stepped);
TRIAL("call", "", CALL, "");
TRIAL("jump", "", JUMP, "");
TRIAL("branch", BEFORE_BRANCH, BRANCH, "");
TRIAL("stepped", "", STEPPED, "");

#ifdef __x86_64__
DECLARE(push);
TRIAL("push", "", "push %rbp", "\tpop %rbp\n");
#endif

struct trial trial__get(enum calibration_kind kind)
{
	switch (kind) {
	case CALIBRATION_CALL:
		return (struct trial)ENTRY(call);
	case CALIBRATION_JUMP:
		return (struct trial)ENTRY(jump);
	case CALIBRATION_BRANCH:
		return (struct trial)ENTRY(branch);
	case CALIBRATION_SINGLE_STEP:
		return (struct trial)ENTRY(stepped);
#ifdef __x86_64__
	case CALIBRATION_PUSH:
		return (struct trial)ENTRY(push);
#endif
	default:
		return (struct trial){0};
	}
}
