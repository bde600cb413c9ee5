// SPDX-License-Identifier: Apache-2.0
#include "track/alloc_pace.h"

#include <criterion/criterion.h>
#include <math.h>

#include "track/alloc_weights.h"

enum { FAST = 7, SLOW = 11, CLASS = 6, SPAN = 128 };

static struct alloc_pace pace;
static uint64_t now_ns, counted;

static void set_up(void)
{
	pace = (struct alloc_pace){0};
	now_ns = counted = 0;
	alloc_pace__begin(&pace);
	alloc_pace__saturated(&pace, FAST);
}

TestSuite(alloc_pace, .init = set_up);

static void settle(struct alloc_pace *to, bool complete)
{
	struct alloc_pace_window window = {
		.ns = 100 * NSEC_PER_MSEC,
		.complete = complete,
		.now_ns = now_ns,
	};

	window.seen[CLASS] = true;
	window.counted[CLASS] = counted;
	alloc_pace__settle(to, &window);
}

static void refill(struct alloc_pace *to, uint64_t goid, unsigned int n, uint64_t taken)
{
	for (unsigned int i = 0; i < n; i++)
		alloc_pace__refill(to, goid, CLASS, taken);
}

/* A second of which a tenth is seen: there who is fast does less, and the other goes on as before. */
static void second(struct alloc_pace *to, unsigned int slow_spans, unsigned int empty)
{
	now_ns += NSEC_PER_SEC;
	counted += 1000000;
	refill(to, FAST, 500, SPAN);
	refill(to, SLOW, slow_spans, SPAN);
	refill(to, SLOW, empty, 0);
	settle(to, true);
}

Test(alloc_pace, who_was_seen_to_do_nothing_else_is_fast)
{
	cr_expect(alloc_pace__is_fast(&pace, FAST));
	cr_expect_not(alloc_pace__is_fast(&pace, SLOW));
	alloc_pace__begin(&pace);
	cr_expect_not(alloc_pace__is_fast(&pace, FAST), "once, and not again");
	for (int i = 0; i < 5; i++)
		alloc_pace__saturated(&pace, FAST);
	cr_expect(alloc_pace__is_fast(&pace, FAST));
	/* Who comes and goes takes the place of another like it, and not that of who is there all the time. */
	for (uint64_t goid = 100; goid < 200; goid++)
		alloc_pace__saturated(&pace, goid);
	cr_expect(alloc_pace__is_fast(&pace, FAST));
	cr_expect(alloc_pace__is_fast(&pace, 199));
	cr_expect_not(alloc_pace__is_fast(&pace, 150));
	cr_expect_not(alloc_pace__is_fast(&pace, 0), "nobody");
}

Test(alloc_pace, what_others_have_goes_by_time)
{
	double part, error;

	for (int i = 0; i < 3; i++)
		second(&pace, 20, 0);
	cr_assert(alloc_pace__part(&pace, CLASS, &part, &error));
	/* 25,600 a second of a million: however few the fast one had in windows. */
	cr_expect_float_eq(part, 0.0256, 1e-6, "%f", part);
	cr_expect_float_eq(error, 0.07, 1e-6, "windows are all the same: %f", error);
	cr_expect_not(alloc_pace__part(&pace, CLASS + 1, &part, &error));
	cr_expect_not(alloc_pace__part(&pace, 0, &part, &error));
}

Test(alloc_pace, a_cache_that_had_none_has_lost_half_a_span)
{
	double part, error;

	for (int i = 0; i < 3; i++)
		second(&pace, 18, 4);
	cr_assert(alloc_pace__part(&pace, CLASS, &part, &error));
	cr_expect_float_eq(part, 0.0256, 1e-6, "%f", part);
}

Test(alloc_pace, where_caches_hardly_ever_use_a_span_up_nothing_is_known)
{
	double part, error;

	for (int i = 0; i < 9; i++)
		second(&pace, 18, 12);
	cr_expect_not(alloc_pace__part(&pace, CLASS, &part, &error));
}

