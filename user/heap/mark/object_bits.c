// SPDX-License-Identifier: Apache-2.0
#include "heap/mark/object_bits.h"

#include <endian.h>
#include <string.h>

#include "base/bytes.h"

#define WORD	     8u
#define BITS_SIZE    (GO_PAGE_SIZE / 64) /* one bit per word of a page */
#define INLINE_MARKS 128u /* sizeof(spanInlineMarkBits), src/runtime/mgcmark_greenteagc.go */
#define MIN_INLINE   16u  /* gcUsesSpanInlineMarkBits */

static bool has_arena_bits(const struct go_layout *layout)
{
	return layout->heapArena_bitmap != GO_LAYOUT_ABSENT;
}

/* The arena's bitmap is the first field, and twice as large where it has two bits per word. */
static bool has_two_bits(const struct go_layout *layout)
{
	return layout->heapArena_spans >= GO_ARENA_SIZE / WORD / 4;
}

size_t heap_bits__arena_size(const struct go_layout *layout, size_t size)
{
	if (!has_arena_bits(layout))
		return 0;
	return size / WORD / (has_two_bits(layout) ? 4 : 8);
}

bool heap_bits__needs_tail(const struct heap_bits *bits, const struct heap_span *span)
{
	return !has_arena_bits(bits->spans->runtime->layout) &&
	       span->elemsize <= HEAP_BITS_IN_SPAN && span->size_class;
}

static void set_all(uint64_t *mask, size_t n)
{
	memset(mask, 0xff, n / 64 * sizeof(*mask));
	if (n % 64)
		mask[n / 64] = (1ULL << n % 64) - 1;
}

static inline void set(uint64_t *mask, size_t i)
{
	mask[i / 64] |= 1ULL << i % 64;
}

static inline bool bit_at(const uint8_t *bits, size_t i)
{
	return bits[i / 8] >> (i % 8) & 1;
}

/* @n bits, 64 at most, from bit @first of @bits on; nothing is read behind the last one's byte. */
static uint64_t take_bits(const uint8_t *bits, size_t first, size_t n)
{
	const uint8_t *from = bits + first / 8;
	size_t shift = first % 8, bytes = (shift + n + 7) / 8;
	uint64_t taken = 0;

	memcpy(&taken, from, min_of(bytes, sizeof(taken)));
	taken = le64toh(taken) >> shift;
	if (bytes > sizeof(taken))
		taken |= (uint64_t)from[8] << (64 - shift);
	return n < 64 ? taken & ((1ULL << n) - 1) : taken;
}

/* @n bits from bit @first of @bits on. */
static void copy_bits(const uint8_t *bits, size_t first, size_t n, uint64_t *mask)
{
	for (size_t i = 0; i < n; i += 64)
		mask[i / 64] |= take_bits(bits, first + i, min_of(n - i, (size_t)64));
}

/*
 * A byte has four words: their pointer bits below, above whether there are pointers in this word or
 * behind it (src/runtime/mbitmap.go of Go 1.19).
 */
static void copy_bit_pairs(const uint8_t *bits, size_t first, size_t n, uint64_t *mask)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t pair = bits[(first + i) / 4] >> (first + i) % 4;

		if (!(pair & 0x10))
			return;
		if (pair & 1)
			set(mask, i);
	}
}

/*
 * Values of @type one behind the other from @first on; the part begins @skip words into them. @n
 * words of @mask.
 */
static void tile(const struct heap_type *type, size_t skip, size_t n, uint64_t *mask)
{
	size_t size = (size_t)(type->size / WORD), pointers = (size_t)(type->pointer_size / WORD);
	size_t at = skip % size;

	if (size == 1) {
		set_all(mask, n);
		return;
	}
	for (size_t i = 0; i < n;) {
		if (at < pointers) {
			if (!type->bits || bit_at(type->bits, at))
				set(mask, i);
			at++;
			i++;
		} else {
			i += size - at;
			at = 0;
		}
	}
}

static void by_type(const struct heap_bits *bits, uint64_t address, size_t skip, size_t n,
		    uint64_t *mask)
{
	const struct heap_type *type = heap_types__get(bits->types, address);

	if (type)
		tile(type, skip, n, mask);
	else
		set_all(mask, n);
}

static void by_span(const struct heap_bits *bits, const struct heap_piece *piece, uint64_t start,
		    size_t n, uint64_t *mask)
{
	size_t at = HEAP_TAIL_SIZE - BITS_SIZE;

	if (bits->spans->inline_marks && piece->span->elemsize >= MIN_INLINE)
		at -= INLINE_MARKS;
	copy_bits(piece->tail + at, (start - piece->span->base) / WORD, n, mask);
}

static void by_header(const struct heap_bits *bits, const struct heap_piece *piece, uint64_t object,
		      uint64_t start, size_t n, uint64_t *mask)
{
	size_t skip = (size_t)((start - object) / WORD);
	uint64_t header, shifted[HEAP_BITS_WORDS] = {0};

	/* Objects that have a header are at most 32 KiB, and pieces have them whole. */
	if (object < piece->address || start != object || n < 1) {
		set_all(mask, n);
		return;
	}
	header = bytes__u64(piece->data, (size_t)(object - piece->address));
	by_type(bits, header, skip, n - 1, shifted);
	for (size_t i = 0; i < (n + 63) / 64; i++)
		mask[i] = shifted[i] << 1 | (i ? shifted[i - 1] >> 63 : 0);
}

uint64_t heap_bits__header(const struct heap_bits *bits, const struct heap_piece *piece,
			   uint64_t object)
{
	const struct heap_span *span = piece->span;

	if (has_arena_bits(bits->spans->runtime->layout) || span->flags & HEAP_SPAN_CHANGED)
		return 0;
	if (!span->size_class)
		return piece->large_type;
	if (span->elemsize <= HEAP_BITS_IN_SPAN || object < piece->address)
		return 0;
	return bytes__u64(piece->data, (size_t)(object - piece->address));
}

void heap_bits__object(const struct heap_bits *bits, const struct heap_piece *piece,
		       uint64_t object, uint64_t start, size_t size, uint64_t *mask)
{
	const struct go_layout *layout = bits->spans->runtime->layout;
	const struct heap_span *span = piece->span;
	size_t n = size / WORD, first = (size_t)((start - piece->address) / WORD);

	memset(mask, 0, (n + 63) / 64 * sizeof(*mask));
	if (span->flags & HEAP_SPAN_USER_ARENA)
		set_all(mask, n);
	else if (has_arena_bits(layout) && has_two_bits(layout))
		copy_bit_pairs(piece->arena_bits, first, n, mask);
	else if (has_arena_bits(layout))
		copy_bits(piece->arena_bits, first, n, mask);
	else if (!span->size_class && piece->large_type)
		by_type(bits, piece->large_type, (size_t)((start - object) / WORD), n, mask);
	else if (!span->size_class)
		return; /* nothing has been put into it yet (src/runtime/malloc.go mallocgcLarge) */
	else if (span->elemsize <= HEAP_BITS_IN_SPAN)
		by_span(bits, piece, start, n, mask);
	else
		by_header(bits, piece, object, start, n, mask);
}
