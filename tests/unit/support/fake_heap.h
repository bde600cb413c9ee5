/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_FAKE_HEAP_H
#define GLEAKD_TESTS_FAKE_HEAP_H

/*
 * A small Go heap of any version as byte ranges: spans of one arena, the page map, a module with a
 * few variables, goroutines with stacks. Made by hand, so that each test says what is in it.
 */
#include "heap/runtime/runtime.h"

#define FAKE_HEAP_BASE	0xc000000000ULL
#define FAKE_HEAP_PAGES 192
#define FAKE_MAX_SPANS	64
#define FAKE_GLOBALS	64 /* words of data, all of them pointers */
#define FAKE_GOROUTINES 32
#define FAKE_STACK	1024 /* bytes of each */
#define FAKE_TYPES	32
#define FAKE_BUCKETS	131072 /* bytes of all */
#define FAKE_SWEEPGEN	100u
#define FAKE_RATE	524288u

struct fake_span {
	uint64_t base;
	uint32_t elemsize, npages, nelems;
	bool noscan;
	uint32_t used;
};

struct fake_heap {
	const struct go_layout *layout;
	bool inline_marks;
	struct heap_runtime runtime;
	struct remote *remote;
	/* What the target's memory is; each at the address of the same name in fake_heap.c. */
	uint8_t mheap[70000];
	uint64_t arenas[2];
	uint8_t *arena; /* heapArena */
	size_t arena_size;
	uint8_t pages[FAKE_HEAP_PAGES * 8192];
	uint8_t mspans[FAKE_MAX_SPANS][256];
	uint8_t alloc_bits[FAKE_MAX_SPANS][128];
	uint64_t list[FAKE_MAX_SPANS]; /* allspans */
	uint8_t module[1024];
	uint64_t globals[FAKE_GLOBALS];
	uint64_t bss[8]; /* allglen, allgptr, allp, ... */
	uint8_t masks[64];
	uint8_t stacks[FAKE_GOROUTINES][FAKE_STACK];
	uint8_t types[FAKE_TYPES][64];
	uint8_t type_masks[FAKE_TYPES][1024];
	uint8_t specials[64][64];
	uint8_t mark_bits[FAKE_MAX_SPANS][128];
	uint8_t buckets[FAKE_BUCKETS];

	struct fake_span spans[FAKE_MAX_SPANS];
	size_t n_spans, next_page, n_types, n_specials;
	size_t g_span, sudog_span, chan_span;
	uint64_t gs[FAKE_GOROUTINES]; /* addresses */
	uint64_t allgs;		      /* the array, an object */
	size_t n_gs;
	size_t buckets_used;
};

/* fake_heap__new - of Go 1.@minor, with goroutine 1 asleep. NULL: out of memory. */
struct fake_heap *fake_heap__new(int minor);
void fake_heap__free(struct fake_heap *heap);

/* fake_heap__span - a span for objects of @size bytes; 0 pages: as the class has (if it has one). */
size_t fake_heap__span(struct fake_heap *heap, uint32_t size, uint32_t npages, bool noscan);

/* fake_heap__large - a span with one object. */
size_t fake_heap__large(struct fake_heap *heap, uint32_t npages, bool noscan);

/* fake_heap__alloc - the next object of a span: its address. */
uint64_t fake_heap__alloc(struct fake_heap *heap, size_t span);

/* fake_heap__word - where the target's @address is kept; NULL: nowhere. */
uint64_t *fake_heap__word(struct fake_heap *heap, uint64_t address);

/* fake_heap__point - word @i of @object points to @value, and is known to be a pointer. */
void fake_heap__point(struct fake_heap *heap, uint64_t object, size_t i, uint64_t value);

/* fake_heap__type - a type of @size bytes in which the words of @mask are pointers. */
uint64_t fake_heap__type(struct fake_heap *heap, uint64_t size, uint64_t pointer_size,
			 const uint8_t *mask);

/* fake_heap__type_at - the address of the type that was made as number @i. */
uint64_t fake_heap__type_at(const struct fake_heap *heap, size_t i);

/* fake_heap__set_type - the header of an object of more than 512 bytes, or a large one's type. */
void fake_heap__set_type(struct fake_heap *heap, size_t span, uint64_t object, uint64_t type);

/* fake_heap__special - of object @object: the runtime's number of its kind, and what follows. */
void fake_heap__special(struct fake_heap *heap, size_t span, uint64_t object, uint8_t kind,
			uint64_t payload);

/*
 * fake_heap__bucket - of the memory profile, for objects of @size bytes: the first of the list.
 * Returns its address.
 */
uint64_t fake_heap__bucket(struct fake_heap *heap, uint64_t size, const uint64_t *pcs, size_t n);

/* fake_heap__sampled - so many more in the bucket's part @cycle: 0 published, 1 to 3 not yet. */
void fake_heap__sampled(struct fake_heap *heap, uint64_t bucket, size_t cycle, uint64_t allocs,
			uint64_t frees);

/* fake_heap__profile_special - @object was sampled in @bucket. */
void fake_heap__profile_special(struct fake_heap *heap, size_t span, uint64_t object,
				uint64_t bucket);

/* fake_heap__unswept - the span waits to be swept; @object was marked, others were not. */
void fake_heap__unswept(struct fake_heap *heap, size_t span);
void fake_heap__mark(struct fake_heap *heap, size_t span, uint64_t object);

/* Where mbuckets and MemProfileRate are. */
#define FAKE_PROFILE_GLOBALS \
	((struct profile_globals){.buckets = 0x741028, .rate = 0x741030, .wanted = true})

/* fake_heap__goroutine - waits for @reason ("chan receive"); "": it can run. Returns its index. */
size_t fake_heap__goroutine(struct fake_heap *heap, const char *reason);

/* fake_heap__wait - goroutine @g waits on the channel @chan (one more case). */
void fake_heap__wait(struct fake_heap *heap, size_t g, uint64_t chan);

/* fake_heap__chan - a channel, an object. */
uint64_t fake_heap__chan(struct fake_heap *heap);

/* fake_heap__push - word @i from the top of goroutine @g's stack is @value; sp is at the lowest. */
void fake_heap__push(struct fake_heap *heap, size_t g, size_t i, uint64_t value);

#endif /* GLEAKD_TESTS_FAKE_HEAP_H */
