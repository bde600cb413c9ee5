// SPDX-License-Identifier: Apache-2.0
#include "track/alloc_weights.h"

#include <criterion/criterion.h>
#include <math.h>

#include "heap/spans/spans.h"
#include "track/alloc_errors.h"

/* --- blocks ---------------------------------------------------------------------------------------- */

static void check_block(uint64_t size, bool pointers, int minor, uint8_t size_class, bool tiny,
			uint64_t bytes)
{
	struct alloc_block block = alloc_block__of(size, pointers, minor, heap_spans__class_size);

	cr_expect_eq(block.size_class, size_class, "%lu: class %u", (unsigned long)size,
		     block.size_class);
	cr_expect_eq(block.tiny, tiny, "%lu", (unsigned long)size);
	cr_expect_eq(block.bytes, bytes, "%lu: %lu", (unsigned long)size,
		     (unsigned long)block.bytes);
}

Test(alloc_weights, blocks)
{
	check_block(8, true, 26, 1, false, 8);
	check_block(1, false, 26, 2, true, 1);
	check_block(4, false, 26, 2, true, 4);
	check_block(5, false, 26, 2, true, 5); /* three of them in 16 bytes */
	check_block(12, false, 26, 2, true, 16);
	check_block(16, false, 26, 2, false, 16);
	check_block(512, true, 26, 26, false, 512);
	/* A header from Go 1.22 on: 513 + 8 still fit, 576 + 8 do not. */
	check_block(513, true, 26, 27, false, 576);
	check_block(576, true, 26, 28, false, 640);
	check_block(576, true, 21, 27, false, 576);
	check_block(576, false, 26, 27, false, 576);
	check_block(32760, false, 26, 67, false, 32768);
	check_block(32768, false, 21, 67, false, 32768);
	check_block(32768, false, 26, 0, false, 32768);
	check_block(32760, true, 26, 67, false, 32768);
	check_block(32761, true, 26, 0, false, 32768);
	check_block(100000, false, 26, 0, false, 106496);
}

/* --- periods --------------------------------------------------------------------------------------- */

static struct alloc_flow *flow;
static struct alloc_weights weights;
static struct alloc_counts counted;

static void set_up(void)
{
	const struct alloc_flow_limits limits = {.entries = 8, .goroutines = 4, .objects = 4};

	cr_assert_eq(alloc_flow__new(&limits, &flow), 0);
	weights = (struct alloc_weights){0};
	counted = (struct alloc_counts){0};
}

static void tear_down(void)
{
	alloc_flow__free(flow);
}

TestSuite(alloc_weights_periods, .init = set_up, .fini = tear_down);

static void hit(uint64_t goid, uint32_t stack, uint8_t size_class, uint64_t bytes, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		alloc_flow__take(flow, &(struct alloc_hit){.goid = goid,
							   .weight = 1,
							   .stack = stack,
							   .size_class = size_class,
							   .bytes = bytes});
}

static double objects_at(uint32_t stack)
{
	size_t n;
	const struct alloc_flow_entry *entries = alloc_flow__entries(flow, &n);
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += entries[i].stack == stack ? entries[i].objects : 0;
	return sum;
}

/* Of all entries there together. */
static double variance_at(uint32_t stack)
{
	struct alloc_errors errors = {0};
	size_t n;
	const struct alloc_flow_entry *entries = alloc_flow__entries(flow, &n);

	for (size_t i = 0; i < n; i++) {
		if (entries[i].stack == stack)
			alloc_errors__add(&errors, &weights, &entries[i], 1);
	}
	return alloc_errors__variance(&errors);
}

static void settle(uint64_t period_ms, uint64_t window_ms, bool complete)
{
	const struct alloc_period period = {
		.period_ns = period_ms * NSEC_PER_MSEC,
		.window_ns = window_ms * NSEC_PER_MSEC,
		.complete = complete,
		.ns_per_hit = 1000,
		.counted = &counted,
	};

	alloc_weights__settle(&weights, flow, &period);
}

Test(alloc_weights_periods, what_was_seen_in_full_is_exact)
{
	hit(1, 7, 5, 64, 13);
	counted.objects[5] = 100; /* spans are counted when they are full: it says other things */
	settle(1000, 1000, true);
	cr_expect_float_eq(objects_at(7), 13, 1e-9);
	cr_expect_float_eq(variance_at(7), 0, 1e-9);
}

