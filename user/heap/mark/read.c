// SPDX-License-Identifier: Apache-2.0
/*
 * Contents of marked objects: parts of up to MARK_BATCH spans with one system call, each with the
 * runtime's struct of its span as it is now, so that a span that is another one by now is noticed.
 * The last few megabytes of copies are kept: lists that go through the same spans again and again make
 * batches small and many. They are milliseconds old at most.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "heap/mark/private.h"

#include "base/bytes.h"

#define WORD	     8u
#define ALIGN	     64u /* bytes of heap that a byte of the arenas' bitmap tells about */
#define SPAN_IN_USE  1
#define MAX_READS    (MARK_BATCH * 4)
#define ARENAS_KEPT  256u
#define BUFFER_SPARE (2u * HEAP_BITS_MAX) /* for the largest part, with its bits */
#define BUFFERS	     8u
#define COPIES	     4096u /* of spans that can be found again, a power of two */

struct part {
	uint32_t number; /* of its span */
	struct heap_piece piece;
	const uint8_t *mspan;
	size_t first_read, n_reads; /* n_reads 0: an earlier batch's copy, as expected */
	size_t mspan_read;
};

/* A whole span of one page in one of the buffers. */
struct copy {
	uint32_t number;    /* of its span, plus one; 0: none */
	uint32_t allocated; /* objects, from the first on, that were there when it was read */
	uint64_t round;	    /* of the buffer */
	struct heap_piece piece;
};

struct mark_batch {
	struct part parts[MARK_BATCH];
	struct remote_span reads[MAX_READS];
	size_t n_parts, n_reads, used;
	uint64_t round; /* how many buffers have been used up */
	struct copy copies[COPIES];
	struct {
		uint64_t number, address; /* number: of the arena plus one */
	} arenas[ARENAS_KEPT];
	uint64_t mask[HEAP_BITS_WORDS];
	uint8_t *buffer; /* of this round, one of these */
	uint8_t buffers[BUFFERS][MARK_BUFFER_SIZE + BUFFER_SPARE];
};

struct mark_batch *mark_batch__new(void)
{
	struct mark_batch *batch = calloc(1, sizeof(*batch));

	if (batch)
		batch->buffer = batch->buffers[0];
	return batch;
}

static void drop_pending(struct heap_mark *mark, const struct heap_span *span)
{
	memset(mark->pending.words + span->first_word, 0,
	       (span->nelems + 63) / 64 * sizeof(uint64_t));
}

/* --- what to read ------------------------------------------------------------------------------- */

static uint8_t *add_read(struct mark_batch *batch, uint64_t address, size_t size)
{
	uint8_t *buffer = batch->buffer + batch->used;

	batch->reads[batch->n_reads++] = (struct remote_span){
		.address = address,
		.buffer = buffer,
		.size = (uint32_t)size,
	};
	batch->used += (size + 7) & ~(size_t)7;
	return buffer;
}

static int arena_of(struct heap_mark *mark, uint64_t address, uint64_t *ret_arena)
{
	uint64_t number = (address >> GO_ARENA_SHIFT) + 1;
	struct mark_batch *batch = mark->batch;
	size_t slot = number % ARENAS_KEPT;
	int err;

	if (batch->arenas[slot].number != number) {
		err = page_map__arena(&mark->spans->runtime->pages, address,
				      &batch->arenas[slot].address);
		batch->arenas[slot].number = err ? 0 : number;
		if (err)
			return err;
	}
	*ret_arena = batch->arenas[slot].address;
	return 0;
}

/* The bitmap of the piece, which may go over from one arena into the next, in one stretch. */
static int add_arena_bits(struct heap_mark *mark, struct part *part)
{
	const struct go_layout *layout = mark->spans->runtime->layout;
	uint64_t at = part->piece.address, end = at + part->piece.size;
	uint8_t *next = mark->batch->buffer + mark->batch->used;

	part->piece.arena_bits = next;
	while (at < end) {
		uint64_t in_arena = at % GO_ARENA_SIZE, arena;
		size_t n = (size_t)min_of(end - at, GO_ARENA_SIZE - in_arena), size;
		int err = arena_of(mark, at, &arena);

		if (err)
			return err;
		if (!arena)
			return -EFAULT;
		size = heap_bits__arena_size(layout, n);
		add_read(mark->batch,
			 arena + layout->heapArena_bitmap + heap_bits__arena_size(layout, in_arena),
			 size);
		next += size;
		mark->batch->used = (size_t)(next - mark->batch->buffer);
		at += n;
	}
	mark->batch->used = (mark->batch->used + 7) & ~(size_t)7;
	return 0;
}

