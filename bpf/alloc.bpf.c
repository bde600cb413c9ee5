// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Allocations, from uprobes on instructions inside the Go runtime: who allocates how much of what, with
 * the stack; and from those inside other functions who opens things. One program for all: the attach cookie says what
 * the registers hold. Most hits only count: walking the stack is what costs, so it is done for those that are drawn by
 * chance.
 *
 * At a probed instruction the function has not made its frame yet: its caller's frame pointer and the
 * address that it returns to are still in their registers.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "alloc_abi.h"
#include "goabi.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} gl_allocs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GL_ALLOC_MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct gl_alloc_target);
} gl_alloc_targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GL_ALLOC_MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct gl_alloc_counts);
} gl_alloc_counts SEC(".maps");

/* gleakd is woken, and hits are drawn if they may be, when the ring buffer holds this many unread bytes. */
const volatile __u64 gl_alloc_wakeup_bytes = 0;

const volatile __u32 gl_alloc_gaps[GL_ALLOC_GAPS + 1] = {0};

/* Size classes by words. */
const volatile __u8 gl_size_classes[GL_ALLOC_SMALL_WORDS] = {0};

struct registers {
	__u64 object, size, type;
};

static __always_inline bool read_word(__u64 *word, __u64 address)
{
	return !bpf_probe_read_user(word, sizeof(*word), (void *)address);
}

/* The registers are read before the choice, behind barriers: see g_at_site() in gleakd.bpf.c. */
static __always_inline void read_registers(struct pt_regs *ctx, __u8 kind, struct registers *out)
{
	__u64 reg0 = GO_REG0(ctx), reg1 = GO_REG1(ctx), reg2 = GO_REG2(ctx);

	barrier_var(reg0);
	barrier_var(reg1);
	barrier_var(reg2);
	out->type = kind == GL_ALLOC_CALL ? reg1 : 0;
	out->object = kind == GL_ALLOC_SAMPLE	  ? reg1 :
		      kind == GL_ALLOC_SAMPLE_OLD ? reg0 :
		      kind == GL_ALLOC_LARGE	  ? reg1 :
						    0;
	out->size = kind == GL_ALLOC_SAMPLE	? reg2 :
		    kind == GL_ALLOC_SAMPLE_OLD ? reg1 :
		    kind == GL_ALLOC_LARGE	? 1 :
						  reg0;
}

static __always_inline __u64 word_of(const __u64 *window, __u32 word)
{
	return word < GL_WINDOW_WORDS ? window[word] : 0;
}

/* Whose allocation it is; what cannot be read is 0. A scheduler's g0 works for the goroutine of its thread. */
static __always_inline void fill_goroutine(struct gl_alloc *event, __u64 g,
					   const struct gl_alloc_target *target)
{
	__u64 window[GL_WINDOW_WORDS] = {0}, m = 0, curg = 0;

	if (bpf_probe_read_user(window, sizeof(window), (void *)(g + target->g_goid)))
		return;
	if (!window[0]) {
		if (!read_word(&m, g + target->g_m) || !m ||
		    !read_word(&curg, m + target->m_curg) || !curg ||
		    bpf_probe_read_user(window, sizeof(window), (void *)(curg + target->g_goid)))
			return;
		g = curg;
	}
	event->goid = window[0];
	event->creation_pc = word_of(window, target->gopc_word);
	event->start_pc = word_of(window, target->startpc_word);
	if (target->g_labels != GL_ALLOC_NO_FIELD)
		read_word(&event->labels, g + target->g_labels);
}

/*
 * bpf_get_stack() begins with the probed instruction, which is left out, and goes on with the frame
 * pointer, which is the caller's: so the caller itself is the word that the function returns to. Kernels
 * that know of `push %rbp` name it as well; then the reader drops one of the two.
 */
static __always_inline void fill_stack(struct pt_regs *ctx, struct gl_alloc *event)
{
	long bytes = bpf_get_stack(ctx, &event->pcs[1], sizeof(event->pcs) - sizeof(event->pcs[0]),
				   BPF_F_USER_STACK | 1);

	event->pcs[0] = go_caller(ctx);
	event->n_pcs = bytes > 0 ? (__u8)(1 + bytes / sizeof(event->pcs[0])) : 1;
}

