/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_SPANS_SPECIALS_H
#define GLEAKD_HEAP_SPANS_SPECIALS_H

/*
 * Records that hang from spans and say something about one of their objects: that it has a finalizer,
 * a cleanup or weak pointers, or was sampled by the memory profiler (src/runtime/mheap.go special).
 * They are not in the heap themselves.
 */
#include "heap/spans/spans.h"

enum heap_special_kind {
	HEAP_SPECIAL_OTHER, /* one that the collector has nothing to do with */
	HEAP_SPECIAL_FINALIZER,
	HEAP_SPECIAL_WEAK_HANDLE,
	HEAP_SPECIAL_CLEANUP,
	HEAP_SPECIAL_PROFILE,
};

#define HEAP_SPECIAL_PAYLOAD 24 /* a cleanupFn of Go 1.27; all others need one word */

struct heap_special {
	enum heap_special_kind kind;
	uint32_t span;
	uint64_t object;  /* address of the first byte of the object it is about */
	uint64_t address; /* of the record */
	/* What follows the part that all kinds share: *funcval, *handle, cleanupFn or *bucket. */
	uint8_t payload[HEAP_SPECIAL_PAYLOAD];
};

struct heap_special_totals {
	uint64_t read;
	uint64_t unreadable; /* lists that end in something unreadable */
	uint64_t refused;    /* lists cut short: by the maximum, or as they go in a circle */
	uint64_t torn;	     /* of an object that is none: the span was freed meanwhile */
};

/* Walks all lists, a record of every list at a time. */
struct heap_specials;

/* heap_specials__new - @spans, all read, must outlive it. @max: records; 0: 16 million. -ENOMEM. */
int heap_specials__new(const struct heap_spans *spans, size_t max,
		       struct heap_specials **ret_specials) __must_check;
void heap_specials__free(struct heap_specials *specials);

/* Called once per record, in no order. */
typedef void (*heap_special_fn)(void *ctx, const struct heap_special *special);

/* heap_specials__step - as heap_spans__step(); records go to @fn. */
int heap_specials__step(struct heap_specials *specials, heap_special_fn fn, void *ctx,
			uint64_t budget_ns) __must_check;

const struct heap_special_totals *heap_specials__totals(const struct heap_specials *specials);

/* heap_special__kind - of the runtime's number @kind in Go 1.@minor. */
enum heap_special_kind heap_special__kind(int minor, uint8_t kind);

#endif /* GLEAKD_HEAP_SPANS_SPECIALS_H */
