// SPDX-License-Identifier: Apache-2.0
#include "heap/samples/marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"

#define BATCH	     256u /* spans */
#define BITS_MAX     128u /* bytes of the bits of 1,024 objects, the most of a span */
#define ATTEMPTS     3
#define WORD	     8u
#define BITS_ROUND   64u
#define INLINE_MARKS 64u /* before the end of the page: src/runtime/mgcmark_greenteagc.go */
#define MIN_INLINE   16u /* bytes of an object; gcUsesSpanInlineMarkBits */

struct marks {
	const struct heap_spans *spans;
	struct sample_object *objects;
	size_t n, *next;
};

/* A span of which objects were sampled, and what is known of them. */
struct subject {
	uint32_t span;
	size_t first, n; /* of the objects */
	bool settled;
	uint64_t bits_at;
	uint8_t before[HEAP_MSPAN_MAX], after[HEAP_MSPAN_MAX];
	uint8_t bits[BITS_MAX];
};

struct batch {
	struct subject subjects[BATCH];
	size_t n;
	uint32_t sweepgen; /* mheap_.sweepgen */
	struct remote_span reads[BATCH];
	size_t subject_of[BATCH], n_reads;
};

static void fill(const struct marks *marks, struct batch *batch)
{
	size_t at = *marks->next;

	for (batch->n = 0; batch->n < BATCH && at < marks->n; batch->n++) {
		struct subject *subject = &batch->subjects[batch->n];

		*subject = (struct subject){.span = marks->objects[at].span, .first = at};
		while (at < marks->n && marks->objects[at].span == subject->span)
			at++;
		subject->n = at - subject->first;
	}
}

static void add_read(struct batch *batch, size_t subject, uint64_t address, void *buffer,
		     uint32_t size)
{
	batch->subject_of[batch->n_reads] = subject;
	batch->reads[batch->n_reads++] = (struct remote_span){
		.address = address,
		.buffer = buffer,
		.size = size,
	};
}

/* The mspans of what is not settled, into `before` or `after`. */
static int read_mspans(const struct marks *marks, struct batch *batch, bool after)
{
	uint32_t size = marks->spans->runtime->layout->mspan_sizeof;
	int err;

	batch->n_reads = 0;
	for (size_t i = 0; i < batch->n; i++) {
		struct subject *subject = &batch->subjects[i];

		if (!subject->settled)
			add_read(batch, i, marks->spans->all[subject->span].mspan,
				 after ? subject->after : subject->before, size);
	}
	err = remote__read_spans(marks->spans->runtime->remote, batch->reads, batch->n_reads);
	for (size_t i = 0; i < batch->n_reads && !err; i++) {
		struct subject *subject = &batch->subjects[batch->subject_of[i]];

		/* Then it is no span any more: nothing of it is the same. */
		if (batch->reads[i].result)
			memset(after ? subject->after : subject->before, 0, size);
	}
	return err;
}

/* src/runtime/mheap.go mspan.sweepgen */
static bool waits_for_sweep(uint32_t sweepgen, uint32_t of_heap)
{
	return sweepgen == of_heap - 2 || sweepgen == of_heap + 1;
}

static bool has_inline_marks(const struct heap_spans *spans, const struct heap_span *span)
{
	return spans->inline_marks && span->elemsize >= MIN_INLINE &&
	       span->elemsize <= HEAP_BITS_IN_SPAN;
}

/*
 * Where it says what of a span is alive: marks, while it waits to be swept, else what the last sweep
 * left (src/runtime/mgcsweep.go).
 */
static uint64_t bits_address(const struct marks *marks, const struct batch *batch,
			     const struct subject *subject)
{
	const struct go_layout *l = marks->spans->runtime->layout;
	const struct heap_span *span = &marks->spans->all[subject->span];

	if (!waits_for_sweep(bytes__u32(subject->before, l->mspan_sweepgen), batch->sweepgen))
		return bytes__u64(subject->before, l->mspan_allocBits);
	if (has_inline_marks(marks->spans, span))
		return span->base + GO_PAGE_SIZE - INLINE_MARKS;
	return bytes__u64(subject->before, l->mspan_gcmarkBits);
}

static uint32_t bits_size(const struct marks *marks, const struct subject *subject)
{
	const struct heap_span *span = &marks->spans->all[subject->span];

	/* Inline ones are 63 bytes, and the class is behind them. */
	return min_of((span->nelems + BITS_ROUND - 1) / BITS_ROUND * WORD,
		      has_inline_marks(marks->spans, span) ? INLINE_MARKS : BITS_MAX);
}