#define TINY_MAX \
	16 /* src/runtime/malloc.go: maxTinySize, minSizeForMallocHeader, mallocHeaderSize */
#define HEADER_OVER    512
#define HEADER_BYTES   8
#define TYPE_PTR_BYTES 8  /* src/internal/abi/type.go */
#define TINY_BEFORE    24 /* mcache.tiny, tinyoffset: this far before alloc */

static __always_inline bool has_pointers(__u64 type)
{
	__u64 pointer_bytes = 0;

	return type && read_word(&pointer_bytes, type + TYPE_PTR_BYTES) && pointer_bytes;
}

/* Whether a tiny object goes into the block that the last ones have begun (src/runtime/malloc.go). */
static __always_inline bool fits_block(__u64 mcache, const struct gl_alloc_target *target,
				       __u64 size)
{
	__u64 tiny[2] = {0}, align = size & 7 ? (size & 3 ? (size & 1 ? 1 : 2) : 4) : 8;

	if (bpf_probe_read_user(tiny, sizeof(tiny),
				(void *)(mcache + target->mcache_alloc - TINY_BEFORE)))
		return true;
	return tiny[0] && ((tiny[1] + align - 1) & ~(align - 1)) + size <= TINY_MAX;
}

/* The span that it comes from; GL_ALLOC_NO_CLASS: none. Large objects have class 0. */
static __always_inline __u8 span_class_of(const struct gl_alloc *event,
					  const struct gl_alloc_target *target)
{
	bool pointers = has_pointers(event->type);
	__u64 size = event->size, words;

	if (!pointers && size < TINY_MAX) {
		if (fits_block(event->mcache, target, size))
			return GL_ALLOC_NO_CLASS;
		size = TINY_MAX;
	}
	if (pointers && target->headers && size > HEADER_OVER)
		size += HEADER_BYTES;
	else if (target->headers && size > GL_ALLOC_SMALL_MAX - HEADER_BYTES)
		return !pointers;
	words = (size + 7) / 8;
	if (words >= GL_ALLOC_SMALL_WORDS)
		return !pointers;
	return gl_size_classes[words] << 1 | !pointers;
}

static __always_inline void fill_span(struct gl_alloc *event, const struct gl_alloc_target *target)
{
	__u64 window[GL_SPAN_WORDS] = {0};
	__u32 word = target->freeindex_word, half = target->sweepgen_half;

	if (bpf_probe_read_user(window, sizeof(window),
				(void *)(event->span + target->span_start)) ||
	    word >= GL_SPAN_WORDS || half >= 2 * GL_SPAN_WORDS)
		return;
	event->base = window[0];
	event->free_index = (__u16)window[word];
	event->sweepgen = (__u32)(window[half / 2] >> (half & 1 ? 32 : 0));
}

static __always_inline __u64 mcache_of(__u64 g, const struct gl_alloc_target *target)
{
	__u64 m = 0, p = 0, mcache = 0;

	if (!read_word(&m, g + target->g_m) || !read_word(&p, m + target->m_p) || !p ||
	    !read_word(&mcache, p + target->p_mcache))
		return 0;
	return mcache;
}

static __always_inline void fill_cached(struct gl_alloc *event,
					const struct gl_alloc_target *target)
{
	if (read_word(&event->span,
		      event->mcache + target->mcache_alloc + 8 * (__u64)event->span_class))
		fill_span(event, target);
}

/*
 * What the allocator will do is not known here; but at the next hit the span says which object was given out
 * last.
 */
static __always_inline void fill_place(struct gl_alloc *event, __u64 g,
				       const struct gl_alloc_target *target)
{
	event->mcache = mcache_of(g, target);
	if (!event->mcache)
		return;
	event->span_class = span_class_of(event, target);
	if (event->span_class >= GL_ALLOC_FIRST_SMALL && event->span_class != GL_ALLOC_NO_CLASS)
		fill_cached(event, target);
}

