// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Life events of goroutines, from uprobes on instructions inside the Go runtime. One program per
 * event and one set for all Go versions: what differs comes with the attach cookie (where the g
 * is at the probed instruction) and from gl_binaries (where its fields are).
 *
 * What does not reach the daemon is counted by process, kind and reason; what does is counted there,
 * so a hit that succeeds writes nothing but its record. The trap costs far more than what is done
 * here; the programs never filter, they are detached.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "goabi.bpf.h"
#include "maps.bpf.h"

/*
 * The fill level is looked at by one hit in this many, chosen by bits of its time that two hits in a
 * row do not share: no counter has to be kept.
 */
#define WAKEUP_CHECK_SHIFT 6
#define WAKEUP_CHECK_MASK  63

struct hit {
	const struct gl_binary *binary;
	__u64 g;       /* address of the runtime.g the event is about */
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u16 index;   /* of @binary */
};

/*
 * A record will not arrive: count why, and whose and what it was. Atomically: uprobe programs can be
 * preempted by a task that hits the same program on the same CPU.
 */
static __always_inline void lose(const struct hit *hit, enum gl_loss_reason reason,
				 enum gl_event_kind kind)
{
	__u32 index = hit->index;
	struct gl_losses *losses = bpf_map_lookup_elem(&gl_losses, &index);

	if (!losses)
		return;
	__sync_fetch_and_add(&losses->by_reason[reason], 1);
	__sync_fetch_and_add(&losses->by_kind[kind], 1);
}

/*
 * Waking a sleeping reader costs fifty times what the record costs, so the reader comes by itself
 * and is woken only when the ring buffer fills faster than it comes.
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
 * Both registers are read before the choice, behind barriers: merged into one load from a computed
 * offset, which compilers like, the verifier would refuse it ("modified ctx ptr").
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

/* False when this is no event: the stack is about to grow and the function to start again. */
static __always_inline bool hit__take(struct pt_regs *ctx, struct hit *hit)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 index = GL_COOKIE_BINARY(cookie);

	if (GL_COOKIE_GUARD(cookie) == GL_GUARD_BRANCH_NOT_TAKEN && go_branch_taken(ctx))
		return false;
	hit->binary = bpf_map_lookup_elem(&gl_binaries, &index);
	if (!hit->binary)
		return false;
	hit->time_ns = bpf_ktime_get_ns();
	hit->g = g_at_site(ctx, cookie);
	hit->index = index;
	return true;
}

static __always_inline void fill_head(struct gl_event *head, const struct hit *hit, __u8 kind)
{
	head->kind = kind;
	head->wait_reason = 0;
	head->binary = hit->index;
	head->tgid = hit->binary->tgid;
	head->time_ns = hit->time_ns;
}

static __always_inline long read_window(void *window, __u32 size, const struct hit *hit)
{
	return bpf_probe_read_user(window, size, (void *)(hit->g + hit->binary->g_goid));
}

/* Before Go 1.21 a g does not know its creator: it is what the creating thread runs, g0.m.curg. */
static __always_inline __u64 current_goid(struct pt_regs *ctx, const struct gl_binary *binary)
{
	__u64 m = 0, curg = 0, goid = 0;

	if (bpf_probe_read_user(&m, sizeof(m), (void *)(GO_G(ctx) + binary->g_m)) || !m)
		return 0;
	if (bpf_probe_read_user(&curg, sizeof(curg), (void *)(m + binary->m_curg)) || !curg)
		return 0;
	bpf_probe_read_user(&goid, sizeof(goid), (void *)(curg + binary->g_goid));
	return goid;
}

/* The checks are for the verifier: user space lets no word outside of the window pass. */
static __always_inline __u64 word_of(const __u64 *window, __u32 word)
{
	return word < GL_WINDOW_WORDS ? window[word] : 0;
}

static __always_inline long fill_create(struct gl_event_create *event, struct pt_regs *ctx,
					const struct hit *hit)
{
	const struct gl_binary *binary = hit->binary;
	__u64 window[GL_WINDOW_WORDS];

	if (read_window(window, sizeof(window), hit))
		return -1;
	event->head.goid = window[0];
	event->creation_pc = word_of(window, binary->gopc_word);
	event->start_pc = word_of(window, binary->startpc_word);
	if (binary->parent_word == GL_NO_WORD)
		event->parent_goid = current_goid(ctx, binary);
	else
		event->parent_goid = word_of(window, binary->parent_word);
	return 0;
}

static __always_inline long fill_park(struct gl_event *event, const struct hit *hit)
{
	__u64 window[GL_PARK_WINDOW_WORDS];

	if (read_window(window, sizeof(window), hit))
		return -1;
	event->goid = window[0];
	event->wait_reason = ((__u8 *)window)[hit->binary->waitreason_byte & (sizeof(window) - 1)];
	return 0;
}

/* An event that is all head. @kind is a constant in every caller: one of the two reads remains. */
static __always_inline int emit_head(struct pt_regs *ctx, enum gl_event_kind kind)
{
	struct gl_event *event;
	struct hit hit;
	long err;

	if (!hit__take(ctx, &hit))
		return 0;
	event = bpf_ringbuf_reserve(&gl_events, sizeof(*event), 0);
	if (!event) {
		lose(&hit, GL_LOST_RING_FULL, kind);
		return 0;
	}
	fill_head(event, &hit, kind);
	if (kind == GL_EVENT_PARK)
		err = fill_park(event, &hit);
	else
		err = read_window(&event->goid, sizeof(event->goid), &hit);
	if (err) {
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
	struct hit hit;

	if (!hit__take(ctx, &hit))
		return 0;
	event = bpf_ringbuf_reserve(&gl_events, sizeof(*event), 0);
	if (!event) {
		lose(&hit, GL_LOST_RING_FULL, GL_EVENT_CREATE);
		return 0;
	}
	fill_head(&event->head, &hit, GL_EVENT_CREATE);
	if (fill_create(event, ctx, &hit)) {
		lose(&hit, GL_LOST_UNREADABLE, GL_EVENT_CREATE);
		bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
		return 0;
	}
	bpf_ringbuf_submit(event, submit_flags(&hit));
	return 0;
}

SEC("uprobe")
int gl_exit(struct pt_regs *ctx)
{
	return emit_head(ctx, GL_EVENT_EXIT);
}

SEC("uprobe")
int gl_park(struct pt_regs *ctx)
{
	return emit_head(ctx, GL_EVENT_PARK);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
