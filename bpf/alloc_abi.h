/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef GLEAKD_BPF_ALLOC_ABI_H
#define GLEAKD_BPF_ALLOC_ABI_H

/*
 * What the program for allocations and gleakd agree on; as bpf/abi.h. Include vmlinux.h (BPF side) or
 * <linux/types.h> (user side) first.
 */

#define GL_ALLOC_MAX_TARGETS 64 /* processes whose allocations are watched at one time */

/* Return addresses of a record: calls that are not inlined. */
#define GL_ALLOC_STACK 48

enum gl_alloc_kind {
	GL_ALLOC_SAMPLE = 0,	 /* profilealloc(mp, object, size): one of MemProfileRate bytes */
	GL_ALLOC_CALL = 1,	 /* mallocgc(size, type, ...) and those like it: each allocation */
	GL_ALLOC_SAMPLE_OLD = 2, /* mProf_Malloc(object, size), until Go 1.22 */
	GL_ALLOC_LARGE =
		3, /* (*spanSet).push(set, span): the span of the last call's large object */
	GL_ALLOC_FOUND = 4, /* none: where the allocator is behind the last call that was drawn */
	GL_ALLOC_OPEN = 5,  /* something is opened: any function, see GL_ALLOC_OPEN_WHAT() */
	GL_ALLOC_REFILL =
		6, /* (*mcache).refill(cache, span class): a span of small objects is used up */
	GL_ALLOC_KINDS = 7,
};

/* Go's size classes (src/runtime/sizeclasses.go): of objects up to this, by their size in words. */
#define GL_ALLOC_SMALL_MAX   32768
#define GL_ALLOC_SMALL_WORDS (GL_ALLOC_SMALL_MAX / 8 + 1)

/* From startAddr on; in Go 1.18 to 1.27 sweepgen ends 80 bytes further. */
#define GL_SPAN_WORDS 10

/* Fields of one Go version's runtime.g, in the slot of the process. */
struct gl_alloc_target {
	__u16 g_goid;
	__u16 g_m;
	__u16 g_labels; /* GL_ALLOC_NO_FIELD: this version has none */
	__u16 m_curg;
	__u8 gopc_word; /* as in struct gl_target */
	__u8 startpc_word;
	__u8 follows; /* calls tell where the allocator is */
	__u8 headers; /* as Go 1.22 and later: 8 bytes before objects of more than 512 with pointers */
	__u32 tgid;
	__u16 m_p, p_mcache, mcache_alloc;
	__u16 span_start;		    /* offset in runtime.mspan */
	__u8 freeindex_word, sweepgen_half; /* from there on, in units of 8 and 4 bytes */
	__u16 draws; /* where records come faster than they are read, hits are drawn from then on */
	__u16 span_alloc_count;	 /* from there on, in bytes */
	__u16 span_count_before; /* when the span came into a cache; GL_ALLOC_NO_FIELD: not kept */
};

#define GL_ALLOC_NO_FIELD    0xffff
#define GL_ALLOC_NO_CLASS    0xff
#define GL_ALLOC_FIRST_SMALL 2 /* span classes below are those of large objects */

struct gl_alloc {
	__u16 slot;
	__u8 kind; /* enum gl_alloc_kind */
	__u8 n_pcs;
	__u32 tgid;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 goid;    /* 0: the runtime's own, on no goroutine's behalf */
	__u64 creation_pc, start_pc;
	__u64 labels; /* where g.labels points */
	/* Of samples; 0: not known. Of what is opened the register. Of a refill how many were taken; 0: no span. */
	__u64 object;
	__u64 size; /* of a sample that of its size class, of a call as asked for */
	/* Of a call: address of its type descriptor, 0 for bytes. Of what is opened GL_ALLOC_OPEN_WHAT(). */
	__u64 type;
	/*
	 * Of a call, before it allocates, and of a large object's span: the processor's cache, its span for
	 * such objects, and where the span's objects begin. 0: not known.
	 */
	__u64 mcache, span, base;
	__u32 sweepgen;	  /* mspan.sweepgen */
	__u16 free_index; /* mspan.freeindex */
	__u8 span_class;  /* GL_ALLOC_NO_CLASS: a tiny object in a block that is there already */
	__u8 last;	  /* told for certain, but on its processor the next ones are drawn */
	__u64 gap;	  /* that it was drawn with; 0: for certain */
	__u64 pcs[GL_ALLOC_STACK]; /* return addresses, innermost first */
};

