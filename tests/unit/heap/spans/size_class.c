// SPDX-License-Identifier: Apache-2.0
#include "heap/spans/spans.h"

#include <criterion/criterion.h>

/* src/runtime/sizeclasses.go */
Test(size_class, sizes)
{
	uint32_t size;

	cr_assert_eq(heap_spans__size_class(1, &size), 1);
	cr_assert_eq(size, 8);
	cr_assert_eq(heap_spans__size_class(456, &size), 25); /* a g */
	cr_assert_eq(size, 480);
	cr_assert_eq(heap_spans__size_class(32768, &size), 67);
	cr_assert_eq(size, 32768);
	cr_assert_eq(heap_spans__size_class(32769, &size), 0);
	cr_assert_eq(size, 0);
}

/* The reciprocal gives the quotient for every address of a span (src/runtime/mbitmap.go). */
Test(size_class, index_is_the_quotient)
{
	for (uint32_t want = 8; want <= HEAP_SMALL_MAX;) {
		uint32_t size;
		struct heap_span span = {.base = 0xc000000000, .nelems = 8192};

		span.size_class = heap_spans__size_class(want, &size);
		span.elemsize = size;
		span.reciprocal = UINT32_MAX / size + 1;
		for (uint64_t at = 0; at < 10 * GO_PAGE_SIZE; at += 8)
			cr_assert_eq(heap_span__index(&span, span.base + at), at / size);
		want = size + 1;
	}
}