static int read_bits(const struct marks *marks, struct batch *batch)
{
	int err;

	batch->n_reads = 0;
	for (size_t i = 0; i < batch->n; i++) {
		struct subject *subject = &batch->subjects[i];

		if (subject->settled)
			continue;
		subject->bits_at = bits_address(marks, batch, subject);
		add_read(batch, i, subject->bits_at, subject->bits, bits_size(marks, subject));
	}
	err = remote__read_spans(marks->spans->runtime->remote, batch->reads, batch->n_reads);
	for (size_t i = 0; i < batch->n_reads && !err; i++) {
		if (batch->reads[i].result)
			batch->subjects[batch->subject_of[i]].bits_at = 0;
	}
	return err;
}

static uint32_t freeindex_of(const struct go_layout *l, const uint8_t *mspan)
{
	/* uint16 from the version on that has largeType, as in spans/spans.c. */
	if (l->mspan_largeType == GO_LAYOUT_ABSENT)
		return (uint32_t)min_of(bytes__u64(mspan, l->mspan_freeindex),
					(uint64_t)UINT32_MAX);
	return bytes__u16(mspan, l->mspan_freeindex);
}

/* What lies below freeindex was allocated since the sweep, whatever the bits say. */
static void settle(const struct marks *marks, const struct batch *batch, struct subject *subject)
{
	const struct go_layout *l = marks->spans->runtime->layout;
	bool unswept =
		waits_for_sweep(bytes__u32(subject->before, l->mspan_sweepgen), batch->sweepgen);
	uint32_t allocated = unswept ? 0 : freeindex_of(l, subject->before);

	for (size_t i = 0; i < subject->n; i++) {
		struct sample_object *object = &marks->objects[subject->first + i];
		bool bit = subject->bits[object->index / 8] >> object->index % 8 & 1;

		object->state = object->index < allocated || bit ? SAMPLE_LIVE : SAMPLE_DEAD;
	}
	subject->settled = true;
}

/* Whether the span was the same while its bits were read. */
static bool is_steady(const struct marks *marks, const struct subject *subject)
{
	const struct go_layout *l = marks->spans->runtime->layout;

	return subject->bits_at &&
	       heap_spans__same(marks->spans, &marks->spans->all[subject->span], subject->after) &&
	       bytes__u32(subject->before, l->mspan_sweepgen) ==
		       bytes__u32(subject->after, l->mspan_sweepgen) &&
	       bytes__u64(subject->before, l->mspan_allocBits) ==
		       bytes__u64(subject->after, l->mspan_allocBits) &&
	       bytes__u64(subject->before, l->mspan_gcmarkBits) ==
		       bytes__u64(subject->after, l->mspan_gcmarkBits);
}

static int read_sweepgen(const struct marks *marks, uint32_t *ret_sweepgen)
{
	return remote__read(marks->spans->runtime->remote,
			    marks->spans->runtime->mheap +
				    marks->spans->runtime->layout->mheap_sweepgen,
			    ret_sweepgen, sizeof(*ret_sweepgen));
}

static int attempt(const struct marks *marks, struct batch *batch)
{
	uint32_t after;
	int err = read_sweepgen(marks, &batch->sweepgen);

	if (!err)
		err = read_mspans(marks, batch, false);
	if (!err)
		err = read_bits(marks, batch);
	if (!err)
		err = read_mspans(marks, batch, true);
	if (!err)
		err = read_sweepgen(marks, &after);
	if (err || after != batch->sweepgen)
		return err;
	for (size_t i = 0; i < batch->n; i++) {
		struct subject *subject = &batch->subjects[i];

		if (!subject->settled && is_steady(marks, subject))
			settle(marks, batch, subject);
	}
	return 0;
}

static int settle_batch(const struct marks *marks, struct batch *batch)
{
	fill(marks, batch);
	for (int i = 0; i < ATTEMPTS; i++) {
		int err = attempt(marks, batch);

		if (err)
			return err;
	}
	for (size_t i = 0; i < batch->n; i++) {
		const struct subject *subject = &batch->subjects[i];
		bool same = heap_spans__same(marks->spans, &marks->spans->all[subject->span],
					     subject->after);

		*marks->next += subject->n;
		for (size_t k = 0; k < subject->n && !subject->settled; k++)
			marks->objects[subject->first + k].state =
				same ? SAMPLE_UNCERTAIN : SAMPLE_GONE;
	}
	return 0;
}

int sample_marks__settle(const struct heap_spans *spans, struct sample_object *objects, size_t n,
			 size_t *next, uint64_t budget_ns)
{
	const struct marks marks = {.spans = spans, .objects = objects, .n = n, .next = next};
	uint64_t end = clock__monotonic_ns() + budget_ns;
	struct batch *batch = malloc(sizeof(*batch));
	int err = batch ? 0 : -ENOMEM;

	while (!err && *next < n) {
		err = settle_batch(&marks, batch);
		if (budget_ns && clock__monotonic_ns() >= end)
			break;
	}
	free(batch);
	return err ? err : *next < n;
}
