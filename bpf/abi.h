/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef GLEAKD_BPF_ABI_H
#define GLEAKD_BPF_ABI_H

/*
 * What the BPF programs and gleakd agree on. Fixed-width types, explicit padding, enum values
 * append-only. Include vmlinux.h (BPF side) or <linux/types.h> (user side) first.
 */

#define GL_MAX_TARGETS 4096 /* processes probed at one time */

/* What a probe can tell. Which program does it and in which modes: user/probe/event.c. */
enum probe_event {
	PROBE_EVENT_CREATE = 0, /* newproc: the goroutine exists and is about to become runnable */
	PROBE_EVENT_EXIT = 1,	/* gdestroy / goexit0: the goroutine is gone */
	PROBE_EVENT_PARK = 2,	/* park_m: the goroutine stops running until it is made ready */
	PROBE_EVENT_WAKE = 3,	/* ready: another one makes it ready that waited for it */
	PROBE_EVENT_COUNT,
};

/* Return addresses of who created a goroutine: calls that are not inlined. */
#define GL_CREATOR_STACK 40

/*
 * Head of every ring-buffer record, and the whole of EXIT and PARK. The reader takes a record that
 * is longer than it knows and ignores the rest; it counts a shorter one as malformed.
 */
struct gl_event {
	__u8 kind; /* enum probe_event */
	__u8 n_pcs; /* of CREATE: so many are in the struct gl_creator that follows; 0: none does; of WAKE its pcs */
	__u16 slot;    /* in gl_targets, of the process that was hit */
	__u32 tgid;    /* process, as seen in gleakd's pid namespace */
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 goid;
};

struct gl_event_create {
	struct gl_event head;
	__u64 creation_pc; /* g.gopc: return address of the go statement, target address */
	__u64 start_pc;	   /* g.startpc: entry of the goroutine's function, target address */
};

/* Who created it. The stack begins within the runtime, crosses to the goroutine's own, and has creation_pc. */
struct gl_creator {
	__u64 goid; /* 0: not known, or the runtime's own */
	__u64 pcs[GL_CREATOR_STACK];
};

struct gl_event_called {
	struct gl_event_create create;
	struct gl_creator creator;
};

/* Frames of who was woken. A wait in a library of HTTP is some twenty deep. */
#define GL_WAKE_STACK 32

/* Who was woken, and where it waits: only of waits that gl_target.told has. head.n_pcs are in pcs. */
struct gl_event_wake {
	struct gl_event head;
	__u64 creation_pc, start_pc; /* as in gl_event_create */
	__u64 wait_reason;	     /* g.waitreason, the number of this Go version */
	__u64 pcs[GL_WAKE_STACK];    /* innermost first: that of gopark, then return addresses */
};

/*
 * When the stacks of creators were last taken: of each `go` statement one in so many nanoseconds. Two of
 * the paces of its process, by its address, stand for one: only where others keep both busy is it left
 * out. Units of 2^GL_PACE_SHIFT ns.
 */
#define GL_PACES      64
#define GL_PACE_SHIFT 26

struct gl_paces {
	__u32 last[GL_PACES];
};

/*
 * What the programs need to know of one probed process, in its slot of gl_targets: where the fields
 * of its Go version's runtime.g are, and its process id. Every link is filtered by process, so the
 * slot in the cookie already says which process was hit: no look-up by pid per hit, and right in
 * any pid namespace.
 *
 * A read of target memory costs about 27 ns, nearly whatever its size, so one read takes all
 * fields: a window of the g that begins at goid. In Go 1.18 to 1.27 no field is further away than
 * 160 bytes.
 */
#define GL_WINDOW_WORDS 24

struct gl_target {
	__u16 g_goid;	/* offset in runtime.g */
	__u8 gopc_word; /* in the window, as the next one */
	__u8 startpc_word;
	__u32 tgid; /* goes into gl_event.tgid */
	__u16 g_m;  /* offset in runtime.g, of its thread */
	__u16 m_curg;
	__u16 g_sched_pc; /* where a goroutine that waits goes on */
	__u16 g_sched_bp; /* its frame pointer */
	__u16 reason_at;  /* bytes from goid in the window */
	__u16 padding;
	__u32 more_padding; /* so that the next one is aligned */
	__u64 told; /* bit N: waits of reason N are told of when they end; others have no record */
};

/*
 * Attach cookie of a uprobe: the slot of the process, which register or stack slot holds the g, and
 * whether the hit counts only when a conditional branch is not taken. Layout, low bits first:
 * slot:16, g_location:8, guard:8, g_stack_offset:16 (bytes above sp), zero:16.
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

#define GL_COOKIE(slot, g_location, guard, g_stack_offset)                  \
	((__u64)(slot) | (__u64)(g_location) << 16 | (__u64)(guard) << 24 | \
	 (__u64)(g_stack_offset) << 32)
#define GL_COOKIE_SLOT(cookie)	       ((__u16)(cookie))
#define GL_COOKIE_G_LOCATION(cookie)   ((__u8)((cookie) >> 16))
#define GL_COOKIE_GUARD(cookie)	       ((__u8)((cookie) >> 24))
#define GL_COOKIE_STACK_OFFSET(cookie) ((__u16)((cookie) >> 32))

enum gl_loss_reason {
	GL_LOST_RING_FULL = 0,	/* no room in the ring buffer */
	GL_LOST_UNREADABLE = 1, /* target memory could not be read in the program */
	GL_LOST_REASONS = 2,
};

/*
 * Records of one slot that did not arrive: each counts once by reason and once by event. And hits that have no
 * record, as nobody wants one.
 */
struct gl_losses {
	__u64 by_reason[GL_LOST_REASONS];
	__u64 by_event[PROBE_EVENT_COUNT];
	__u64 untold[PROBE_EVENT_COUNT];
};

_Static_assert(sizeof(struct gl_event) == 24, "gl_event is part of the ABI");
_Static_assert(sizeof(struct gl_event_create) == 40, "gl_event_create is part of the ABI");
_Static_assert(sizeof(struct gl_event_called) == 48 + 8 * GL_CREATOR_STACK,
	       "gl_event_called is part of the ABI");
_Static_assert(sizeof(struct gl_event_wake) == 48 + 8 * GL_WAKE_STACK,
	       "gl_event_wake is part of the ABI");
_Static_assert(sizeof(struct gl_target) == 32, "gl_target is part of the ABI");
_Static_assert(sizeof(struct gl_losses) == 80, "gl_losses is part of the ABI");

#endif /* GLEAKD_BPF_ABI_H */