static bool is_page(const struct heap_span *span)
{
	return span->size_class && span->npages == 1;
}

/*
 * The span as one of the last batches read it, if it did, up to object @last. One that has been allocated since
 * may lead to all there is: it has to be read.
 */
static bool add_copy(struct heap_mark *mark, uint32_t number, uint32_t last)
{
	struct mark_batch *batch = mark->batch;
	const struct copy *copy = &batch->copies[number % COPIES];
	struct part *part = &batch->parts[batch->n_parts];

	if (copy->number != number + 1 || batch->round - copy->round >= BUFFERS ||
	    last >= copy->allocated)
		return false;
	*part = (struct part){.number = number, .piece = copy->piece};
	part->piece.span = &mark->spans->all[number]; /* the table may have moved */
	batch->n_parts++;
	return true;
}

static void keep_copy(struct heap_mark *mark, const struct part *part)
{
	if (part->n_reads && is_page(part->piece.span))
		mark->batch->copies[part->number % COPIES] = (struct copy){
			.number = part->number + 1,
			.allocated =
				heap_spans__allocated(mark->spans, part->piece.span, part->mspan),
			.round = mark->batch->round,
			.piece = part->piece,
		};
}

/* All but the runtime's struct of the span. */
static void add_part(struct heap_mark *mark, uint32_t number, uint64_t start, uint64_t end)
{
	struct mark_batch *batch = mark->batch;
	const struct heap_span *span = &mark->spans->all[number];
	struct part *part = &batch->parts[batch->n_parts];
	bool tail = heap_bits__needs_tail(&mark->bits, span);
	int err = 0;

	if (is_page(span)) {
		start = span->base;
		end = span->base + heap_span__bytes(span);
	}
	start &= ~(uint64_t)(ALIGN - 1);
	end = min_of((end + ALIGN - 1) & ~(uint64_t)(ALIGN - 1),
		     span->base + heap_span__bytes(span));
	*part = (struct part){.number = number, .first_read = batch->n_reads};
	part->piece = (struct heap_piece){
		.span = span,
		.address = start,
		.size = (size_t)(end - start),
	};
	part->piece.data = add_read(batch, start, (size_t)(end - start));
	if (tail)
		part->piece.tail = part->piece.data + part->piece.size - HEAP_TAIL_SIZE;
	if (heap_bits__arena_size(mark->spans->runtime->layout, part->piece.size))
		err = add_arena_bits(mark, part);
	if (err) {
		/* Only a heap that is none has spans without an arena. */
		batch->n_reads = part->first_read;
		mark->totals.pieces_unreadable++;
		drop_pending(mark, span);
		mark->spans->all[number].flags &= (uint8_t)~HEAP_SPAN_QUEUED;
		mark->failed = err == -ESRCH ? err : mark->failed;
		return;
	}
	part->n_reads = batch->n_reads - part->first_read;
	batch->n_parts++;
}