static __always_inline __u64 submit_flags(__u64 time_ns)
{
	/* As in gleakd.bpf.c: a look at the fill level now and then. */
	if (time_ns >> 6 & 15)
		return BPF_RB_NO_WAKEUP;
	if (bpf_ringbuf_query(&gl_allocs, BPF_RB_AVAIL_DATA) < gl_alloc_wakeup_bytes)
		return BPF_RB_NO_WAKEUP;
	return BPF_RB_FORCE_WAKEUP;
}

/* One of the table, and by chance a part of the way to the one after it. */
static __always_inline __s64 random_gap(__u64 mean)
{
	__u32 random = bpf_get_prandom_u32();
	__u32 i = random % GL_ALLOC_GAPS, rest = random / GL_ALLOC_GAPS;
	__u64 from = gl_alloc_gaps[i], to = gl_alloc_gaps[i + 1];
	__u64 gap = from + (to - from) * rest / ((1ULL << 32) / GL_ALLOC_GAPS);

	return (__s64)(mean * gap / GL_ALLOC_GAP_UNIT);
}

/*
 * An exponential distribution has no memory: what is left of a gap behind a hit that was drawn need not be
 * known. Another thread of this processor may get in between; then a hit is not counted.
 */
static __always_inline bool is_drawn(struct gl_alloc_counts *counts, __u64 size)
{
	const __u64 no_object_is_larger = 1ULL << 48;
	__u64 amount = (size < no_object_is_larger ? size : no_object_is_larger) + GL_ALLOC_OBJECT;

	counts->hits++;
	counts->amount += amount;
	if (!counts->gap)
		return true;
	counts->left -= (__s64)amount;
	if (counts->left > 0)
		return false;
	counts->left = random_gap(counts->gap);
	return true;
}

/*
 * Whoever reads the records does not keep up: it may have to wait for a processor, and the probes stay there meanwhile.
 * From the next hit on they are drawn, by the size of those so far. Returns whether that begins now.
 */
static __always_inline bool begin_to_draw(struct gl_alloc_counts *counts,
					  const struct gl_alloc_target *target)
{
	__u64 gap;

	if (counts->gap || !target->draws || !counts->hits)
		return false;
	gap = counts->amount / counts->hits * GL_ALLOC_ONE_IN;
	counts->gap = gap < GL_ALLOC_MAX_GAP ? gap : GL_ALLOC_MAX_GAP;
	counts->left = random_gap(counts->gap);
	return true;
}

static __always_inline bool is_pressing(__u64 time_ns)
{
	return !(time_ns >> 6 & 15) &&
	       bpf_ringbuf_query(&gl_allocs, BPF_RB_AVAIL_DATA) >= gl_alloc_wakeup_bytes;
}

static __always_inline struct gl_alloc *reserve(struct gl_alloc_counts *counts, __u32 slot,
						__u8 kind, const struct gl_alloc_target *target)
{
	struct gl_alloc *event = bpf_ringbuf_reserve(&gl_allocs, sizeof(*event), 0);

	if (!event) {
		counts->lost++;
		return event;
	}
	event->slot = (__u16)slot;
	event->kind = kind;
	event->n_pcs = 1;
	event->tgid = target->tgid;
	event->time_ns = bpf_ktime_get_ns();
	event->goid = 0;
	event->creation_pc = 0;
	event->start_pc = 0;
	event->labels = 0;
	event->last = 0;
	event->gap = counts->gap;
	event->object = 0;
	event->size = 1;
	event->type = 0;
	event->mcache = 0;
	event->span = 0;
	event->base = 0;
	event->sweepgen = 0;
	event->free_index = 0;
	event->span_class = GL_ALLOC_NO_CLASS;
	return event;
}

/*
 * Of a hit that was drawn, and has allocated by now: where its object is. Another thread of this processor
 * may have got in between; then nobody knows.
 */
