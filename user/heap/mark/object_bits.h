/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_MARK_OBJECT_BITS_H
#define GLEAKD_HEAP_MARK_OBJECT_BITS_H

/*
 * Which words of an object are pointers. Where that is written differs (src/runtime/mbitmap.go):
 *
 *	Go 1.18, 1.19	two bits per word in the arena: pointer, and whether more follow
 *	Go 1.20, 1.21	one bit per word in the arena
 *	Go 1.22 on	objects up to 512 bytes: one bit per word at the end of their span
 *			larger ones: their type is in a header before the object, or for those with
 *			a span of their own in the mspan
 *
 * Where nothing is known every word counts as one.
 */
#include "heap/spans/spans.h"
#include "heap/types/types.h"

/* A part of a span as it was read. */
struct heap_piece {
	const struct heap_span *span;
	uint64_t address; /* of the first byte */
	size_t size;	  /* bytes, a multiple of a word */
	const uint8_t *data;
	const uint8_t *arena_bits; /* of the piece, before Go 1.22: heap_bits__arena_size() bytes */
	const uint8_t *tail; /* the last bytes of the span, where its bits are: HEAP_TAIL_SIZE */
	uint64_t large_type; /* mspan.largeType */
};

#define HEAP_TAIL_SIZE	256u	     /* bits of a page, and mark bits behind them */
#define HEAP_BITS_MAX	(128u << 10) /* bytes of an object that one call tells about */
#define HEAP_BITS_WORDS (HEAP_BITS_MAX / 8 / 64)

struct heap_bits {
	const struct heap_spans *spans;
	struct heap_types *types;
};

/* heap_bits__arena_size - bytes of the arenas' bitmap for @size bytes of heap; 0 from Go 1.22 on. */
size_t heap_bits__arena_size(const struct go_layout *layout, size_t size);

/*
 * heap_bits__header - address of the type that the allocator has written down for the object at
 * @object, of which the values in it are; 0: it has not.
 */
uint64_t heap_bits__header(const struct heap_bits *bits, const struct heap_piece *piece,
			   uint64_t object);

/* heap_bits__needs_tail - whether objects of @span cannot be told without the end of the span. */
bool heap_bits__needs_tail(const struct heap_bits *bits, const struct heap_span *span);

/*
 * heap_bits__object - bit i of @mask: the word at @start + 8 * i may be a pointer. The part of
 * @size bytes from @start on (at most HEAP_BITS_MAX, within the piece) belongs to the object that
 * begins at @object. Fills (@size / 8 + 63) / 64 words of @mask.
 */
void heap_bits__object(const struct heap_bits *bits, const struct heap_piece *piece,
		       uint64_t object, uint64_t start, size_t size, uint64_t *mask);

#endif /* GLEAKD_HEAP_MARK_OBJECT_BITS_H */
