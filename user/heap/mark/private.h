/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_MARK_PRIVATE_H
#define GLEAKD_HEAP_MARK_PRIVATE_H

/* What mark.c (which objects) and read.c (their contents) share. */
#include "heap/mark/mark.h"

#define MARK_BUFFER_SIZE (1u << 20)
#define MARK_BATCH	 128u /* pieces read together */
#define LATE_PAGES	 65536u
#define LATE_AT_ONCE	 1024u /* looked up before what they lead to is read */
#define MARK_NUMBER_BITS 28u   /* of a span's number; a page's has 35 */

struct mark_bits {
	uint64_t *words;
	size_t size; /* bytes of the mapping */
};

/* An object of the table. */
struct mark_object {
	uint32_t number; /* of its span */
	uint32_t index;
	struct heap_span *span;
};

/* A pointer on its way through mark__ahead(). */
struct mark_step {
	uint64_t from, value;  /* value 0: none */
	const uint32_t *place; /* of the number of its span */
	struct mark_object object;
};

/* A pointer to where no span was yet. */
struct mark_late {
	uint64_t address;
	uint64_t holder; /* the object that it was found in, or 0 */
};

#define MARK_STAGE \
	16u /* pointers between one stage and the next: more than fit the time of a miss */
#define MARK_AHEAD (4 * MARK_STAGE) /* a power of two */

struct heap_mark {
	struct heap_spans *spans;
	struct heap_bits bits;
	struct heap_mark_totals totals;
	int failed;
	heap_edge_fn edge;
	void *edge_ctx;
	const struct heap_visitor *visitor; /* or NULL */
	const struct heap_contents *inside; /* never NULL */
	bool again;

	struct mark_bits marked, pending, watched, hidden; /* one bit per object of the table */
	size_t n_words;					   /* that they have room for */

	/*
	 * Spans with pending objects, each at most once in both: those that are being read, by ascending
	 * address, since what lies side by side costs the kernel less (host/remote.c); and those that have
	 * come since, which wait for the end of that wave, so that much is pending in them by then.
	 */
	uint64_t *wave, *queue; /* mark__place() */
	size_t n_wave, wave_at, n_queue;
	size_t queue_size; /* of either */

	/* By level: what has been found for the next one. level 0: they are not told apart. */
	unsigned int level;
	struct mark_bits next;
	uint32_t *next_queue; /* as large as the others */
	size_t n_next;

	/* Addresses without a span, one per page: looked up when nothing else waits. */
	struct index *late_pages;
	struct mark_late *late;
	size_t n_late, late_done, late_capacity;

	uint64_t *woken;
	size_t n_woken, woken_capacity;

	/* A large object being scanned: piece by piece. */
	uint32_t large_span;
	uint64_t large_at;

	struct mark_batch *batch;

	struct mark_step ahead[MARK_AHEAD];
	size_t ahead_at, ahead_used;
};

static inline bool mark_bits__test(const struct mark_bits *bits, const struct heap_span *span,
				   uint32_t index)
{
	return bits->words[span->first_word + index / 64] >> index % 64 & 1;
}

static inline void mark_bits__set(struct mark_bits *bits, const struct heap_span *span,
				  uint32_t index)
{
	bits->words[span->first_word + index / 64] |= 1ULL << index % 64;
}

static inline void mark_bits__clear(struct mark_bits *bits, const struct heap_span *span,
				    uint32_t index)
{
	bits->words[span->first_word + index / 64] &= ~(1ULL << index % 64);
}

/* mark__slot - the number of an object among all. */
static inline uint64_t mark__slot(const struct heap_span *span, uint32_t index)
{
	return (uint64_t)span->first_word * 64 + index;
}

/* mark__place - what sorts spans by their addresses. */
static inline uint64_t mark__place(const struct heap_span *span, uint32_t number)
{
	return span->base >> GO_PAGE_SHIFT << MARK_NUMBER_BITS | number;
}

static inline uint32_t mark__number(uint64_t place)
{
	return (uint32_t)(place & ((1u << MARK_NUMBER_BITS) - 1));
}

/* mark__widen_queues - room in all of them for the spans of the table. -ENOMEM. */
int mark__widen_queues(struct heap_mark *mark) __must_check;

/* mark__enqueue - @number has pending objects. */
void mark__enqueue(struct heap_mark *mark, uint32_t number);

/*
 * mark__late - look up @address, which was found at @from (or 0), later: it may be in a span that is
 * younger than the table.
 */
void mark__late(struct heap_mark *mark, uint64_t from, uint64_t address);

/*
 * mark__ahead - as heap_mark__pointer(), but later: in a large heap nearly each pointer leads to three
 * places that are in no cache. Here they are on their way while pointers before it are marked. In the
 * order of the calls.
 */
void mark__ahead(struct heap_mark *mark, uint64_t from, uint64_t value);

/* mark__ahead_all - mark what is still on its way. */
void mark__ahead_all(struct heap_mark *mark);

/*
 * mark__foresee - @value will be shown to the visitor soon: where that will look is fetched meanwhile. all: of what
 * has been told so far nothing is left to be fetched.
 */
void mark__foresee(struct heap_mark *mark, uint64_t value);
void mark__foresee_all(struct heap_mark *mark);

/* mark__next_wave - what has come since is what is read now. */
void mark__next_wave(struct heap_mark *mark);

/* mark__read_batch - take spans from the queue, read them and scan what is pending. */
int mark__read_batch(struct heap_mark *mark);

struct mark_batch *mark_batch__new(void);

#endif /* GLEAKD_HEAP_MARK_PRIVATE_H */
