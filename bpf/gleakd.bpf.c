// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Life events of goroutines, from uprobes on instructions inside the Go runtime. One program per
 * event and one set for all Go versions: the attach cookie says where the g is at the probed
 * instruction, gl_targets where its fields are.
 *
 * A program writes nothing but its record, and gl_create() when it last took a creator's stack. A
 * record that does not reach gleakd is counted, by process, event and reason. The programs do not
 * filter: the trap costs far more than they do, so an event that is not wanted is detached.
 * gl_wake() alone leaves out what it has no use for.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "goabi.bpf.h"
#include "maps.bpf.h"

/*
 * One hit in this many looks at the fill level. Bits of its time choose it, so that no counter has
 * to be kept; two hits in a row do not have the same.
 */
#define WAKEUP_CHECK_SHIFT 6
#define WAKEUP_CHECK_MASK  63

struct hit {
	const struct gl_target *target;
	__u64 g;       /* address of the runtime.g the event is about */
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u16 slot;    /* of @target */
};

/*
 * Counts a record that will not arrive. Atomically: a task can preempt a uprobe program and hit the
 * same program on the same CPU.
 */
static __always_inline void lose(const struct hit *hit, enum gl_loss_reason reason,
				 enum probe_event event)
{
	__u32 slot = hit->slot;
	struct gl_losses *losses = bpf_map_lookup_elem(&gl_losses, &slot);

	if (!losses)
		return;
	__sync_fetch_and_add(&losses->by_reason[reason], 1);
	__sync_fetch_and_add(&losses->by_event[event], 1);
}

/*
 * Waking a sleeping reader costs fifty times what the record costs. So the reader looks into the
 * ring buffer now and then, and is woken only when it fills faster than that.
 */
static __always_inline __u64 submit_flags(const struct hit *hit)
{
	if (hit->time_ns >> WAKEUP_CHECK_SHIFT & WAKEUP_CHECK_MASK)
		return BPF_RB_NO_WAKEUP;
	if (bpf_ringbuf_query(&gl_events, BPF_RB_AVAIL_DATA) < gl_wakeup_bytes)
		return BPF_RB_NO_WAKEUP;
	return BPF_RB_FORCE_WAKEUP;
}

/*
 * Reads both registers before the choice, behind barriers: compilers like to merge the two into one
 * load from a computed offset, which the verifier refuses ("modified ctx ptr").
 */
static __always_inline __u64 g_at_site(struct pt_regs *ctx, __u64 cookie)
{
	__u64 reg0 = GO_REG0(ctx), reg1 = GO_REG1(ctx), g = 0;

	barrier_var(reg0);
	barrier_var(reg1);
	switch (GL_COOKIE_G_LOCATION(cookie)) {
	case GL_G_IN_REG0:
		return reg0;
	case GL_G_IN_REG1:
		return reg1;
	case GL_G_ON_STACK:
		bpf_probe_read_user(&g, sizeof(g),
				    (void *)(GO_SP(ctx) + GL_COOKIE_STACK_OFFSET(cookie)));
	}
	return g;
}

/*
 * Returns false when the hit is no event: the stack is about to grow, and the function to start
 * again.
 */
static __always_inline bool hit__take(struct pt_regs *ctx, struct hit *hit)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 slot = GL_COOKIE_SLOT(cookie);

	if (GL_COOKIE_GUARD(cookie) == GL_GUARD_BRANCH_NOT_TAKEN && go_branch_taken(ctx))
		return false;
	hit->target = bpf_map_lookup_elem(&gl_targets, &slot);
	if (!hit->target)
		return false;
	hit->time_ns = bpf_ktime_get_ns();
	hit->g = g_at_site(ctx, cookie);
	hit->slot = slot;
	return true;
}

static __always_inline void fill_head(struct gl_event *head, const struct hit *hit,
				      enum probe_event event)
{
	head->kind = event;
	head->n_pcs = 0;
	head->slot = hit->slot;
	head->tgid = hit->target->tgid;
	head->time_ns = hit->time_ns;
}

static __always_inline long read_window(void *window, __u32 size, const struct hit *hit)
{
	return bpf_probe_read_user(window, size, (void *)(hit->g + hit->target->g_goid));
}

