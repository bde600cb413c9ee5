// SPDX-License-Identifier: Apache-2.0
#include "heap/spans/spans.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "fake_heap.h"

static struct failure failure;

static struct heap_spans *read_spans(struct fake_heap *heap)
{
	struct heap_spans *spans;

	cr_assert_eq(heap_spans__new(&heap->runtime, NULL, &spans), 0);
	cr_assert_eq(heap_spans__start(spans), 0);
	cr_assert_eq(heap_spans__step(spans, 0), 0);
	return spans;
}

static uint8_t *mspan_byte(struct fake_heap *heap, size_t span, uint32_t field)
{
	return heap->mspans[span] + field;
}

Test(spans, are_found_by_every_address_in_them)
{
	for (int minor = 18; minor <= 27; minor++) {
		struct fake_heap *heap = fake_heap__new(minor);
		size_t small = fake_heap__span(heap, 24, 1, false);
		size_t wide = fake_heap__span(heap, 6144, 3, true);
		size_t large = fake_heap__large(heap, 11, false);
		struct heap_spans *spans = read_spans(heap);

		cr_assert_eq(spans->n, heap->n_spans);
		cr_assert_eq(spans->totals.bytes, heap->next_page * 8192);
		for (size_t i = 0; i < heap->n_spans; i++) {
			const struct fake_span *want = &heap->spans[i];

			for (uint64_t at = 0; at < (uint64_t)want->npages * 8192; at += 104) {
				uint32_t n = heap_spans__find(spans, want->base + at);

				cr_assert_neq(n, HEAP_NO_SPAN);
				cr_assert_eq(spans->all[n].base, want->base);
				cr_assert_eq(heap_span__index(&spans->all[n], want->base + at),
					     want->nelems == 1 ? 0 : at / want->elemsize);
			}
		}
		cr_assert_eq(heap_spans__find(spans, FAKE_HEAP_BASE - 1), HEAP_NO_SPAN);
		cr_assert_eq(heap_spans__find(spans, FAKE_HEAP_BASE + heap->next_page * 8192),
			     HEAP_NO_SPAN);
		cr_assert_eq(heap_spans__find(spans, UINT64_MAX), HEAP_NO_SPAN);
		cr_assert(spans->all[wide].flags & HEAP_SPAN_NOSCAN);
		cr_assert_not(spans->all[small].flags & HEAP_SPAN_NOSCAN);
		cr_assert_eq(spans->all[large].nelems, 1);
		cr_assert_eq(spans->inline_marks, minor >= 26, "Go 1.%d", minor);
		heap_spans__free(spans);
		fake_heap__free(heap);
	}
}

Test(spans, the_check_passes_and_fails)
{
	for (int minor = 18; minor <= 27; minor++) {
		struct fake_heap *heap = fake_heap__new(minor);
		struct heap_spans *spans = read_spans(heap);
		uint64_t array = heap->bss[1];

		cr_assert_eq(heap_spans__check(spans, true, &failure), 0, "%s", failure.text);
		heap->bss[1] += 8; /* in the middle of an object */
		cr_assert_eq(heap_spans__check(spans, true, &failure), -EOPNOTSUPP);
		heap->bss[1] = array;
		/* Goroutine 1's g would be in a span of another class. */
		*fake_heap__word(heap, heap->allgs) = fake_heap__chan(heap);
		cr_assert_eq(heap_spans__check(spans, true, &failure), -EOPNOTSUPP);
		heap_spans__free(spans);
		fake_heap__free(heap);
	}
}

Test(spans, nonsense_is_refused)
{
	struct fake_heap *heap = fake_heap__new(26);
	const struct go_layout *l = heap->layout;
	uint64_t huge = 1ULL << 40, odd = FAKE_HEAP_BASE + 8;
	size_t victims[6];
	struct heap_spans *spans;

	for (size_t i = 0; i < ARRAY_SIZE(victims); i++)
		victims[i] = fake_heap__span(heap, 64, 1, false);
	memcpy(mspan_byte(heap, victims[0], l->mspan_npages), &huge, 8);
	memcpy(mspan_byte(heap, victims[1], l->mspan_startAddr), &odd, 8);
	memset(mspan_byte(heap, victims[2], l->mspan_nelems), 0xff, 2);
	*mspan_byte(heap, victims[3], l->mspan_spanclass) = 200;
	memset(mspan_byte(heap, victims[4], l->mspan_elemsize), 0, 8);
	*mspan_byte(heap, victims[5], l->mspan_state) = 0; /* not in use: nothing wrong */
	spans = read_spans(heap);
	cr_assert_eq(spans->totals.refused, 5);
	cr_assert_eq(spans->n, heap->n_spans - 6);
	heap_spans__free(spans);
	fake_heap__free(heap);
}

