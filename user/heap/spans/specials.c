// SPDX-License-Identifier: Apache-2.0
#include "heap/spans/specials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"

#define WORD	     8u
#define BATCH	     1024u
#define MAX_DEFAULT  (16u << 20)
#define HEAD_MAX     24u
#define WIDE_OFFSETS 24u /* special.offset is uintptr, from Go 1.24 on; else uint16 */

/* What is left of a list. */
struct list {
	uint32_t span;
	uint32_t n;	/* records of it that were read */
	uint64_t first; /* 0: it has ended */
	uint64_t seen;	/* a record that was read: whoever comes back to it goes in a circle */
};

struct heap_specials {
	const struct heap_spans *spans;
	struct list *lists;
	size_t n, next, left;
	size_t max;
	struct heap_special_totals totals;
	struct remote_span reads[BATCH];
	size_t list_of[BATCH];
	uint8_t data[BATCH][HEAD_MAX + HEAP_SPECIAL_PAYLOAD];
};

/* src/runtime/mheap.go _KindSpecial*: numbered anew in 1.23 (weak) and 1.25 (tiny block). */
enum heap_special_kind heap_special__kind(int minor, uint8_t kind)
{
	static const enum heap_special_kind before_23[] = {
		[1] = HEAP_SPECIAL_FINALIZER,
		[2] = HEAP_SPECIAL_PROFILE,
	};
	static const enum heap_special_kind before_25[] = {
		[1] = HEAP_SPECIAL_FINALIZER,
		[2] = HEAP_SPECIAL_WEAK_HANDLE,
		[3] = HEAP_SPECIAL_PROFILE,
		[6] = HEAP_SPECIAL_CLEANUP,
	};
	static const enum heap_special_kind now[] = {
		[2] = HEAP_SPECIAL_FINALIZER,
		[3] = HEAP_SPECIAL_WEAK_HANDLE,
		[4] = HEAP_SPECIAL_PROFILE,
		[7] = HEAP_SPECIAL_CLEANUP,
	};

	if (minor < 23)
		return kind < ARRAY_SIZE(before_23) ? before_23[kind] : HEAP_SPECIAL_OTHER;
	if (minor < 25)
		return kind < ARRAY_SIZE(before_25) ? before_25[kind] : HEAP_SPECIAL_OTHER;
	return kind < ARRAY_SIZE(now) ? now[kind] : HEAP_SPECIAL_OTHER;
}

int heap_specials__new(const struct heap_spans *spans, size_t max,
		       struct heap_specials **ret_specials)
{
	struct heap_specials *specials = calloc(1, sizeof(*specials));

	if (!specials)
		return -ENOMEM;
	specials->lists = malloc(spans->n_specials * sizeof(specials->lists[0]) + 1);
	if (!specials->lists) {
		free(specials);
		return -ENOMEM;
	}
	for (size_t i = 0; i < spans->n_specials; i++)
		specials->lists[i] = (struct list){.span = spans->specials[i].span,
						   .first = spans->specials[i].first};
	specials->spans = spans;
	specials->n = specials->left = spans->n_specials;
	specials->max = max ? max : MAX_DEFAULT;
	*ret_specials = specials;
	return 0;
}

void heap_specials__free(struct heap_specials *specials)
{
	if (!specials)
		return;
	free(specials->lists);
	free(specials);
}

const struct heap_special_totals *heap_specials__totals(const struct heap_specials *specials)
{
	return &specials->totals;
}

/* The next BATCH lists that have not ended, from where the last batch stopped. */
static size_t fill(struct heap_specials *specials)
{
	uint32_t size = specials->spans->runtime->layout->special_sizeof + HEAP_SPECIAL_PAYLOAD;
	size_t n = 0;

	for (size_t looked = 0; looked < specials->n && n < BATCH; looked++) {
		size_t i = specials->next;

		specials->next = i + 1 < specials->n ? i + 1 : 0;
		if (!specials->lists[i].first)
			continue;
		specials->list_of[n] = i;
		specials->reads[n] = (struct remote_span){
			.address = specials->lists[i].first,
			.buffer = specials->data[n],
			.size = size,
		};
		n++;
	}
	return n;
}