/* The check is for the verifier: gl_target__describe() lets no word outside of the window pass. */
static __always_inline __u64 word_of(const __u64 *window, __u32 word)
{
	return word < GL_WINDOW_WORDS ? window[word] : 0;
}

struct created {
	__u64 goid, creation_pc, start_pc;
};

static __always_inline long read_created(struct created *created, const struct hit *hit)
{
	__u64 window[GL_WINDOW_WORDS];

	if (read_window(window, sizeof(window), hit))
		return -1;
	created->goid = window[0];
	created->creation_pc = word_of(window, hit->target->gopc_word);
	created->start_pc = word_of(window, hit->target->startpc_word);
	return 0;
}

static __always_inline void fill_create(struct gl_event_create *event, const struct hit *hit,
					const struct created *created)
{
	fill_head(&event->head, hit, PROBE_EVENT_CREATE);
	event->head.goid = created->goid;
	event->creation_pc = created->creation_pc;
	event->start_pc = created->start_pc;
}

/* Whether it is time for a stack of this `go` statement's creator. */
static __always_inline bool is_stack_due(const struct hit *hit, __u64 creation_pc)
{
	const __u64 golden_ratio = 0x9e3779b97f4a7c15ULL; /* spreads what is near */
	__u64 spread = creation_pc * golden_ratio;
	__u32 first = spread >> 58 & (GL_PACES - 1), second = spread >> 52 & (GL_PACES - 1);
	__u32 slot = hit->slot, now = hit->time_ns >> GL_PACE_SHIFT;
	struct gl_paces *paces = bpf_map_lookup_elem(&gl_paces, &slot);

	if (!paces)
		return false;
	if (paces->last[first] != now)
		paces->last[first] = now;
	else if (paces->last[second] != now)
		paces->last[second] = now;
	else
		return false;
	return true;
}

/*
 * Frame pointers lead from the scheduler's stack to that of the goroutine which has called it. The kernel
 * does not follow them there on all architectures. Each frame has the one before it and where it returns to.
 */
static __always_inline void fill_creator(struct pt_regs *ctx, struct gl_event_called *event,
					 const struct hit *hit)
{
	struct {
		__u64 outer, pc;
	} frame;
	__u64 at = GO_FP(ctx), m = 0, curg = 0;
	__u32 n = 0;

	event->creator.goid = 0;
	if (!bpf_probe_read_user(&m, sizeof(m), (void *)(GO_G(ctx) + hit->target->g_m)) &&
	    !bpf_probe_read_user(&curg, sizeof(curg), (void *)(m + hit->target->m_curg)) && curg)
		bpf_probe_read_user(&event->creator.goid, sizeof(event->creator.goid),
				    (void *)(curg + hit->target->g_goid));
	for (__u32 i = 0; i < GL_CREATOR_STACK; i++) {
		if (!at || bpf_probe_read_user(&frame, sizeof(frame), (void *)at) || !frame.pc)
			break;
		event->creator.pcs[i] = frame.pc;
		at = frame.outer;
		n++;
	}
	event->create.head.n_pcs = n;
}

static __always_inline int emit_called(struct pt_regs *ctx, const struct hit *hit,
				       const struct created *created)
{
	struct gl_event_called *event = bpf_ringbuf_reserve(&gl_events, sizeof(*event), 0);

	if (!event) {
		lose(hit, GL_LOST_RING_FULL, PROBE_EVENT_CREATE);
		return 0;
	}
	fill_create(&event->create, hit, created);
	fill_creator(ctx, event, hit);
	bpf_ringbuf_submit(event, submit_flags(hit));
	return 0;
}

/* For events whose record is a head and nothing else. */
static __always_inline int emit_head(struct pt_regs *ctx, enum probe_event kind)
{
	struct gl_event *event;
	struct hit hit;

	if (!hit__take(ctx, &hit))
		return 0;
	event = bpf_ringbuf_reserve(&gl_events, sizeof(*event), 0);
	if (!event) {
		lose(&hit, GL_LOST_RING_FULL, kind);
		return 0;
	}
	fill_head(event, &hit, kind);
	if (read_window(&event->goid, sizeof(event->goid), &hit)) {
		lose(&hit, GL_LOST_UNREADABLE, kind);
		bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
		return 0;
	}
	bpf_ringbuf_submit(event, submit_flags(&hit));
	return 0;
}