Test(alloc_weights_periods, hits_share_what_was_counted_of_their_class)
{
	hit(1, 7, 5, 64, 30);
	hit(1, 8, 5, 64, 10);
	hit(1, 9, 26, 512, 10);
	counted.objects[5] = 4000;
	counted.objects[26] = 50;
	settle(1000, 10, false);
	cr_expect_float_eq(objects_at(7), 3000, 1e-6);
	cr_expect_float_eq(objects_at(8), 1000, 1e-6);
	cr_expect_float_eq(objects_at(9), 50, 1e-6, "fewer than the window had by time");
}

/* One that does nothing but allocate, 20 times as fast without probes, and one that waits in between. */
Test(alloc_weights_periods, who_is_slowed_more_gets_more)
{
	hit(1, 7, 5, 64, 9500); /* 95 % of 10 ms */
	hit(2, 8, 5, 64, 10);
	counted.objects[5] = 100 * 9500 * 20 + 100 * 10;
	settle(1000, 10, false);
	cr_expect_float_eq(objects_at(8) / 1000, 1, 0.01, "%f", objects_at(8));
	cr_expect_float_eq(objects_at(7) / (100 * 9500 * 20), 1, 0.001);
}

Test(alloc_weights_periods, large_objects_go_by_bytes)
{
	hit(1, 7, 0, 65536, 2);
	hit(1, 8, 0, 131072, 1);
	counted.objects[0] = 5;
	counted.large_bytes = 10 * 262144;
	settle(1000, 10, false);
	cr_expect_float_eq(objects_at(7), 20, 1e-6);
	cr_expect_float_eq(objects_at(8), 10, 1e-6);
}

Test(alloc_weights_periods, what_no_window_has_seen_waits_for_the_next_hits)
{
	hit(1, 7, 5, 64, 10);
	counted.objects[5] = 100;
	counted.objects[6] = 7;
	settle(1000, 10, false);
	hit(1, 8, 6, 80, 1);
	counted.objects[5] = 0;
	counted.objects[6] = 3;
	settle(1000, 10, false);
	cr_expect_float_eq(objects_at(8), 10, 1e-6);
}

Test(alloc_weights_periods, without_counts_time_tells)
{
	const struct alloc_period period = {
		.period_ns = NSEC_PER_SEC, .window_ns = 10 * NSEC_PER_MSEC, .ns_per_hit = 1000};

	hit(1, 7, 5, 64, 3);
	alloc_weights__settle(&weights, flow, &period);
	cr_expect_float_eq(objects_at(7), 300, 0.1, "%f", objects_at(7));
}

static double square_of(double x)
{
	return x * x;
}

Test(alloc_weights_periods, the_error_is_how_periods_differ)
{
	counted.objects[5] = 2000;
	for (int i = 0; i < 4; i++) {
		hit(1, 7, 5, 64, 100);
		hit(1, 8, 5, 64, 100);
		settle(1000, 10, false);
	}
	cr_expect_float_eq(objects_at(7), 4000, 1e-6);
	cr_expect_float_eq(variance_at(7), 4000 * 10 / 2 + square_of(0.01 * 4000), 1e-3,
			   "chance, of which the sum is known, and what windows are unlike by: %f",
			   variance_at(7));
	/* A class that grows, of which both have as much as ever: no error comes from that. */
	counted.objects[5] = 20000;
	hit(1, 7, 5, 64, 1000);
	hit(1, 8, 5, 64, 1000);
	settle(1000, 10, false);
	cr_expect_float_eq(variance_at(7), (4000 + 10000) * 10 / 2 + square_of(0.01 * 14000), 1000,
			   "%f", variance_at(7));
	/* Five in which it was a half, and one in which it was all. */
	counted.objects[5] = 20000;
	hit(1, 7, 5, 64, 2000);
	settle(1000, 10, false);
	cr_expect_float_eq(sqrt(variance_at(7)), 9400, 500, "%f", sqrt(variance_at(7)));
}

Test(alloc_weights_periods, who_is_alone_in_a_class_has_all_of_it)
{
	for (int i = 0; i < 4; i++) {
		counted.objects[5] = 1000U << i;
		hit(1, 7, 5, 64, 100);
		settle(1000, 10, false);
	}
	cr_expect_float_eq(objects_at(7), 15000, 1e-6);
	cr_expect_float_eq(variance_at(7), 0, 1e-6, "%f", variance_at(7));
}