Test(spans, unreadable_ones_are_counted)
{
	struct fake_heap *heap = fake_heap__new(26);
	struct heap_spans *spans;

	heap->list[2] = 0x123456;
	spans = read_spans(heap);
	cr_assert_eq(spans->totals.unreadable, 1);
	cr_assert_eq(spans->n, heap->n_spans - 1);
	heap_spans__free(spans);
	fake_heap__free(heap);
}

Test(spans, a_younger_one_is_looked_up)
{
	struct fake_heap *heap = fake_heap__new(26);
	struct heap_spans *spans = read_spans(heap);
	size_t young = fake_heap__span(heap, 48, 1, false);
	uint64_t object = fake_heap__alloc(heap, young);
	uint32_t number;

	cr_assert_eq(heap_spans__find(spans, object), HEAP_NO_SPAN);
	cr_assert_eq(heap_spans__look_up(spans, object, &number), 0);
	cr_assert_neq(number, HEAP_NO_SPAN);
	cr_assert_eq(heap_spans__find(spans, object), number);
	cr_assert_eq(spans->totals.late, 1);
	cr_assert_eq(heap_spans__look_up(spans, object + (1ULL << 30), &number), 0);
	cr_assert_eq(number, HEAP_NO_SPAN);
	heap_spans__free(spans);
	fake_heap__free(heap);
}

Test(spans, free_objects)
{
	for (int minor = 18; minor <= 27; minor += 4) {
		struct fake_heap *heap = fake_heap__new(minor);
		size_t span = fake_heap__span(heap, 64, 1, false);
		struct heap_spans *spans;
		bool is_free;

		fake_heap__alloc(heap, span);
		heap->alloc_bits[span][0] = 1 << 5; /* survived the last collection */
		spans = read_spans(heap);
		cr_assert_eq(heap_spans__is_free(spans, &spans->all[span], 0, &is_free), 0);
		cr_assert_not(is_free);
		cr_assert_eq(heap_spans__is_free(spans, &spans->all[span], 1, &is_free), 0);
		cr_assert(is_free);
		cr_assert_eq(heap_spans__is_free(spans, &spans->all[span], 5, &is_free), 0);
		cr_assert_not(is_free);
		/* By now it is another span: nothing can be said. */
		*mspan_byte(heap, span, heap->layout->mspan_spanclass) = 9 << 1;
		cr_assert_eq(heap_spans__is_free(spans, &spans->all[span], 1, &is_free), 0);
		cr_assert_not(is_free);
		heap_spans__free(spans);
		fake_heap__free(heap);
	}
}

Test(spans, a_heap_beyond_the_limit_is_refused_in_part)
{
	struct fake_heap *heap = fake_heap__new(27);
	const struct heap_span_options options = {.max_bytes = 3 * 8192};
	struct heap_spans *spans;

	cr_assert_eq(heap_spans__new(&heap->runtime, &options, &spans), 0);
	cr_assert_eq(heap_spans__start(spans), 0);
	cr_assert_eq(heap_spans__step(spans, 0), 0);
	cr_assert_eq(spans->n, 3);
	cr_assert_eq(spans->totals.refused, heap->n_spans - 3);
	heap_spans__free(spans);
	fake_heap__free(heap);
}

/* The list of goroutines grew while the table was read, and is in a span that is younger than that. */
Test(spans, a_list_that_moved_meanwhile)
{
	struct fake_heap *heap = fake_heap__new(26);
	struct heap_spans *spans;
	uint64_t moved, *from, *to;

	cr_assert_eq(heap_spans__new(&heap->runtime, NULL, &spans), 0);
	cr_assert_eq(heap_spans__start(spans), 0);
	cr_assert_eq(heap_spans__step(spans, 0), 0);
	moved = fake_heap__alloc(heap, fake_heap__span(heap, 4096, 1, false));
	from = fake_heap__word(heap, heap->bss[1]);
	to = fake_heap__word(heap, moved + HEAP_HEADER_SIZE);
	for (uint64_t i = 0; i < heap->bss[0]; i++)
		to[i] = from[i];
	heap->bss[1] = moved + HEAP_HEADER_SIZE;
	cr_expect_eq(heap_spans__check(spans, true, &failure), -EOPNOTSUPP, "stopped");
	cr_expect_eq(heap_spans__check(spans, false, &failure), 0, "%s", failure.text);
	/* No span at all: it is no heap. */
	heap->bss[1] = 0x123456789000;
	cr_expect_eq(heap_spans__check(spans, false, &failure), -EOPNOTSUPP, "%s", failure.text);
	heap_spans__free(spans);
	fake_heap__free(heap);
}