Test(alloc_pace, how_windows_differ_is_the_error)
{
	double part, error;

	for (int i = 0; i < 16; i++)
		second(&pace, i % 2 ? 24 : 16, 0);
	cr_assert(alloc_pace__part(&pace, CLASS, &part, &error));
	cr_expect_float_eq(part, 0.0256, 1e-6);
	/* Each is off by a fifth, of sixteen the mean by a fourth of that. */
	cr_expect_float_eq(error, sqrt(0.05 * 0.05 * 16 / 15 + 0.07 * 0.07), 1e-3, "%f", error);
	for (int i = 0; i < 16; i++)
		second(&pace, i % 8 ? 0 : 160, 0);
	cr_expect_not(alloc_pace__part(&pace, CLASS, &part, &error));
}

Test(alloc_pace, what_was_lost_is_not_counted)
{
	double part, error;

	for (int i = 0; i < 3; i++)
		second(&pace, 20, 0);
	refill(&pace, SLOW, 100, SPAN);
	settle(&pace, false);
	cr_assert(alloc_pace__part(&pace, CLASS, &part, &error));
	cr_expect_float_eq(part, 0.0256, 1e-6, "%f", part);
	second(&pace, 20, 0);
	cr_assert(alloc_pace__part(&pace, CLASS, &part, &error));
	cr_expect_float_eq(part, 0.0256, 1e-6, "%f", part);
}

/* --- what becomes of the windows' figures -------------------------------------------------------- */

static struct alloc_flow *flow;
static struct alloc_weights weights;

static void set_up_weights(void)
{
	const struct alloc_flow_limits limits = {.entries = 8, .goroutines = 4, .objects = 4};

	now_ns = counted = 0;
	cr_assert_eq(alloc_flow__new(&limits, &flow), 0);
	weights = (struct alloc_weights){0};
}

static void tear_down_weights(void)
{
	alloc_flow__free(flow);
}

TestSuite(alloc_paced, .init = set_up_weights, .fini = tear_down_weights);

static void hit(uint64_t goid, uint32_t stack, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		alloc_flow__take(flow, &(struct alloc_hit){.goid = goid,
							   .weight = 1,
							   .stack = stack,
							   .size_class = CLASS,
							   .bytes = 64});
}

/* The slow one has two places, of which one allocates twice as much as the other. */
static void run_windows(int n)
{
	for (int i = 0; i < n; i++) {
		struct alloc_counts all = {.objects = {[CLASS] = 1000000}};
		const struct alloc_period period = {
			.period_ns = NSEC_PER_SEC,
			.window_ns = 10 * NSEC_PER_MSEC,
			.ns_per_hit = 1000,
			.counted = &all,
		};

		hit(FAST, 1, 9500);
		hit(SLOW, 2, 200);
		hit(SLOW, 3, 100);
		alloc_weights__settle(&weights, flow, &period);
	}
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

Test(alloc_paced, others_have_what_refills_say_and_share_it_as_windows_do)
{
	double slow;

	run_windows(10);
	cr_assert(alloc_weights__wants_pace(&weights, CLASS));
	cr_assert_not(alloc_weights__wants_pace(&weights, CLASS + 1));
	slow = objects_at(2) + objects_at(3);
	cr_expect_float_eq(slow + objects_at(1), 10e6, 1);
	cr_expect_gt(slow, 0.029 * 10e6, "%f", slow);
	for (int i = 0; i < 20; i++)
		second(&weights.pace, 16, 0);
	run_windows(1);
	slow = objects_at(2) + objects_at(3);
	cr_expect_float_eq(slow / 11e6, 0.02048, 1e-4, "%f", slow);
	cr_expect_float_eq(objects_at(2) / objects_at(3), 2, 1e-6);
	cr_expect_float_eq(slow + objects_at(1), 11e6, 1, "what was counted is all that there is");
}

/* Two that take turns in step: one of them finds every span empty. */
Test(alloc_paced, what_refills_have_wrong_is_left_as_windows_say)
{
	double before;

	run_windows(10);
	before = objects_at(2);
	for (int i = 0; i < 20; i++)
		second(&weights.pace, 600, 0);
	run_windows(1);
	cr_expect_float_eq(objects_at(2) / before, 1.1, 1e-3);
}
