// SPDX-License-Identifier: Apache-2.0
#include "heap/samples/survivors.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "fake_heap.h"

#define FIRST 18
#define LAST  27

static struct fake_heap *heap;
static size_t span;

static void begin(int minor)
{
	heap = fake_heap__new(minor);
	span = fake_heap__span(heap, 64, 0, false);
	for (size_t i = 0; i < 10; i++) {
		fake_heap__alloc(heap, span);
		heap->alloc_bits[span][i / 8] |= (uint8_t)(1u << i % 8);
	}
}

static struct survivor survivor_at(uint32_t index, uint32_t sweepgen)
{
	return (struct survivor){
		.mspan = heap->list[span],
		.base = heap->spans[span].base,
		.index = index,
		.sweepgen = sweepgen,
	};
}

static struct survivor check(uint32_t index, uint32_t sweepgen)
{
	struct survivor survivor = survivor_at(index, sweepgen);

	cr_assert_eq(survivors__check(&heap->runtime, &survivor, 1), 0);
	return survivor;
}

static void free_object(uint32_t index)
{
	heap->alloc_bits[span][index / 8] &= (uint8_t) ~(1u << index % 8);
}

Test(survivors, by_what_the_last_collection_has_left)
{
	for (int minor = FIRST; minor <= LAST; minor++) {
		begin(minor);
		free_object(9);
		/* Slot 9 was given to another since: freeindex does not matter. */
		cr_expect_eq(check(9, FAKE_SWEEPGEN - 2).fate, SURVIVOR_DEAD, "Go 1.%d", minor);
		cr_expect_eq(check(8, FAKE_SWEEPGEN - 2).fate, SURVIVOR_STAYED, "Go 1.%d", minor);
		cr_expect_eq(check(8, FAKE_SWEEPGEN - 2).sweepgen, FAKE_SWEEPGEN);
		cr_expect_not(check(8, FAKE_SWEEPGEN - 2).missed);
		cr_expect(check(8, FAKE_SWEEPGEN - 4).missed);
		cr_expect_eq(check(9, FAKE_SWEEPGEN).fate, SURVIVOR_SAME, "none since");
		fake_heap__free(heap);
	}
}

Test(survivors, a_span_that_waits_to_be_swept_says_nothing_yet)
{
	begin(26);
	free_object(3);
	fake_heap__unswept(heap, span);
	cr_expect_eq(check(3, FAKE_SWEEPGEN - 2).fate, SURVIVOR_SAME);
	cr_expect_eq(check(3, FAKE_SWEEPGEN - 2).sweepgen, FAKE_SWEEPGEN - 2);
	fake_heap__free(heap);
}

Test(survivors, a_span_that_is_none_any_more)
{
	struct survivor survivor;

	begin(26);
	survivor = survivor_at(1, FAKE_SWEEPGEN - 2);
	survivor.base += 8192;
	cr_assert_eq(survivors__check(&heap->runtime, &survivor, 1), 0);
	cr_expect_eq(survivor.fate, SURVIVOR_DEAD, "its struct is another's");
	survivor = survivor_at(1, FAKE_SWEEPGEN - 2);
	survivor.mspan = 0x1000;
	cr_assert_eq(survivors__check(&heap->runtime, &survivor, 1), 0);
	cr_expect_eq(survivor.fate, SURVIVOR_DEAD, "there is nothing");
	fake_heap__free(heap);
}

Test(survivors, many_at_once)
{
	static struct survivor all[SURVIVORS_MAX + 1];

	begin(22);
	free_object(7);
	for (size_t i = 0; i < SURVIVORS_MAX; i++)
		all[i] = survivor_at((uint32_t)i % 10, FAKE_SWEEPGEN - 2);
	cr_assert_eq(survivors__check(&heap->runtime, all, SURVIVORS_MAX), 0);
	for (size_t i = 0; i < SURVIVORS_MAX; i++)
		cr_expect_eq(all[i].fate, i % 10 == 7 ? SURVIVOR_DEAD : SURVIVOR_STAYED);
	cr_expect_eq(survivors__check(&heap->runtime, all, SURVIVORS_MAX + 1), -EINVAL);
	fake_heap__free(heap);
}
