// SPDX-License-Identifier: Apache-2.0
#include "track/alloc_flow.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "track/alloc_followed.h"
#include "track/alloc_weights.h"

static struct alloc_flow *flow;

static void begin(void)
{
	const struct alloc_flow_limits limits = {0};

	cr_assert_eq(alloc_flow__new(&limits, &flow), 0);
}

static void end(void)
{
	alloc_flow__free(flow);
}

static uint32_t hit(uint64_t goid, uint32_t stack, uint64_t bytes, uint64_t object)
{
	const struct alloc_hit one = {
		.goid = goid,
		.bytes = bytes,
		.size_class = 5,
		.stack = stack,
		.weight = 1,
		.object = object,
	};

	return alloc_flow__take(flow, &one);
}

/* Of a period that was seen in full. */
static void settle(void)
{
	static struct alloc_weights weights;
	const struct alloc_period period = {.complete = true};

	alloc_weights__settle(&weights, flow, &period);
}

static struct alloc_flow_entry *entries(size_t n)
{
	size_t found;
	struct alloc_flow_entry *all = alloc_flow__entries(flow, &found);

	cr_assert_eq(found, n, "%zu entries", found);
	return all;
}

Test(alloc_flow, goroutines_are_told_apart_until_they_are_folded, .init = begin, .fini = end)
{
	struct alloc_flow_goroutine *goroutines;
	uint32_t *map;
	size_t n;

	for (uint64_t goid = 1; goid <= 100; goid++) {
		hit(goid, 7, 64, 0);
		hit(goid, 7, 64, 0);
		hit(goid, 8, 64, 0);
		hit(goid, 8, 128, 0);
	}
	settle();
	entries(300);
	cr_assert_eq(alloc_flow__fold(flow, &map), 0);
	cr_expect_eq(map[0], 0);
	cr_expect_eq(map[2], 2);
	cr_expect_eq(map[297], 0, "the first of the last goroutine");
	cr_expect_eq(map[299], 2);
	free(map);
	cr_expect_eq(entries(3)[0].objects, 200);
	cr_expect_eq(entries(3)[0].hits, 200);
	cr_expect_eq(entries(3)[1].objects, 100);
	cr_expect_eq(entries(3)[2].bytes, 128);
	goroutines = alloc_flow__goroutines(flow, &n);
	cr_assert_eq(n, 1);
	cr_expect_eq(goroutines[0].goid, 0);
}

Test(alloc_flow, it_goes_on_after_a_fold, .init = begin, .fini = end)
{
	uint32_t *map, again;

	hit(1, 7, 64, 0);
	hit(2, 7, 64, 0);
	settle();
	cr_assert_eq(alloc_flow__fold(flow, &map), 0);
	free(map);
	entries(1);
	/* A goroutine that was forgotten is a new one. */
	again = hit(2, 7, 64, 0);
	cr_expect_eq(again, 1);
	cr_expect_eq(hit(2, 7, 64, 0), again);
	settle();
	cr_expect_eq(entries(2)[1].objects, 2);
	cr_assert_eq(alloc_flow__fold(flow, &map), 0);
	free(map);
	cr_expect_eq(entries(1)[0].objects, 4);
	cr_expect_eq(entries(1)[0].goroutine, 0);
}

Test(alloc_flow, objects_stay_with_what_they_are, .init = begin, .fini = end)
{
	uint32_t *map;

	hit(1, 7, 64, 0x1000);
	hit(2, 8, 64, 0x2000);
	hit(3, 7, 64, 0x3000);
	settle();
	cr_assert_eq(alloc_flow__fold(flow, &map), 0);
	free(map);
	alloc_flow__live(flow);
	alloc_flow__is_alive(flow, 0x3000);
	alloc_flow__is_alive(flow, 0x1000);
	alloc_flow__is_alive(flow, 0x2000);
	cr_expect_eq(entries(2)[0].live, 2);
	cr_expect_eq(entries(2)[1].live, 1);
}

/* Hits of two goroutines in one span: each hit tells where the object of the one before lies. */
Test(alloc_flow, what_is_followed_stays_with_what_it_is, .init = begin, .fini = end)
{
	struct followed_place place = {
		.mcache = 0x100, .span = 0x200, .base = 0x10000, .sweepgen = 7, .span_class = 10};
	const struct followed_time now = {.now_ns = 10, .watched_ns = 10};
	struct alloc_followed *followed;
	struct followed_object *objects;
	uint32_t *map;
	size_t n;

	cr_assert_eq(alloc_followed__new(flow, 100, &followed), 0);
	for (uint64_t i = 0; i < 4; i++) {
		const struct followed_hit one = {
			.entry = hit(1 + i, 7 + i % 2, 64, 0), .weight = 1, .time_ns = i};

		place.free_index = (uint16_t)i;
		alloc_followed__hit(followed, &place, &one);
	}
	settle();
	cr_assert_eq(alloc_flow__fold(flow, &map), 0);
	alloc_followed__renumber(followed, map);
	free(map);
	objects = alloc_followed__objects(followed, &n);
	cr_assert_eq(n, 3, "the last one's object is not known yet");
	cr_expect_eq(objects[0].entry, 0);
	cr_expect_eq(objects[1].entry, 1);
	cr_expect_eq(objects[2].entry, 0);
	alloc_followed__count(followed, &now);
	cr_expect_eq(entries(2)[0].live, 2);
	cr_expect_eq(entries(2)[1].live, 1);
	/* The one that waits was renumbered as well. */
	place.free_index = 4;
	alloc_followed__seen(followed, 0, 4, &place);
	objects = alloc_followed__objects(followed, &n);
	cr_assert_eq(n, 4);
	cr_expect_eq(objects[3].entry, 1);
	alloc_followed__free(followed);
}