static __always_inline void tell_found(struct pt_regs *ctx, struct gl_alloc_counts *counts,
				       __u32 slot, const struct gl_alloc_target *target)
{
	__u64 mcache = counts->wait_mcache;
	struct gl_alloc *event;

	counts->wait_mcache = 0;
	if (counts->wait_class < GL_ALLOC_FIRST_SMALL || mcache_of(GO_G(ctx), target) != mcache)
		return;
	event = reserve(counts, slot, GL_ALLOC_FOUND, target);
	if (!event)
		return;
	event->mcache = mcache;
	event->span_class = (__u8)counts->wait_class;
	fill_cached(event, target);
	bpf_ringbuf_submit(event, submit_flags(event->time_ns));
}

/* The span of a large object: that of the last hit, if there is a record of that. */
static __always_inline void tell_large(struct pt_regs *ctx, struct gl_alloc_counts *counts,
				       __u32 slot, const struct gl_alloc_target *target, __u64 span)
{
	__u64 mcache = target->follows ? mcache_of(GO_G(ctx), target) : 0;
	bool wanted = !counts->gap ||
		      (counts->wait_mcache == mcache && counts->wait_class < GL_ALLOC_FIRST_SMALL);
	struct gl_alloc *event;

	counts->skipped++;
	if (!mcache || !wanted)
		return;
	counts->wait_mcache = 0;
	event = reserve(counts, slot, GL_ALLOC_LARGE, target);
	if (!event)
		return;
	event->mcache = mcache;
	event->span_class = 0;
	event->span = span;
	fill_span(event, target);
	bpf_ringbuf_submit(event, submit_flags(event->time_ns));
}

static __always_inline void tell(struct pt_regs *ctx, struct gl_alloc_counts *counts, __u32 slot,
				 __u8 kind, const struct gl_alloc_target *target,
				 const struct registers *registers)
{
	struct gl_alloc *event = reserve(counts, slot, kind, target);

	if (!event) {
		begin_to_draw(counts, target);
		return;
	}
	event->object = registers->object;
	event->size = registers->size;
	event->type = registers->type;
	if (target->follows)
		fill_place(event, GO_G(ctx), target);
	if (counts->gap && event->span_class != GL_ALLOC_NO_CLASS) {
		counts->wait_mcache = event->mcache;
		counts->wait_class = event->span_class;
	}
	fill_goroutine(event, GO_G(ctx), target);
	fill_stack(ctx, event);
	if (is_pressing(event->time_ns))
		event->last = begin_to_draw(counts, target);
	bpf_ringbuf_submit(event, submit_flags(event->time_ns));
}

/* As read_registers(). */
static __always_inline __u64 register_of(struct pt_regs *ctx, __u32 number)
{
	__u64 reg0 = GO_REG0(ctx), reg1 = GO_REG1(ctx), reg2 = GO_REG2(ctx);
	__u64 reg3 = GO_REG3(ctx), reg4 = GO_REG4(ctx), reg5 = GO_REG5(ctx);

	barrier_var(reg0);
	barrier_var(reg1);
	barrier_var(reg2);
	barrier_var(reg3);
	barrier_var(reg4);
	barrier_var(reg5);
	switch (number) {
	case 0:
		return reg0;
	case 1:
		return reg1;
	case 2:
		return reg2;
	case 3:
		return reg3;
	case 4:
		return reg4;
	default:
		return reg5;
	}
}

/* In a frame of its own the function's caller is the first that the frame pointer leads to. */
static __always_inline void fill_framed_stack(struct pt_regs *ctx, struct gl_alloc *event)
{
	long bytes = bpf_get_stack(ctx, &event->pcs[0], sizeof(event->pcs), BPF_F_USER_STACK | 1);

	event->n_pcs = bytes > 0 ? (__u8)(bytes / sizeof(event->pcs[0])) : 0;
}

