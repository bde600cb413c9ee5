// SPDX-License-Identifier: Apache-2.0
#include "track/alloc_followed.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/common.h"

#define CACHE	 0x7f0000001000ULL
#define SPAN	 0x7f0000100000ULL
#define BASE	 0xc000010000ULL
#define SWEEPGEN 12u
#define BYTES	 64u

/* One window that is open all the time. */
static const struct followed_time all_seen = {.now_ns = 1000, .watched_ns = 900};

static struct alloc_flow *flow;
static struct alloc_followed *followed;

static void open_with(size_t max)
{
	const struct alloc_flow_limits limits = {0};

	cr_assert_eq(alloc_flow__new(&limits, &flow), 0);
	cr_assert_eq(alloc_followed__new(flow, max, &followed), 0);
	alloc_followed__gap(followed, true);
}

static void setup(void)
{
	open_with(1000);
}

static void teardown(void)
{
	alloc_followed__free(followed);
	alloc_flow__free(flow);
}

TestSuite(alloc_followed, .init = setup, .fini = teardown);

/* Of a stack, which is all that tells these from each other. */
static uint32_t take(uint32_t stack, uint64_t bytes)
{
	const struct alloc_hit hit = {.goid = 1, .bytes = bytes, .size_class = 5, .stack = stack};

	return alloc_flow__take(flow, &hit);
}

static struct followed_place place(uint64_t span, uint64_t base, uint16_t free_index)
{
	return (struct followed_place){
		.mcache = CACHE,
		.span = span,
		.base = base,
		.sweepgen = base ? SWEEPGEN + 3 : 0,
		.free_index = free_index,
		.span_class = 10,
	};
}

static void hit_of(uint32_t entry, struct followed_place at)
{
	const struct followed_hit hit = {.entry = entry, .weight = 1};

	alloc_followed__hit(followed, &at, &hit);
}

static void hit(uint32_t stack, struct followed_place at)
{
	hit_of(take(stack, BYTES), at);
}

static struct alloc_flow_entry *entry_of(uint32_t stack)
{
	size_t n;
	struct alloc_flow_entry *entries = alloc_flow__entries(flow, &n);

	for (size_t i = 0; i < n; i++) {
		if (entries[i].stack == stack)
			return &entries[i];
	}
	cr_assert(false, "no entry of stack %u", stack);
	return NULL;
}

static size_t count(void)
{
	size_t n;

	alloc_followed__objects(followed, &n);
	return n;
}

static struct followed_object *object(size_t i)
{
	size_t n;
	struct followed_object *objects = alloc_followed__objects(followed, &n);

	cr_assert_lt(i, n);
	return &objects[i];
}

/* --- where they are ------------------------------------------------------------------------------ */

Test(alloc_followed, the_next_hit_tells_where_the_last_object_is)
{
	hit(1, place(SPAN, BASE, 7));
	cr_expect_eq(count(), 0, "it is not there yet");
	/* Slots 7 to 9 were taken: what was free is 10, and 11 is behind it. */
	hit(2, place(SPAN, BASE, 11));
	cr_assert_eq(count(), 1);
	cr_expect_eq(object(0)->address, BASE + 10 * BYTES);
	cr_expect_eq(object(0)->index, 10);
	cr_expect_eq(object(0)->mspan, SPAN);
	cr_expect_eq(object(0)->sweepgen, SWEEPGEN);
	cr_expect_eq(entry_of(1)->followed, 1);
	cr_expect_eq(entry_of(2)->followed, 0);
}

Test(alloc_followed, a_span_that_was_full_is_another)
{
	hit(1, place(SPAN, BASE, 128));
	hit(2, place(SPAN + 160, BASE + 8192, 1));
	cr_assert_eq(count(), 1);
	cr_expect_eq(object(0)->address, BASE + 8192);
	/* There was none, as after a collection. */
	hit(3, place(SPAN + 320, 0, 0));
	cr_expect_eq(count(), 1, "where the second is nobody says");
	hit(4, place(SPAN, BASE, 3));
	cr_assert_eq(count(), 2);
	cr_expect_eq(object(1)->address, BASE + 2 * BYTES);
	cr_expect_eq(entry_of(3)->followed, 1);
}

Test(alloc_followed, who_has_allocated_nothing_yet)
{
	hit(1, place(SPAN, BASE, 7));
	/* Another goroutine, as the first one had to help the collector. */
	hit(2, place(SPAN, BASE, 7));
	hit(3, place(SPAN, BASE, 8));
	cr_assert_eq(count(), 1);
	cr_expect_eq(entry_of(1)->followed, 0);
	cr_expect_eq(entry_of(2)->followed, 1);
}

Test(alloc_followed, classes_and_processors_are_apart)
{
	struct followed_place other = place(SPAN + 160, BASE + 8192, 4), far = place(SPAN, BASE, 9);

	other.span_class = 11;
	far.mcache += 4096;
	hit(1, place(SPAN, BASE, 7));
	hit(2, other);
	hit(3, far);
	cr_expect_eq(count(), 0);
	hit(4, place(SPAN, BASE, 8));
	cr_assert_eq(count(), 1);
	cr_expect_eq(entry_of(1)->followed, 1);
}