/* Lists that have ended are left behind when they are the most. */
static void compact(struct heap_specials *specials)
{
	size_t n = 0;

	if (specials->left > specials->n / 2)
		return;
	for (size_t i = 0; i < specials->n; i++) {
		if (specials->lists[i].first)
			specials->lists[n++] = specials->lists[i];
	}
	specials->n = n;
	specials->next = 0;
}

/*
 * A record at the end of its memory, of a kind that has less behind the common part than was asked
 * for (src/runtime/mfixalloc.go: each kind has chunks of its own).
 */
static bool read_short(struct heap_specials *specials, size_t i)
{
	static const uint32_t payloads[] = {8, 0};
	uint32_t size = specials->spans->runtime->layout->special_sizeof;

	memset(specials->data[i], 0, sizeof(specials->data[i]));
	for (size_t p = 0; p < ARRAY_SIZE(payloads); p++) {
		if (!remote__read(specials->spans->runtime->remote, specials->reads[i].address,
				  specials->data[i], size + payloads[p]))
			return true;
	}
	return false;
}

static void end_list(struct heap_specials *specials, struct list *list)
{
	list->first = 0;
	specials->left--;
}

/*
 * Goes on to @next. The record that is remembered is that with the last power of two as its number, so
 * that a circle is noticed before it was gone through three times (Brent 1980).
 */
static void go_on(struct heap_specials *specials, struct list *list, uint64_t next)
{
	bool circle = next == list->first || next == list->seen;

	if (!next || circle || specials->totals.read >= specials->max) {
		specials->totals.refused += next != 0;
		end_list(specials, list);
		return;
	}
	if ((list->n & (list->n + 1)) == 0)
		list->seen = list->first;
	list->n++;
	list->first = next;
}

static void settle(struct heap_specials *specials, size_t i, heap_special_fn fn, void *ctx)
{
	const struct go_layout *l = specials->spans->runtime->layout;
	struct list *list = &specials->lists[specials->list_of[i]];
	const struct heap_span *span = &specials->spans->all[list->span];
	const uint8_t *data = specials->data[i];
	bool wide = l->special_sizeof == WIDE_OFFSETS;
	uint64_t offset = wide ? bytes__u64(data, l->special_offset) :
				 bytes__u32(data, l->special_offset) & 0xffff;
	struct heap_special special = {
		.kind = heap_special__kind(l->minor, data[l->special_offset + (wide ? 8 : 2)]),
		.span = list->span,
		.address = list->first,
	};
	uint64_t next = bytes__u64(data, l->special_next);
	uint32_t index = offset < heap_span__bytes(span) ?
				 heap_span__index(span, span->base + offset) :
				 UINT32_MAX;

	specials->totals.read++;
	memcpy(special.payload, data + l->special_sizeof, HEAP_SPECIAL_PAYLOAD);
	if (index < span->nelems) {
		special.object = heap_span__object(span, index);
		fn(ctx, &special);
	} else {
		specials->totals.torn++;
	}
	go_on(specials, list, next);
}

int heap_specials__step(struct heap_specials *specials, heap_special_fn fn, void *ctx,
			uint64_t budget_ns)
{
	uint64_t end = clock__monotonic_ns() + budget_ns;

	if (specials->spans->runtime->layout->special_sizeof > HEAD_MAX)
		return -EFAULT;
	while (specials->left) {
		size_t n = fill(specials);
		int err = remote__read_spans(specials->spans->runtime->remote, specials->reads, n);

		if (err)
			return err;
		for (size_t i = 0; i < n; i++) {
			if (specials->reads[i].result && !read_short(specials, i)) {
				specials->totals.unreadable++;
				end_list(specials, &specials->lists[specials->list_of[i]]);
			} else {
				settle(specials, i, fn, ctx);
			}
		}
		compact(specials);
		if (budget_ns && clock__monotonic_ns() >= end)
			break;
	}
	return specials->left != 0;
}