static __always_inline void tell_open(struct pt_regs *ctx, struct gl_alloc_counts *counts,
				      __u32 slot, const struct gl_alloc_target *target, __u16 what)
{
	struct gl_alloc *event;

	counts->hits++;
	event = reserve(counts, slot, GL_ALLOC_OPEN, target);
	if (!event)
		return;
	event->object = register_of(ctx, GL_ALLOC_OPEN_REGISTER(what));
	if (GL_ALLOC_OPEN_IS_KEY(what) && !read_word(&event->object, event->object + 8))
		event->object = 0;
	event->type = what;
	fill_goroutine(event, GO_G(ctx), target);
	if (GL_ALLOC_OPEN_IS_FRAMED(what))
		fill_framed_stack(ctx, event);
	else
		fill_stack(ctx, event);
	bpf_ringbuf_submit(event, submit_flags(event->time_ns));
}

/* How many objects the cache has taken from its span, which has none left; 0: it had none to begin with. */
static __always_inline __u64 taken_of(__u64 mcache, __u64 span_class,
				      const struct gl_alloc_target *target)
{
	__u16 count = 0, before = 0;
	__u64 span = 0;

	if (!read_word(&span, mcache + target->mcache_alloc + 8 * span_class))
		return 0;
	span += target->span_start;
	if (bpf_probe_read_user(&count, sizeof(count), (void *)(span + target->span_alloc_count)))
		return 0;
	if (target->span_count_before != GL_ALLOC_NO_FIELD)
		bpf_probe_read_user(&before, sizeof(before),
				    (void *)(span + target->span_count_before));
	return count - before;
}

/* Whoever allocated is told, and not where: such a hit is not one of the others. */
static __always_inline void tell_refill(struct pt_regs *ctx, struct gl_alloc_counts *counts,
					__u32 slot, const struct gl_alloc_target *target,
					__u16 classes)
{
	__u64 mcache = register_of(ctx, 0);
	__u8 span_class = (__u8)register_of(ctx, 1);
	struct gl_alloc *event;

	counts->skipped++;
	if (!(classes & GL_ALLOC_REFILL_BIT(span_class >> 1)))
		return;
	event = reserve(counts, slot, GL_ALLOC_REFILL, target);
	if (!event)
		return;
	event->gap = 0;
	event->pcs[0] = 0;
	event->span_class = span_class;
	event->object = taken_of(mcache, span_class, target);
	fill_goroutine(event, GO_G(ctx), target);
	bpf_ringbuf_submit(event, submit_flags(event->time_ns));
}

SEC("uprobe")
int gl_alloc(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 slot = GL_ALLOC_COOKIE_SLOT(cookie);
	__u8 kind = GL_ALLOC_COOKIE_KIND(cookie);
	const struct gl_alloc_target *target;
	struct gl_alloc_counts *counts;
	struct registers registers;

	if (GL_ALLOC_COOKIE_GUARD(cookie) == GL_GUARD_BRANCH_NOT_TAKEN && go_branch_taken(ctx))
		return 0;
	counts = bpf_map_lookup_elem(&gl_alloc_counts, &slot);
	if (!counts)
		return 0;
	if (kind == GL_ALLOC_OPEN || kind == GL_ALLOC_REFILL) {
		target = bpf_map_lookup_elem(&gl_alloc_targets, &slot);
		if (target && kind == GL_ALLOC_OPEN)
			tell_open(ctx, counts, slot, target, GL_ALLOC_COOKIE_MIN_SIZE(cookie));
		else if (target)
			tell_refill(ctx, counts, slot, target, GL_ALLOC_COOKIE_MIN_SIZE(cookie));
		return 0;
	}
	read_registers(ctx, kind, &registers);
	if (!registers.size || registers.size < GL_ALLOC_COOKIE_MIN_SIZE(cookie)) {
		counts->skipped++;
		return 0;
	}
	if (kind != GL_ALLOC_LARGE && !counts->wait_mcache && !is_drawn(counts, registers.size))
		return 0;
	target = bpf_map_lookup_elem(&gl_alloc_targets, &slot);
	if (!target)
		return 0;
	if (kind == GL_ALLOC_LARGE) {
		tell_large(ctx, counts, slot, target, registers.object);
		return 0;
	}
	if (counts->wait_mcache) {
		tell_found(ctx, counts, slot, target);
		if (!is_drawn(counts, registers.size))
			return 0;
	}
	tell(ctx, counts, slot, kind, target, &registers);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
