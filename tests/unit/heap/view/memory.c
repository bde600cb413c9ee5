// SPDX-License-Identifier: Apache-2.0
#include "heap/view/memory.h"

#include <criterion/criterion.h>

#define MB 1000000ULL

static uint64_t sum(const struct heap_memory *m)
{
	return m->live_bytes + m->dead_bytes + m->free_bytes + m->stack_bytes + m->runtime_bytes +
	       m->other_bytes;
}

Test(memory, every_resident_byte_is_in_one_part)
{
	const struct heap_resident resident = {.heap = 97 * MB, .other = 13 * MB, .files = 7 * MB};
	const struct heap_counters counters = {
		.counted = true,
		.gc_cycles = 41,
		.stack_bytes = 5 * MB,
		.allocated_bytes = 71 * MB,
		.work_bytes = 2 * MB,
		.runtime_bytes = 3 * MB,
	};
	const struct heap_mark_totals marked = {.objects = 1009, .bytes = 53 * MB};
	struct heap_memory m = heap_memory__divide(&resident, &counters, &marked);

	cr_expect_eq(m.rss_bytes, 117 * MB);
	cr_expect_eq(m.live_bytes, 53 * MB);
	cr_expect_eq(m.dead_bytes, 18 * MB);
	cr_expect_eq(m.free_bytes, (97 - 71 - 5 - 2) * MB);
	cr_expect_eq(m.stack_bytes, 5 * MB);
	cr_expect_eq(m.runtime_bytes, 5 * MB);
	cr_expect_eq(m.other_bytes, (13 - 3 + 7) * MB);
	cr_expect_eq(m.objects, 1009);
	cr_expect_eq(m.gc_cycles, 41);
	cr_expect_eq(m.absent_bytes, 0);
	cr_expect_eq(sum(&m), m.rss_bytes);
}

/* Never written to, swapped out; and what the runtime has mapped without using it. */
Test(memory, what_is_not_resident_is_told)
{
	const struct heap_resident resident = {.heap = 11 * MB, .other = 1 * MB, .files = 2 * MB};
	const struct heap_counters counters = {
		.counted = true,
		.stack_bytes = 1 * MB,
		.allocated_bytes = 100 * MB,
		.runtime_bytes = 30 * MB,
	};
	const struct heap_mark_totals marked = {.bytes = 100 * MB};
	struct heap_memory m = heap_memory__divide(&resident, &counters, &marked);

	cr_expect_eq(m.free_bytes, 0);
	cr_expect_eq(m.absent_bytes, 90 * MB);
	cr_expect_eq(m.runtime_bytes, 1 * MB);
	cr_expect_eq(m.other_bytes, 2 * MB);
	cr_expect_eq(sum(&m), m.rss_bytes + m.absent_bytes);
}

/* Allocated since the counts were read, or freed since it was marked. */
Test(memory, more_alive_than_allocated)
{
	const struct heap_resident resident = {.heap = 80 * MB};
	const struct heap_counters counters = {.counted = true, .allocated_bytes = 40 * MB};
	const struct heap_mark_totals marked = {.bytes = 50 * MB};
	struct heap_memory m = heap_memory__divide(&resident, &counters, &marked);

	cr_expect_eq(m.dead_bytes, 0);
	cr_expect_eq(m.free_bytes, 30 * MB);
	cr_expect_eq(sum(&m), m.rss_bytes);
}