Test(alloc_weights_periods, what_was_drawn_stands_for_more)
{
	const struct alloc_hit drawn = {
		.goid = 1, .weight = 32, .stack = 7, .size_class = 5, .bytes = 64};

	for (int i = 0; i < 10; i++)
		alloc_flow__take(flow, &drawn);
	hit(1, 8, 5, 64, 5);
	settle(1000, 1000, true);
	cr_expect_float_eq(objects_at(7), 320, 1e-9);
	cr_expect_float_eq(variance_at(7), 10 * (32 * 32 - 32), 1e-9);
	cr_expect_float_eq(variance_at(8), 0, 1e-9);
	for (int i = 0; i < 10; i++)
		alloc_flow__take(flow, &drawn);
	hit(1, 8, 5, 64, 320);
	counted.objects[5] = 64000;
	settle(1000, 10, false);
	cr_expect_float_eq(objects_at(7), 320 + 32000, 1e-6);
	cr_expect_float_eq(objects_at(8), 5 + 32000, 1e-6);
}

/*
 * One that does nothing but allocate every 100 ns, and one that allocates 200 of the same each ms, in windows
 * of 10 ms with hits of @cost_ns; the first has only the part @share of its processor. What is made of the
 * second, by what it has done.
 */
static double slow_one(double cost_ns, double calibrated_ns, double share)
{
	const double window_ns = 10e6, period_ns = 1e9, own_ns = 100, sleep_ns = 1e6;
	double burst_ns = 200 * (own_ns + cost_ns), real = 0;

	for (int i = 0; i < 10; i++) {
		double fast = share * window_ns / (own_ns + cost_ns);
		double slow = 200 * window_ns / (sleep_ns + burst_ns);
		double fast_out = share * (period_ns - window_ns) / own_ns;
		double slow_out = 200 * (period_ns - window_ns) / (sleep_ns + 200 * own_ns);
		const struct alloc_period period = {
			.period_ns = (uint64_t)period_ns,
			.window_ns = (uint64_t)window_ns,
			.cpu_ns = (uint64_t)((fast + slow) * (own_ns + cost_ns)),
			.all_cpu_ns = (uint64_t)((fast + slow) * (own_ns + cost_ns) +
						 (fast_out + slow_out) * own_ns),
			.ns_per_hit = calibrated_ns,
			.counted = &counted,
		};

		hit(1, 7, 5, 64, (unsigned int)fast);
		hit(2, 8, 5, 64, (unsigned int)slow);
		counted.objects[5] = (uint64_t)(fast + slow + fast_out + slow_out);
		alloc_weights__settle(&weights, flow, &period);
		real += slow + slow_out;
	}
	return objects_at(8) / real;
}

#define CHECK_SLOW_ONE(...)                                                                \
	do {                                                                               \
		double found = slow_one(__VA_ARGS__);                                      \
                                                                                           \
		cr_expect_float_eq(found, 1, 0.07, "it came to %f of what it was", found); \
	} while (0)

Test(alloc_weights_periods, a_slow_one_beside_a_fast_one)
{
	CHECK_SLOW_ONE(630, 630, 1);
	cr_expect_float_eq(alloc_weights__dearer(&weights), 1, 0.01);
}

Test(alloc_weights_periods, a_slow_one_where_hits_are_dearer_than_calibrated)
{
	CHECK_SLOW_ONE(900, 630, 1);
	cr_expect_float_eq(alloc_weights__dearer(&weights), 900.0 / 630, 0.01);
}

Test(alloc_weights_periods, a_slow_one_where_hits_are_cheaper_than_calibrated)
{
	CHECK_SLOW_ONE(450, 630, 1);
	cr_expect_eq(alloc_weights__dearer(&weights), 1, "the budget is none to be used up");
}

Test(alloc_weights_periods, a_slow_one_where_a_trap_takes_five_microseconds)
{
	CHECK_SLOW_ONE(5000, 5000, 1);
}

Test(alloc_weights_periods, a_slow_one_where_that_was_not_known)
{
	CHECK_SLOW_ONE(5000, 3000, 1);
}

Test(alloc_weights_periods, a_slow_one_where_the_fast_one_waits_for_processors)
{
	CHECK_SLOW_ONE(630, 630, 0.3);
}

/*
 * In every other window the fast one has no processor for most of it, and another thread of the program's has. The slow one gets on as it
 * does.
 */
