/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef GLEAKD_BPF_GOABI_BPF_H
#define GLEAKD_BPF_GOABI_BPF_H

/*
 * Where Go's register ABI keeps things at a probe site (src/cmd/compile/abi-internal.md): the first
 * six integer arguments, the g, the stack pointer, and whether the branch under the probe is about to
 * be taken.
 */
#if defined(__TARGET_ARCH_x86)

#define GO_REG0(ctx) ((ctx)->ax)
#define GO_REG1(ctx) ((ctx)->bx)
#define GO_REG2(ctx) ((ctx)->cx)
#define GO_REG3(ctx) ((ctx)->di)
#define GO_REG4(ctx) ((ctx)->si)
#define GO_REG5(ctx) ((ctx)->r8)
#define GO_G(ctx)    ((ctx)->r14)
#define GO_SP(ctx)   ((ctx)->sp)
#define GO_FP(ctx)   ((ctx)->bp)

/* What a function returns to, before it has made its frame; 0: not readable. */
static __always_inline __u64 go_caller(const struct pt_regs *ctx)
{
	__u64 pc = 0;

	bpf_probe_read_user(&pc, sizeof(pc), (void *)GO_SP(ctx));
	return pc;
}

#define X86_FLAGS_CF (1u << 0)
#define X86_FLAGS_ZF (1u << 6)

/* The stack check is `cmp limit, sp; jbe grow`: taken when CF or ZF is set. */
static __always_inline bool go_branch_taken(const struct pt_regs *ctx)
{
	return ctx->flags & (X86_FLAGS_CF | X86_FLAGS_ZF);
}

#elif defined(__TARGET_ARCH_arm64)

#define GO_REGS(ctx) ((const struct user_pt_regs *)(ctx))
#define GO_REG0(ctx) (GO_REGS(ctx)->regs[0])
#define GO_REG1(ctx) (GO_REGS(ctx)->regs[1])
#define GO_REG2(ctx) (GO_REGS(ctx)->regs[2])
#define GO_REG3(ctx) (GO_REGS(ctx)->regs[3])
#define GO_REG4(ctx) (GO_REGS(ctx)->regs[4])
#define GO_REG5(ctx) (GO_REGS(ctx)->regs[5])
#define GO_G(ctx)    (GO_REGS(ctx)->regs[28])
#define GO_SP(ctx)   (GO_REGS(ctx)->sp)
#define GO_FP(ctx)   (GO_REGS(ctx)->regs[29])

/* What a function returns to, before it has made its frame: the link register. */
static __always_inline __u64 go_caller(const struct pt_regs *ctx)
{
	return GO_REGS(ctx)->regs[30];
}

#define ARM64_PSTATE_C (1u << 29)
#define ARM64_PSTATE_Z (1u << 30)

/* The stack check is `cmp sp, limit; b.ls grow`: not taken when C is set and Z is clear. */
static __always_inline bool go_branch_taken(const struct pt_regs *ctx)
{
	__u64 flags = GO_REGS(ctx)->pstate & (ARM64_PSTATE_C | ARM64_PSTATE_Z);

	return flags != ARM64_PSTATE_C;
}

#else
#error "define __TARGET_ARCH_x86 or __TARGET_ARCH_arm64"
#endif

#endif /* GLEAKD_BPF_GOABI_BPF_H */