/* The structs of the spans of all parts that are read, by ascending address, too. */
static void add_mspans(struct heap_mark *mark)
{
	struct mark_batch *batch = mark->batch;
	struct part *sorted[MARK_BATCH];
	size_t n = 0;

	for (size_t i = 0; i < batch->n_parts; i++) {
		struct part *part = &batch->parts[i];
		size_t at = n;

		if (!part->n_reads)
			continue;
		for (; at && sorted[at - 1]->piece.span->mspan > part->piece.span->mspan; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = part;
		n++;
	}
	for (size_t i = 0; i < n; i++) {
		sorted[i]->mspan_read = batch->n_reads;
		sorted[i]->mspan = add_read(batch, sorted[i]->piece.span->mspan,
					    mark->spans->runtime->layout->mspan_sizeof);
	}
}

/* Bounds of the pending objects; false: there are none. */
static bool pending_range(const struct heap_mark *mark, const struct heap_span *span,
			  uint32_t *ret_first, uint32_t *ret_last)
{
	const uint64_t *words = mark->pending.words + span->first_word;
	uint32_t n = (span->nelems + 63) / 64;
	bool found = false;

	for (uint32_t i = 0; i < n; i++) {
		if (!words[i])
			continue;
		if (!found)
			*ret_first = i * 64 + (uint32_t)__builtin_ctzll(words[i]);
		*ret_last = i * 64 + 63 - (uint32_t)__builtin_clzll(words[i]);
		found = true;
	}
	return found;
}

static void begin_large(struct heap_mark *mark, uint32_t number)
{
	struct heap_span *span = &mark->spans->all[number];

	mark_bits__clear(&mark->pending, span, 0);
	span->flags &= (uint8_t)~HEAP_SPAN_QUEUED;
	mark->large_span = number;
	mark->large_at = span->base;
}

static void add_large(struct heap_mark *mark)
{
	const struct heap_span *span = &mark->spans->all[mark->large_span];
	uint64_t end = span->base + span->elemsize;
	uint64_t to = min_of(end, mark->large_at + HEAP_BITS_MAX);

	add_part(mark, mark->large_span, mark->large_at, to);
	mark->large_at = to;
	if (to == end)
		mark->large_span = HEAP_NO_SPAN;
}

static void add_queued(struct heap_mark *mark)
{
	uint32_t number = mark__number(mark->wave[mark->wave_at++]), first, last;
	struct heap_span *span = &mark->spans->all[number];

	if (!pending_range(mark, span, &first, &last))
		span->flags &= (uint8_t)~HEAP_SPAN_QUEUED;
	else if (!span->size_class)
		begin_large(mark, number);
	else if (!is_page(span) || !add_copy(mark, number, last))
		add_part(mark, number, heap_span__object(span, first),
			 heap_span__object(span, last) + span->elemsize);
}

static void fill(struct heap_mark *mark)
{
	struct mark_batch *batch = mark->batch;

	batch->n_parts = batch->n_reads = 0;
	if (mark->wave_at == mark->n_wave)
		mark__next_wave(mark);
	if (batch->used >= MARK_BUFFER_SIZE / 2) {
		batch->buffer = batch->buffers[++batch->round % BUFFERS];
		batch->used = 0;
	}
	while (batch->n_parts < MARK_BATCH && batch->used < MARK_BUFFER_SIZE &&
	       batch->n_reads + 4 <= MAX_READS) {
		if (mark->large_span != HEAP_NO_SPAN)
			add_large(mark);
		else if (mark->wave_at < mark->n_wave)
			add_queued(mark);
		else
			break;
	}
	add_mspans(mark);
}

/* --- what was read ------------------------------------------------------------------------------ */

static void show_contents(struct heap_mark *mark, const struct part *part, uint64_t object,
			  uint64_t start, size_t size, struct heap_contents *contents)
{
	const struct heap_piece *piece = &part->piece;
	const struct heap_span *span = &mark->spans->all[part->number];

	*contents = (struct heap_contents){
		.place = HEAP_IN_OBJECT,
		.start = start,
		.data = piece->data + (start - piece->address),
		.size = size,
		.object = object,
		.slot = mark__slot(span, heap_span__index(span, object)),
		.header = heap_bits__header(&mark->bits, piece, object),
	};
	heap_mark__inside(mark, contents);
}

/* The part of @size bytes from @start on belongs to the object at @object. */
static void scan_object(struct heap_mark *mark, const struct part *part, uint64_t object,
			uint64_t start, size_t size)
{
	const struct heap_piece *piece = &part->piece;
	const uint8_t *data = piece->data + (start - piece->address);
	uint64_t *mask = mark->batch->mask;
	size_t n = (size / WORD + 63) / 64;
	struct heap_contents contents;

	if (mark->spans->all[part->number].flags & HEAP_SPAN_CHANGED)
		memset(mask, 0xff, n * sizeof(*mask));
	else
		heap_bits__object(&mark->bits, piece, object, start, size, mask);
	if (mark->visitor)
		show_contents(mark, part, object, start, size, &contents);
	for (size_t i = 0; i < n; i++) {
		for (uint64_t left = mask[i]; left; left &= left - 1) {
			size_t at = (i * 64 + (size_t)__builtin_ctzll(left)) * WORD;

			if (at < size)
				mark__ahead(mark, start + at, bytes__u64(data, at));
		}
	}
	heap_mark__inside(mark, NULL);
}

static void foresee(struct heap_mark *mark, const struct part *part, uint64_t object, size_t size)
{
	const uint8_t *data = part->piece.data + (object - part->piece.address);
	uint64_t *mask = mark->batch->mask;

	heap_bits__object(&mark->bits, &part->piece, object, object, size, mask);
	for (size_t i = 0; i < (size / WORD + 63) / 64; i++) {
		for (uint64_t left = mask[i]; left; left &= left - 1) {
			size_t at = (i * 64 + (size_t)__builtin_ctzll(left)) * WORD;

			if (at < size)
				mark__foresee(mark, bytes__u64(data, at));
		}
	}
}

static void foresee_small(struct heap_mark *mark, const struct part *part)
{
	const struct heap_span *span = &mark->spans->all[part->number];
	const uint64_t *words = mark->pending.words + span->first_word;
	uint64_t end = part->piece.address + part->piece.size;

	for (uint32_t i = 0; i < (span->nelems + 63) / 64; i++) {
		for (uint64_t left = words[i]; left; left &= left - 1) {
			uint64_t at =
				heap_span__object(span, i * 64 + (uint32_t)__builtin_ctzll(left));

			if (at >= part->piece.address && at + span->elemsize <= end)
				foresee(mark, part, at, span->elemsize);
		}
	}
	mark__foresee_all(mark);
}

/* Every pending object that was read, until none is: one may lead to the next in the same span. */
static void scan_small(struct heap_mark *mark, const struct part *part)
{
	struct heap_span *span = &mark->spans->all[part->number];
	uint64_t *words = mark->pending.words + span->first_word;
	uint64_t end = part->piece.address + part->piece.size;
	uint32_t n = (span->nelems + 63) / 64;
	bool again;

	do {
		again = false;
		for (uint32_t i = 0; i < n; i++) {
			for (uint64_t left = words[i]; left; left &= left - 1) {
				uint32_t index = i * 64 + (uint32_t)__builtin_ctzll(left);
				uint64_t at = heap_span__object(span, index);

				if (at < part->piece.address || at + span->elemsize > end)
					continue;
				mark_bits__clear(&mark->pending, span, index);
				scan_object(mark, part, at, at, span->elemsize);
				again = true;
			}
		}
	} while (again);
}

static void set_all_pending(struct heap_mark *mark, struct heap_span *span)
{
	for (uint32_t i = 0; i < span->nelems; i++)
		mark_bits__set(&mark->pending, span, i);
}

/* Whether the part can be scanned as what the table says it is. */
static bool is_as_expected(struct heap_mark *mark, const struct part *part)
{
	const struct go_layout *layout = mark->spans->runtime->layout;
	struct heap_span *span = &mark->spans->all[part->number];

	if (span->flags & HEAP_SPAN_CHANGED || heap_spans__same(mark->spans, span, part->mspan))
		return true;
	mark->totals.spans_changed++;
	/* Freed: nothing in it was alive. Else all of it is scanned, whatever is where. */
	if (part->mspan[layout->mspan_state] != SPAN_IN_USE) {
		drop_pending(mark, span);
		return false;
	}
	span->flags |= HEAP_SPAN_CHANGED;
	set_all_pending(mark, span);
	return false;
}

static bool was_read(const struct mark_batch *batch, const struct part *part)
{
	for (size_t i = 0; i < part->n_reads; i++) {
		if (batch->reads[part->first_read + i].result)
			return false;
	}
	return !batch->reads[part->mspan_read].result;
}

/* Whether what was read is there, and what it should be. */
static bool is_usable(struct heap_mark *mark, struct part *part)
{
	const struct go_layout *layout = mark->spans->runtime->layout;

	if (!was_read(mark->batch, part)) {
		mark->totals.pieces_unreadable++;
		drop_pending(mark, &mark->spans->all[part->number]);
		return false;
	}
	mark->totals.pieces++;
	mark->totals.bytes_read += part->piece.size;
	if (layout->mspan_largeType != GO_LAYOUT_ABSENT)
		part->piece.large_type = bytes__u64(part->mspan, layout->mspan_largeType);
	return is_as_expected(mark, part);
}

static void settle(struct heap_mark *mark, struct part *part)
{
	struct heap_span *span = &mark->spans->all[part->number];
	bool usable = !part->n_reads || is_usable(mark, part);
	uint32_t first, last;

	if (usable && span->size_class) {
		keep_copy(mark, part);
		if (mark->visitor && !(span->flags & HEAP_SPAN_CHANGED))
			foresee_small(mark, part);
		scan_small(mark, part);
	} else if (usable) {
		scan_object(mark, part, span->base, part->piece.address,
			    (size_t)min_of(part->piece.size,
					   span->base + span->elemsize - part->piece.address));
	}
	/* A large one left the queue when its first part was read. */
	if (span->size_class)
		span->flags &= (uint8_t)~HEAP_SPAN_QUEUED;
	if (pending_range(mark, span, &first, &last))
		mark__enqueue(mark, part->number);
}

int mark__read_batch(struct heap_mark *mark)
{
	struct mark_batch *batch = mark->batch;
	int err;

	fill(mark);
	if (mark->failed)
		return mark->failed;
	err = remote__read_spans(mark->spans->runtime->remote, batch->reads, batch->n_reads);
	if (err)
		return err;
	for (size_t i = 0; i < batch->n_parts; i++)
		settle(mark, &batch->parts[i]);
	mark__ahead_all(mark);
	return mark->failed;
}