Test(alloc_followed, nothing_is_known_across_a_gap)
{
	hit(1, place(SPAN, BASE, 7));
	alloc_followed__gap(followed, true);
	hit(2, place(SPAN, BASE, 9));
	cr_expect_eq(count(), 0);
	hit(3, place(SPAN, BASE, 10));
	cr_expect_eq(entry_of(2)->followed, 1);
}

Test(alloc_followed, a_large_object_has_its_own_span)
{
	struct followed_place none = {.mcache = CACHE, .span_class = 1};
	struct followed_place span = {
		.mcache = CACHE, .span = SPAN, .base = BASE, .sweepgen = SWEEPGEN};

	alloc_followed__large(followed, &span);
	cr_expect_eq(count(), 0, "nobody asked for it");
	hit_of(take(1, 106496), none);
	alloc_followed__large(followed, &span);
	alloc_followed__large(followed, &span);
	cr_assert_eq(count(), 1);
	cr_expect_eq(object(0)->address, BASE);
	cr_expect_eq(object(0)->index, 0);
	cr_expect_eq(object(0)->sweepgen, SWEEPGEN);
}

Test(alloc_followed, the_last_one_is_found_by_a_look)
{
	const struct followed_place now = place(SPAN, BASE, 8);
	const struct followed_wait *waits;
	size_t n;

	hit(1, place(SPAN, BASE, 6));
	hit(2, place(SPAN, BASE, 7));
	waits = alloc_followed__waits(followed, &n);
	cr_assert_eq(n, 1);
	cr_expect_eq(waits[0].hits, 2);
	alloc_followed__seen(followed, 0, 1, &now);
	cr_expect_eq(count(), 1, "there was another hit since");
	alloc_followed__seen(followed, 0, 2, &now);
	cr_assert_eq(count(), 2);
	cr_expect_eq(object(1)->address, BASE + 7 * BYTES);
	hit(3, place(SPAN, BASE, 9));
	cr_expect_eq(count(), 2, "it is known already");
}

Test(alloc_followed, of_hits_that_are_drawn_a_record_tells)
{
	const struct followed_hit drawn = {.entry = take(1, BYTES), .weight = 31, .drawn = true};
	struct followed_place at = place(SPAN, BASE, 5), found = place(SPAN, BASE, 6);

	alloc_followed__hit(followed, &at, &drawn);
	at.free_index = 50;
	alloc_followed__hit(followed, &at, &drawn);
	cr_expect_eq(count(), 0, "many came in between");
	alloc_followed__found(followed, &found);
	cr_expect_eq(count(), 0, "that is less than there were");
	at.free_index = 70;
	alloc_followed__hit(followed, &at, &drawn);
	found.free_index = 72;
	alloc_followed__found(followed, &found);
	alloc_followed__found(followed, &found);
	cr_assert_eq(count(), 1);
	cr_expect_eq(object(0)->address, BASE + 71 * BYTES);
	alloc_followed__count(followed, &all_seen);
	cr_expect_eq(entry_of(1)->followed, 31);
	cr_expect_eq(entry_of(1)->live, 1);
	cr_expect_eq(entry_of(1)->live_weight, 31);
	cr_expect_eq(entry_of(1)->live_squares, 31 * 31);
}

Test(alloc_followed, what_makes_no_sense)
{
	struct followed_place at = place(SPAN, BASE, 9);

	hit(1, place(SPAN, BASE, 7));
	at.free_index = 2000;
	hit(2, at);
	at = place(SPAN, BASE, 9);
	at.sweepgen = SWEEPGEN;
	hit(3, at);
	cr_expect_eq(count(), 0, "no span has so many; swept and in a cache is an odd number");
	at.mcache = CACHE + 4096;
	hit_of(ALLOC_NO_ENTRY, at);
	at.free_index++;
	hit(4, at);
	cr_expect_eq(count(), 0, "whose it is had no room");
}

/* --- what becomes of them ------------------------------------------------------------------------ */

static void fill(uint32_t stack, uint16_t from, uint16_t to)
{
	for (uint16_t i = from; i <= to; i++)
		hit(stack, place(SPAN, BASE, i));
}

Test(alloc_followed, the_dead_are_dropped_and_the_lost_never_were)
{
	fill(1, 0, 10);
	cr_assert_eq(count(), 10);
	object(3)->state = FOLLOWED_DEAD;
	object(4)->state = FOLLOWED_LOST;
	alloc_followed__drop(followed, &all_seen);
	alloc_followed__count(followed, &all_seen);
	cr_expect_eq(count(), 8);
	cr_expect_eq(entry_of(1)->live, 8);
	cr_expect_eq(entry_of(1)->followed, 10);
	cr_expect_eq(entry_of(1)->lost, 1);
	cr_expect_eq(entry_of(1)->live_weight, 8);
	cr_expect_eq(entry_of(1)->live_squares, 8);
}

