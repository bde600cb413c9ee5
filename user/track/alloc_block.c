// SPDX-License-Identifier: Apache-2.0
#include "track/alloc_weights.h"

/* src/runtime/malloc.go, src/runtime/sizeclasses.go. */
#define TINY_MAX     16u  /* maxTinySize: objects of less, without pointers */
#define HEADER_OVER  512u /* minSizeForMallocHeader on 64 bits */
#define HEADER_BYTES 8u	  /* MallocHeaderSize */
#define FIRST_HEADER 22	  /* Go 1.22 */
#define SMALL_MAX    32768u
#define PAGE_BYTES   8192u

static uint64_t tiny_part(uint64_t size)
{
	uint64_t align = size & 7 ? (size & 3 ? (size & 1 ? 1 : 2) : 4) : 8;
	uint64_t room = (size + align - 1) / align * align;

	return TINY_MAX / (TINY_MAX / room);
}

struct alloc_block alloc_block__of(uint64_t size, bool has_pointers, int minor,
				   uint32_t (*class_size)(uint8_t))
{
	bool header = minor >= FIRST_HEADER && has_pointers && size > HEADER_OVER;
	uint64_t whole = size + (header ? HEADER_BYTES : 0);
	uint8_t c = 1;

	/* From Go 1.22 on all objects beyond this with room for a header are large. */
	if (whole > SMALL_MAX - (minor >= FIRST_HEADER && !header ? HEADER_BYTES : 0))
		return (struct alloc_block){
			.bytes = (size + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES,
		};
	if (!has_pointers && size < TINY_MAX)
		return (struct alloc_block){
			.size_class = 2, .tiny = true, .bytes = tiny_part(size)};
	while (class_size(c) && class_size(c) < whole)
		c++;
	return (struct alloc_block){.size_class = c, .bytes = class_size(c)};
}