static double slow_one_beside(unsigned int in_every_other, int at_first)
{
	for (int i = 0; i < 40; i++) {
		const struct alloc_period period = {
			.period_ns = 50 * NSEC_PER_MSEC,
			.window_ns = 2 * NSEC_PER_MSEC,
			.cpu_ns = 2 * NSEC_PER_MSEC,
			.all_cpu_ns = 50 * NSEC_PER_MSEC,
			.ns_per_hit = 700,
			.counted = &counted,
		};

		hit(1, 7, 5, 64, i % 2 || i < at_first ? in_every_other : 2500);
		hit(2, 8, 5, 64, 200);
		counted.objects[5] = 350000;
		alloc_weights__settle(&weights, flow, &period);
	}
	cr_expect_float_eq(objects_at(7) + objects_at(8), 40 * 350000.0, 350000, "%f",
			   objects_at(7));
	return objects_at(8) / (40 * 25 * 200);
}

Test(alloc_weights_periods, who_is_not_seen_in_a_short_window_has_what_is_counted_all_the_same)
{
	double found = slow_one_beside(0, 0);

	cr_expect_float_eq(found, 1, 0.15, "%f", found);
}

Test(alloc_weights_periods, and_who_is_seen_for_a_little_of_it)
{
	double found = slow_one_beside(300, 0);

	cr_expect_float_eq(found, 1, 0.15, "%f", found);
}

Test(alloc_weights_periods, and_who_is_not_seen_in_the_first_windows)
{
	double found = slow_one_beside(0, 8);

	cr_expect_float_eq(found, 1, 0.15, "%f", found);
}

/* In one window in four the fast one has no processor; what it does meanwhile is counted all the same. */
Test(alloc_weights_periods, who_is_alone_in_a_window_does_not_have_what_others_do)
{
	double real = 0;

	for (int i = 0; i < 12; i++) {
		bool alone = i % 4 == 1;
		struct alloc_period period = {
			.period_ns = NSEC_PER_SEC,
			.window_ns = 10 * NSEC_PER_MSEC,
			.cpu_ns = (alone ? 1 : 8) * NSEC_PER_MSEC,
			.all_cpu_ns = 800 * NSEC_PER_MSEC,
			.ns_per_hit = 700,
			.counted = &counted,
		};

		hit(1, 7, 5, 64, alone ? 0 : 9000);
		hit(2, 8, 5, 64, 1000);
		counted.objects[5] = 7000000;
		real += 100 * 1000 * 1.1;
		alloc_weights__settle(&weights, flow, &period);
	}
	cr_expect_float_eq(objects_at(7) + objects_at(8), 12 * 7000000.0, 12);
	cr_expect_lt(objects_at(8) / real, 1.3, "%f of what it was", objects_at(8) / real);
	cr_expect_gt(objects_at(8) / real, 0.7, "%f of what it was", objects_at(8) / real);
}

Test(alloc_weights_periods, one_period_says_nothing_of_the_others)
{
	hit(1, 7, 5, 64, 100);
	counted.objects[5] = 1000;
	settle(1000, 10, false);
	cr_expect_float_eq(variance_at(7), 1e6, 1e-3);
}

Test(alloc_weights_periods, who_waits_for_processors_is_slowed_as_well)
{
	/* Both had a fifth of the time: of what there was, the first spent all in hits. */
	const struct alloc_period period = {.period_ns = NSEC_PER_SEC,
					    .window_ns = 10 * NSEC_PER_MSEC,
					    .cpu_ns = 2 * NSEC_PER_MSEC,
					    .ns_per_hit = 1000,
					    .counted = &counted};

	hit(1, 7, 5, 64, 1900);
	hit(2, 8, 5, 64, 100);
	counted.objects[5] = 100 * 1900 * 20 + 100 * 100;
	alloc_weights__settle(&weights, flow, &period);
	cr_expect_float_eq(objects_at(8) / 10000, 1, 0.2, "%f", objects_at(8));
}

Test(alloc_weights_periods, the_time_after_the_last_window_is_as_before)
{
	hit(1, 7, 5, 64, 30);
	hit(1, 8, 5, 64, 10);
	counted.objects[5] = 4000;
	settle(1000, 10, false);
	counted.objects[5] = 2000;
	counted.objects[6] = 5;
	alloc_weights__extend(&weights, flow, &counted);
	cr_expect_float_eq(objects_at(7), 4500, 1e-6);
	cr_expect_float_eq(objects_at(8), 1500, 1e-6);
	cr_expect_eq(weights.carried.objects[6], 5);
	cr_expect_eq(weights.carried.objects[5], 0);
}