SEC("uprobe")
int gl_create(struct pt_regs *ctx)
{
	struct gl_event_create *event;
	struct created created;
	struct hit hit;

	if (!hit__take(ctx, &hit))
		return 0;
	if (read_created(&created, &hit)) {
		lose(&hit, GL_LOST_UNREADABLE, PROBE_EVENT_CREATE);
		return 0;
	}
	if (is_stack_due(&hit, created.creation_pc))
		return emit_called(ctx, &hit, &created);
	event = bpf_ringbuf_reserve(&gl_events, sizeof(*event), 0);
	if (!event) {
		lose(&hit, GL_LOST_RING_FULL, PROBE_EVENT_CREATE);
		return 0;
	}
	fill_create(event, &hit, &created);
	bpf_ringbuf_submit(event, submit_flags(&hit));
	return 0;
}

SEC("uprobe")
int gl_exit(struct pt_regs *ctx)
{
	return emit_head(ctx, PROBE_EVENT_EXIT);
}

SEC("uprobe")
int gl_park(struct pt_regs *ctx)
{
	return emit_head(ctx, PROBE_EVENT_PARK);
}

/*
 * Where a goroutine waits: what the scheduler has saved of it stays as it is until it runs again. Frames as
 * in fill_creator().
 */
static __always_inline __u32 fill_stack(struct gl_event_wake *event, const struct hit *hit)
{
	struct {
		__u64 outer, pc;
	} frame;
	__u64 at = 0;
	__u32 n = 1;

	if (bpf_probe_read_user(&event->pcs[0], sizeof(event->pcs[0]),
				(void *)(hit->g + hit->target->g_sched_pc)) ||
	    bpf_probe_read_user(&at, sizeof(at), (void *)(hit->g + hit->target->g_sched_bp)))
		return 0;
	for (__u32 i = 1; i < GL_WAKE_STACK; i++) {
		if (!at || bpf_probe_read_user(&frame, sizeof(frame), (void *)at) || !frame.pc)
			break;
		event->pcs[i] = frame.pc;
		at = frame.outer;
		n++;
	}
	return n;
}

static __always_inline int emit_wake(const struct hit *hit, const __u64 *window, __u64 reason)
{
	struct gl_event_wake *event = bpf_ringbuf_reserve(&gl_events, sizeof(*event), 0);

	if (!event) {
		lose(hit, GL_LOST_RING_FULL, PROBE_EVENT_WAKE);
		return 0;
	}
	fill_head(&event->head, hit, PROBE_EVENT_WAKE);
	event->head.goid = window[0];
	event->creation_pc = word_of(window, hit->target->gopc_word);
	event->start_pc = word_of(window, hit->target->startpc_word);
	event->wait_reason = reason;
	event->head.n_pcs = fill_stack(event, hit);
	bpf_ringbuf_submit(event, submit_flags(hit));
	return 0;
}

/* A hit without a record: it cost the target as much, so it is counted. */
static __always_inline int leave_out(const struct hit *hit, enum probe_event event)
{
	__u32 slot = hit->slot;
	struct gl_losses *losses = bpf_map_lookup_elem(&gl_losses, &slot);

	if (losses)
		__sync_fetch_and_add(&losses->untold[event], 1);
	return 0;
}

/* The one program that leaves hits out: most wakes are of timers and of the runtime itself, and have no record. */
SEC("uprobe")
int gl_wake(struct pt_regs *ctx)
{
	__u64 window[GL_WINDOW_WORDS], reason;
	struct hit hit;

	if (!hit__take(ctx, &hit))
		return 0;
	if (read_window(window, sizeof(window), &hit)) {
		lose(&hit, GL_LOST_UNREADABLE, PROBE_EVENT_WAKE);
		return 0;
	}
	reason = word_of(window, hit.target->reason_at / 8) >> hit.target->reason_at % 8 * 8 & 0xff;
	if (reason > 63 || !(hit.target->told >> reason & 1))
		return leave_out(&hit, PROBE_EVENT_WAKE);
	return emit_wake(&hit, window, reason);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
