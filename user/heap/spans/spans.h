/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_SPANS_SPANS_H
#define GLEAKD_HEAP_SPANS_SPANS_H

/*
 * The spans of a heap: runs of pages cut into objects of one size (src/runtime/mheap.go). Read from
 * mheap_.allspans, which names every span that ever was; kept are those in use, and a map from
 * addresses to them. About 60 bytes per span and 4 per page: 0.8 % of the heap, whatever is in it.
 *
 * The target runs on. A span that was allocated later is found by heap_spans__look_up(), one that
 * was freed or given to another size since has to be noticed by whoever reads its objects, with
 * heap_spans__same(). Spans are named by their number, which stays; the array may move.
 */
#include "base/failure.h"
#include "heap/runtime/runtime.h"

#define HEAP_NO_SPAN	  UINT32_MAX
#define HEAP_MSPAN_MAX	  256	 /* bytes of an mspan; the largest version has 168 */
#define HEAP_SMALL_MAX	  32768u /* largest object of a size class */
#define HEAP_BITS_IN_SPAN 512u /* largest object whose pointer bits are in its span, from 1.22 on */
#define HEAP_HEADER_SIZE  8u   /* of larger ones: their type (src/internal/runtime/gc) */

enum heap_span_flag {
	HEAP_SPAN_NOSCAN = 1,	  /* its objects hold no pointers */
	HEAP_SPAN_USER_ARENA = 2, /* GOEXPERIMENT=arenas: many objects in one */
	/* Of whoever marks; see mark/mark.h. */
	HEAP_SPAN_QUEUED = 4,
	HEAP_SPAN_WATCHED = 8, /* an object in it is waited for */
	HEAP_SPAN_CHANGED = 16,
	HEAP_SPAN_NEXT = 32, /* it has objects of the next level */
};

struct heap_span {
	uint64_t base;
	uint64_t elemsize; /* bytes from one object to the next; all of it for a large one */
	uint64_t mspan;	   /* address of the runtime's struct */
	uint32_t npages;
	uint32_t nelems;
	uint32_t first_word; /* its objects' bits begin in this word of a bitmap of all objects */
	uint32_t reciprocal; /* of elemsize; 0: there is one object */
	uint8_t size_class;  /* 0: a large object */
	uint8_t flags;	     /* enum heap_span_flag */
};

struct heap_special_list {
	uint32_t span;
	uint64_t first; /* address of a special */
};

struct heap_span_totals {
	uint64_t bytes;		  /* of spans in use */
	uint64_t scannable_bytes; /* of those whose objects may hold pointers */
	uint64_t objects;	  /* slots, whether allocated or not */
	size_t refused;		  /* in use, but they make no sense, or beyond a limit */
	size_t unreadable;
	size_t late; /* found by heap_spans__look_up() */
};

struct heap_spans {
	const struct heap_runtime *runtime;
	struct heap_span *all;
	size_t n, capacity;
	uint32_t **arenas;  /* [GO_N_ARENAS]: per page the number of its span plus one, or 0 */
	uint64_t low, high; /* bounds of all addresses */
	uint64_t n_words;   /* of a bitmap with one bit per object */
	struct heap_special_list *specials;
	size_t n_specials, specials_capacity;
	struct heap_span_totals totals;
	bool inline_marks; /* spans of objects of 16 to 512 bytes end in mark bits (Green Tea) */
	int inline_votes;
	/* What is still to be read. */
	uint64_t *addresses;
	size_t n_addresses, next;
	size_t max_pages, pages;
	size_t n_leaves; /* arenas that are there */
};

struct heap_span_options {
	uint64_t max_bytes; /* of heap; 0: 1 TiB */
};

/* heap_spans__new - an empty table. @runtime must outlive it. -ENOMEM. */
int heap_spans__new(const struct heap_runtime *runtime, const struct heap_span_options *options,
		    struct heap_spans **ret_spans) __must_check;
void heap_spans__free(struct heap_spans *spans);

/* heap_spans__start - copy the list of spans. -EFAULT it could not be read, -ESRCH, -E2BIG, -ENOMEM. */
int heap_spans__start(struct heap_spans *spans) __must_check;

/*
 * heap_spans__step - read on for about @budget_ns (0: to the end). 1: there is more; 0: all read;
 * -ESRCH, -ENOMEM.
 */
int heap_spans__step(struct heap_spans *spans, uint64_t budget_ns) __must_check;

/*
 * heap_spans__check - whether what was read is a heap: sampled spans are where the page map has
 * them, the list of goroutines is an allocated object that can hold it, and the g structs are
 * objects of the size class of a g. @exact: the target is stopped, nothing may differ.
 * Errors: -EOPNOTSUPP with what is wrong, -EAGAIN something moved meanwhile, -ESRCH.
 */
int heap_spans__check(struct heap_spans *spans, bool exact, struct failure *failure) __must_check;

/*
 * heap_spans__look_up - the span of @address according to the page map of now, for an address of
 * which heap_spans__find() knows none. HEAP_NO_SPAN: there is none in use. -ESRCH, -ENOMEM.
 */
int heap_spans__look_up(struct heap_spans *spans, uint64_t address,
			uint32_t *ret_span) __must_check;

/* heap_spans__same - whether @mspan, read just now, still describes @span. */
bool heap_spans__same(const struct heap_spans *spans, const struct heap_span *span,
		      const uint8_t *mspan);

/*
 * heap_spans__is_free - whether object @index of @span is not allocated, by the allocator's bits of
 * now. For pointers that are only guesses; one that is none is not free (src/runtime/mbitmap.go
 * isFree), nor is one whose span is swept each time that it is looked at. Errors: -EFAULT, -ESRCH.
 */
int heap_spans__is_free(const struct heap_spans *spans, const struct heap_span *span,
			uint32_t index, bool *ret_free) __must_check;

/*
 * heap_spans__allocated - so many objects of @span were allocated when @mspan was read, from the first on; others may
 * have been as well.
 */
uint32_t heap_spans__allocated(const struct heap_spans *spans, const struct heap_span *span,
			       const uint8_t *mspan);

/* heap_spans__size_class - the smallest class that holds @size bytes (0: none), and its size. */
uint8_t heap_spans__size_class(uint64_t size, uint32_t *ret_size);

/* heap_spans__class_size - bytes of an object of @size_class; 0: there is no such class. */
uint32_t heap_spans__class_size(uint8_t size_class);

/* heap_spans__find - number of the span that @address lies in, or HEAP_NO_SPAN. */
static inline uint32_t heap_spans__find(const struct heap_spans *spans, uint64_t address)
{
	const uint32_t *leaf;

	if (address - spans->low >= spans->high - spans->low)
		return HEAP_NO_SPAN;
	leaf = spans->arenas[address >> GO_ARENA_SHIFT];
	return leaf ? leaf[address % GO_ARENA_SIZE >> GO_PAGE_SHIFT] - 1 : HEAP_NO_SPAN;
}

/* heap_span__index - which object @address is in; at least nelems: it is behind the last. */
static inline uint32_t heap_span__index(const struct heap_span *span, uint64_t address)
{
	/* src/runtime/mbitmap.go objIndex */
	return (uint32_t)((address - span->base) * span->reciprocal >> 32);
}

static inline uint64_t heap_span__object(const struct heap_span *span, uint32_t index)
{
	return span->base + index * span->elemsize;
}

static inline uint64_t heap_span__bytes(const struct heap_span *span)
{
	return (uint64_t)span->npages << GO_PAGE_SHIFT;
}

#endif /* GLEAKD_HEAP_SPANS_SPANS_H */