/*
 * Attach cookie, low bits first: slot:16, kind:8, guard:8 (enum gl_guard), min_size:16. Allocations of
 * less than min_size bytes are seen by other probes.
 */
#define GL_ALLOC_COOKIE(slot, kind, guard, min_size) \
	((__u64)(slot) | (__u64)(kind) << 16 | (__u64)(guard) << 24 | (__u64)(min_size) << 32)
#define GL_ALLOC_COOKIE_SLOT(cookie)	 ((__u16)(cookie))
#define GL_ALLOC_COOKIE_KIND(cookie)	 ((__u8)((cookie) >> 16))
#define GL_ALLOC_COOKIE_GUARD(cookie)	 ((__u8)((cookie) >> 24))
#define GL_ALLOC_COOKIE_MIN_SIZE(cookie) ((__u16)((cookie) >> 32))

/*
 * In place of min_size, of what is opened: what number the function has with whoever attached the probe, which of its
 * first GL_ALLOC_OPEN_REGISTERS arguments is told, and whether it has made its frame. Of a key that the argument
 * points to, an interface, its value is told.
 */
#define GL_ALLOC_OPEN_REGISTERS 6
#define GL_ALLOC_OPEN_WHAT(function, reg, framed, key) \
	((__u16)((function) << 8 | ((framed) ? 0x80 : 0) | ((key) ? 0x40 : 0) | (reg)))
#define GL_ALLOC_OPEN_FUNCTION(what)  ((__u8)((what) >> 8))
#define GL_ALLOC_OPEN_IS_FRAMED(what) (((what)&0x80) != 0)
#define GL_ALLOC_OPEN_IS_KEY(what)    (((what)&0x40) != 0)
#define GL_ALLOC_OPEN_REGISTER(what)  ((what)&0x3f)

/* In place of min_size, of refills: there is a record of those of size classes whose bits are set. */
#define GL_ALLOC_REFILL_BIT(size_class) (1u << ((size_class)&15))

/*
 * What one processor has of a slot: what it has seen, and which hits there is a record of. These are drawn
 * by chance, by what they allocate: a hit of @size bytes with the probability
 * 1 - exp(-(size + GL_ALLOC_OBJECT) / gap).
 */
struct gl_alloc_counts {
	__u64 hits;    /* those that could be drawn */
	__u64 amount;  /* their sizes, and GL_ALLOC_OBJECT for each */
	__u64 lost;    /* drawn, but the ring buffer was full */
	__u64 skipped; /* seen by another probe, too, or nothing was allocated */
	__u64 gap;     /* from one to the next that is drawn, on average; 0: each one is told */
	__s64 left;    /* of the amount until the next one */
	/* The last one that was drawn: its object is looked for at the next hit. mcache 0: none. */
	__u64 wait_mcache, wait_class;
};

/* So that there are also records of small objects among large ones. */
#define GL_ALLOC_OBJECT 128

/* One in so many hits is drawn: records then cost a tenth of what the hits do. */
#define GL_ALLOC_ONE_IN 32

/* No gap is larger: its product with the longest of gl_alloc_gaps has to fit into 64 bits. */
#define GL_ALLOC_MAX_GAP (1ULL << 40)

/* Quantiles of the exponential distribution of mean 1, in 1 / GL_ALLOC_GAP_UNIT. */
#define GL_ALLOC_GAPS	  1024
#define GL_ALLOC_GAP_UNIT (1 << 16)

_Static_assert(sizeof(struct gl_alloc_target) == 32, "gl_alloc_target is part of the ABI");
_Static_assert(sizeof(struct gl_alloc) == 112 + 8 * GL_ALLOC_STACK, "gl_alloc is part of the ABI");
_Static_assert(sizeof(struct gl_alloc_counts) == 64, "gl_alloc_counts is part of the ABI");

#endif /* GLEAKD_BPF_ALLOC_ABI_H */