Test(alloc_weights_periods, what_an_empty_window_left_over_is_not_forgotten)
{
	hit(1, 7, 5, 64, 30);
	counted.objects[5] = 4000;
	settle(1000, 10, false);
	counted.objects[5] = 2000;
	settle(1000, 10, false);
	counted.objects[5] = 1000;
	alloc_weights__extend(&weights, flow, &counted);
	cr_expect_float_eq(objects_at(7), 7000, 1e-6);
}

/* --- the flow -------------------------------------------------------------------------------------- */

Test(alloc_weights_periods, what_has_no_room_is_counted)
{
	for (uint32_t stack = 1; stack <= 10; stack++)
		hit(1, stack, 5, 64, 1);
	cr_expect_eq(alloc_flow__refused(flow), 2);
	for (uint64_t goid = 2; goid <= 6; goid++)
		hit(goid, 1, 5, 64, 1);
	cr_expect_eq(alloc_flow__refused(flow), 2 + 5, "no entry is left");
	cr_expect_eq(alloc_flow__hits(flow), 15);
}

Test(alloc_weights_periods, the_last_hit_at_an_address_counts)
{
	const uint64_t address = 0xc000010000;
	const struct alloc_flow_entry *entries;
	size_t n;

	alloc_flow__take(flow, &(struct alloc_hit){.weight = 1, .stack = 1, .object = address});
	alloc_flow__take(flow, &(struct alloc_hit){.weight = 1, .stack = 2, .object = address});
	for (int i = 0; i < 2; i++) {
		alloc_flow__live(flow);
		alloc_flow__is_alive(flow, address);
		alloc_flow__is_alive(flow, address + 64);
	}
	entries = alloc_flow__entries(flow, &n);
	cr_assert_eq(n, 2);
	cr_expect_eq(entries[0].live, 0);
	cr_expect_eq(entries[1].live, 1);
}

/* Windows that saw all of their hits, and pauses of which only the count is known. */
Test(alloc_weights_periods, what_stands_for_pauses_is_off_by_how_windows_differ)
{
	for (int i = 0; i < 10; i++) {
		hit(1, 7, 5, 64, i % 2 ? 20 : 180);
		hit(1, 8, 5, 64, i % 2 ? 180 : 20);
		hit(1, 9, 6, 64, 100);
		settle(10, 10, true);
		cr_expect_eq(variance_at(7) > 0, i > 0);
		counted.objects[5] = 1800;
		counted.objects[6] = 900;
		alloc_weights__extend(&weights, flow, &counted);
	}
	cr_expect_float_eq(objects_at(7) / 10000, 1, 0.1, "%f", objects_at(7));
	/* A tenth to nine tenths in each of ten. */
	cr_expect_gt(sqrt(variance_at(7)) / 10000, 0.15, "%f", sqrt(variance_at(7)));
	cr_expect_lt(sqrt(variance_at(7)) / 10000, 0.6, "%f", sqrt(variance_at(7)));
	cr_expect_float_eq(variance_at(9), 0, 1e-3, "who is alone in a class has all of it");
}

Test(alloc_weights_periods, what_was_seen_without_a_pause_has_no_error)
{
	for (int i = 0; i < 4; i++) {
		hit(1, 7, 5, 64, i % 2 ? 20 : 180);
		hit(1, 8, 5, 64, i % 2 ? 180 : 20);
		settle(1000, 1000, true);
	}
	cr_expect_eq(variance_at(7), 0);
	cr_expect_float_eq(objects_at(7), 400, 1e-9);
}

Test(alloc_weights_periods, beside_one_that_does_nothing_but_allocate_windows_are_not_like_the_rest)
{
	for (int i = 0; i < 10; i++) {
		hit(1, 7, 5, 64, 9500);
		hit(2, 8, 5, 64, 100);
		counted.objects[5] = 19000000;
		settle(1000, 10, false);
	}
	cr_expect_float_eq(sqrt(variance_at(8)) / objects_at(8), 0.2, 0.02, "%f",
			   sqrt(variance_at(8)) / objects_at(8));
	cr_expect_lt(sqrt(variance_at(7)) / objects_at(7), 0.01);
}

Test(alloc_weights_periods, who_does_little_else_than_allocate_makes_it_busy)
{
	counted.objects[5] = 100000;
	for (int i = 0; i < 10; i++) {
		hit(1, 7, 5, 64, 1000); /* a tenth of 10 ms */
		settle(1000, 10, false);
	}
	cr_expect_not(alloc_weights__is_busy(&weights));
	for (int i = 0; i < 10; i++) {
		hit(1, 7, 5, 64, 9000);
		settle(1000, 10, false);
	}
	cr_expect(alloc_weights__is_busy(&weights));
}
