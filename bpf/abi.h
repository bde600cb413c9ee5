/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef GLEAKD_BPF_ABI_H
#define GLEAKD_BPF_ABI_H

/*
 * What the BPF programs and the daemon say to each other: the only header both sides include.
 * Fixed-width types, explicit padding, enum values append-only. Include vmlinux.h (BPF side) or
 * <linux/types.h> (user side) first.
 */

#define GL_MAX_BINARIES 4096 /* distinct Go binaries probed at one time */

enum gl_event_kind {
	GL_EVENT_CREATE = 1, /* newproc: the goroutine exists and is about to become runnable */
	GL_EVENT_EXIT = 2,   /* gdestroy / goexit0: the goroutine is gone */
	GL_EVENT_PARK = 3,   /* park_m: the goroutine stops running until it is made ready */
};

/*
 * Head of every ring-buffer record, and the whole of EXIT and PARK. The consumer takes a longer
 * record than it knows and ignores the rest; a shorter one is counted as malformed.
 */
struct gl_event {
	__u8 kind;	  /* enum gl_event_kind */
	__u8 wait_reason; /* PARK: g.waitreason, numbered as in the target's Go version */
	__u16 binary;	  /* index into gl_binaries of the program that was hit */
	__u32 tgid;	  /* process, as seen in gleakd's pid namespace */
	__u64 time_ns;	  /* CLOCK_MONOTONIC */
	__u64 goid;
};

struct gl_event_create {
	struct gl_event head;
	__u64 parent_goid; /* creator, 0 where unknown */
	__u64 creation_pc; /* g.gopc: return address of the go statement, target address */
	__u64 start_pc;	   /* g.startpc: entry of the goroutine's function, target address */
};

/*
 * What the programs need to know of one attached process, in slot `binary` of gl_binaries: where
 * the fields of its Go version's runtime.g are, and who it is. Every link is filtered by process,
 * so the slot already says which one was hit: no look-up per hit, and right in any pid namespace.
 *
 * Every read of target memory costs about 27 ns, nearly whatever its size, so all fields are read
 * at once, as a window of the g that begins at goid. In Go 1.18 to 1.27 none is further away than
 * 160 bytes; waitreason, which PARK alone reads, is 24 bytes away.
 */
#define GL_WINDOW_WORDS	     24 /* for CREATE */
#define GL_PARK_WINDOW_WORDS 4	/* power of two */
#define GL_NO_WORD	     0xff

struct gl_binary {
	__u16 g_goid;
	__u16 g_m;
	__u16 m_curg;
	__u8 waitreason_byte; /* in the window, as the next ones */
	__u8 parent_word;     /* GL_NO_WORD before Go 1.21 */
	__u8 gopc_word;
	__u8 startpc_word;
	__u8 padding[2];
	__u32 tgid; /* goes into gl_event.tgid */
};

/*
 * Attach cookie of a uprobe: which binary, which register or stack slot holds the g, and whether
 * the hit counts only when a conditional branch is not taken. Layout, low bits first:
 * binary:16, g_location:8, guard:8, g_stack_offset:16 (bytes above sp), zero:16.
 */
enum gl_g_location {
	GL_G_IN_REG0 = 0,  /* amd64 RAX, arm64 R0: first argument of ABIInternal */
	GL_G_IN_REG1 = 1,  /* amd64 RBX, arm64 R1: second argument */
	GL_G_ON_STACK = 2, /* at sp + g_stack_offset */
};

enum gl_guard {
	GL_GUARD_NONE = 0,
	/* The probe sits on the stack check's branch; taken means "grow the stack, start again". */
	GL_GUARD_BRANCH_NOT_TAKEN = 1,
};

#define GL_COOKIE(binary, g_location, guard, g_stack_offset)                  \
	((__u64)(binary) | (__u64)(g_location) << 16 | (__u64)(guard) << 24 | \
	 (__u64)(g_stack_offset) << 32)
#define GL_COOKIE_BINARY(cookie)       ((__u16)(cookie))
#define GL_COOKIE_G_LOCATION(cookie)   ((__u8)((cookie) >> 16))
#define GL_COOKIE_GUARD(cookie)	       ((__u8)((cookie) >> 24))
#define GL_COOKIE_STACK_OFFSET(cookie) ((__u16)((cookie) >> 32))

enum gl_loss_reason {
	GL_LOST_RING_FULL = 0,	/* no room in the ring buffer */
	GL_LOST_UNREADABLE = 1, /* target memory could not be read in the program */
	GL_LOST_REASONS = 2,
};

/* Records of one slot of gl_binaries that did not arrive: each counts once by reason and by kind. */
struct gl_losses {
	__u64 by_reason[GL_LOST_REASONS];
	__u64 by_kind[4]; /* by enum gl_event_kind */
};

_Static_assert(sizeof(struct gl_event) == 24, "gl_event is part of the ABI");
_Static_assert(sizeof(struct gl_event_create) == 48, "gl_event_create is part of the ABI");
_Static_assert(sizeof(struct gl_binary) == 16, "gl_binary is part of the ABI");
_Static_assert(sizeof(struct gl_losses) == 48, "gl_losses is part of the ABI");

#endif /* GLEAKD_BPF_ABI_H */