Test(alloc_followed, another_in_its_place)
{
	fill(1, 0, 3);
	fill(2, 1, 2);
	alloc_followed__replace(followed);
	alloc_followed__drop(followed, &all_seen);
	alloc_followed__count(followed, &all_seen);
	cr_expect_eq(entry_of(2)->live, 1);
	cr_expect_eq(entry_of(1)->live, 2, "its second is gone");
}

Test(alloc_followed, whether_another_would_have_been_seen)
{
	fill(1, 0, 2);
	cr_expect(alloc_followed__all_seen(followed, object(0)));
	alloc_followed__gap(followed, false);
	cr_expect_not(alloc_followed__all_seen(followed, object(0)));
	alloc_followed__survived(followed, object(0), SWEEPGEN + 2);
	cr_expect_not(alloc_followed__all_seen(followed, object(0)), "nothing is seen now");
	alloc_followed__gap(followed, true);
	cr_expect_not(alloc_followed__all_seen(followed, object(0)));
	alloc_followed__survived(followed, object(0), SWEEPGEN + 4);
	cr_expect(alloc_followed__all_seen(followed, object(0)));
	cr_expect_eq(object(0)->survived, 2);
	cr_expect_eq(object(0)->sweepgen, SWEEPGEN + 4);
}

Test(alloc_followed, of_more_than_there_is_room_for_a_part_is_kept, .init = NULL)
{
	struct followed_place at = place(SPAN, BASE, 1);
	const unsigned int n = 20011;
	double small, large;

	open_with(1000);
	for (unsigned int i = 0; i < n; i++) {
		at.base = BASE + i * 8192ULL;
		at.span = SPAN + i;
		hit_of(take(1, BYTES), at);
		at.span_class = 20;
		hit_of(take(2, 4096), at);
		at.span_class = 10;
	}
	cr_expect_leq(count(), 1000);
	cr_expect_gt(alloc_followed__thinned(followed), 0);
	alloc_followed__count(followed, &all_seen);
	small = entry_of(1)->live_weight;
	large = entry_of(2)->live_weight;
	cr_expect_lt(entry_of(1)->live * 10, entry_of(2)->live, "by size");
	/* Five standard deviations of some ten samples, and of some hundreds. */
	cr_expect_float_eq(small, n, 1.6 * n, "%f", small);
	cr_expect_float_eq(large, n, 0.25 * n, "%f", large);
	cr_expect_not(alloc_followed__all_seen(followed, object(0)));
}

/* Windows 200 ns apart: of the young the time counts that they were there for. */
Test(alloc_followed, what_dies_sooner_than_windows_are_apart)
{
	const struct followed_time early = {.now_ns = 1150, .watched_ns = 150, .apart_ns = 200};
	const struct followed_time late = {.now_ns = 2000, .watched_ns = 1000, .apart_ns = 200};
	struct followed_hit at = {.entry = take(1, BYTES), .weight = 1, .time_ns = 1000};
	struct followed_place found = place(SPAN, BASE, 0);

	for (uint16_t i = 0; i <= 10; i++) {
		found.free_index = i;
		alloc_followed__hit(followed, &found, &at);
	}
	for (size_t i = 0; i < 8; i++)
		object(i)->state = FOLLOWED_DEAD;
	alloc_followed__drop(followed, &early);
	cr_expect_eq(entry_of(1)->young, 8 * 150);
	alloc_followed__count(followed, &late);
	/* Two that are there to stay, which were young once as well. */
	cr_expect_eq(entry_of(1)->live, 2);
	cr_expect_eq(entry_of(1)->old_weight, 2);
	cr_expect_float_eq(entry_of(1)->live_weight, 2 + (8 * 150 + 2 * 200) / 1000.0, 1e-9);
	alloc_followed__count(followed, &early);
	cr_expect_eq(entry_of(1)->live, 0, "nobody knows yet");
	cr_expect_float_eq(entry_of(1)->live_weight, (8 * 150 + 2 * 150) / 150.0, 1e-9);
}

/* Two windows, and the first long ago: no more is in use than has been allocated. */
Test(alloc_followed, of_few_windows_no_more_is_in_use_than_was_allocated)
{
	const struct followed_time now = {.now_ns = 9000, .watched_ns = 8000, .apart_ns = 4000};
	struct followed_hit at = {.entry = take(1, BYTES), .weight = 3, .time_ns = 1000};
	struct followed_place found = place(SPAN, BASE, 0);

	for (uint16_t i = 0; i <= 10; i++) {
		found.free_index = i;
		alloc_followed__hit(followed, &found, &at);
	}
	alloc_followed__count(followed, &now);
	cr_expect_eq(entry_of(1)->followed, 30);
	cr_expect_float_eq(entry_of(1)->live_weight, 30, 1e-9, "%g", entry_of(1)->live_weight);
}
