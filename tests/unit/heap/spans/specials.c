// SPDX-License-Identifier: Apache-2.0
#include "heap/spans/specials.h"

#include <criterion/criterion.h>

/* src/runtime/mheap.go of each version, not the code. */
Test(specials, kinds_by_version)
{
	cr_assert_eq(heap_special__kind(18, 1), HEAP_SPECIAL_FINALIZER);
	cr_assert_eq(heap_special__kind(22, 2), HEAP_SPECIAL_PROFILE);
	cr_assert_eq(heap_special__kind(22, 3), HEAP_SPECIAL_OTHER); /* reachable */
	cr_assert_eq(heap_special__kind(23, 2), HEAP_SPECIAL_WEAK_HANDLE);
	cr_assert_eq(heap_special__kind(23, 3), HEAP_SPECIAL_PROFILE);
	cr_assert_eq(heap_special__kind(24, 6), HEAP_SPECIAL_CLEANUP);
	cr_assert_eq(heap_special__kind(25, 1), HEAP_SPECIAL_OTHER); /* tiny block */
	cr_assert_eq(heap_special__kind(25, 2), HEAP_SPECIAL_FINALIZER);
	cr_assert_eq(heap_special__kind(26, 3), HEAP_SPECIAL_WEAK_HANDLE);
	cr_assert_eq(heap_special__kind(27, 4), HEAP_SPECIAL_PROFILE);
	cr_assert_eq(heap_special__kind(27, 7), HEAP_SPECIAL_CLEANUP);
	for (int kind = 8; kind < 256; kind++)
		cr_assert_eq(heap_special__kind(27, (uint8_t)kind), HEAP_SPECIAL_OTHER);
}
