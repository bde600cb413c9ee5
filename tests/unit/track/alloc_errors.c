// SPDX-License-Identifier: Apache-2.0
/* Whether what is stated as the error is how far off figures are. */
#include "track/alloc_errors.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#define RUNS	400
#define WINDOWS 60
#define PAUSE	3 /* times as long as a window */

static struct alloc_flow *flow;
static struct alloc_weights weights;
static uint64_t state;

static void set_up(void)
{
	state = 0x9e3779b97f4a7c15;
}

TestSuite(alloc_errors, .init = set_up);

/* Marsaglia's xorshift: 0 to 1. */
static double chance(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (double)(state >> 11) * 0x1p-53;
}

/* That many on average, as a count of what has nothing to do with each other. */
static unsigned int some(double mean)
{
	double product = chance(), least = exp(-mean);
	unsigned int n = 0;

	for (; product > least; n++)
		product *= chance();
	return n;
}

static void hit(uint32_t stack, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		alloc_flow__take(flow, &(struct alloc_hit){.goid = stack,
							   .weight = 1,
							   .stack = stack,
							   .size_class = 5,
							   .bytes = 64});
}

/* How a program goes: what each of three stacks allocates on average in the time of a window. */
struct program {
	void (*means)(double means[3]);
	bool drawn; /* windows that stand for their period */
	bool calm; /* so that most of the error is that real windows are not like the rest of the time */
};

/* Of the first two stacks, which are one place. */
static void run_once(const struct program *program, double *ret_off, double *ret_error)
{
	const struct alloc_flow_limits limits = {.entries = 8, .goroutines = 8, .objects = 1};
	double truth = 0, told = 0;
	struct alloc_errors errors = {0};
	const struct alloc_flow_entry *entries;
	size_t n;

	weights = (struct alloc_weights){0};
	cr_assert_eq(alloc_flow__new(&limits, &flow), 0);
	for (int w = 0; w < WINDOWS; w++) {
		struct alloc_counts counted = {0};
		struct alloc_period period = {.period_ns = 10 * NSEC_PER_MSEC,
					      .window_ns = 10 * NSEC_PER_MSEC,
					      .complete = !program->drawn};
		double means[3];

		program->means(means);
		for (uint32_t i = 0; i < 3; i++) {
			unsigned int here = some(means[i]);

			hit(i + 1, here);
			truth += i < 2 ? here : 0;
			counted.objects[5] += program->drawn ? here : 0;
		}
		if (!program->drawn) {
			alloc_weights__settle(&weights, flow, &period);
		}
		for (int k = 0; k < PAUSE; k++) {
			program->means(means);
			for (int i = 0; i < 3; i++) {
				unsigned int there = some(means[i]);

				counted.objects[5] += there;
				truth += i < 2 ? there : 0;
			}
		}
		if (program->drawn) {
			period.period_ns = (uint64_t)(1 + PAUSE) * 10 * NSEC_PER_MSEC;
			period.counted = &counted;
			period.ns_per_hit = 1;
			alloc_weights__settle(&weights, flow, &period);
		} else {
			alloc_weights__extend(&weights, flow, &counted);
		}
	}
	alloc_weights__extend(&weights, flow, &(struct alloc_counts){0});
	entries = alloc_flow__entries(flow, &n);
	for (size_t i = 0; i < n; i++) {
		if (entries[i].stack > 2)
			continue;
		alloc_errors__add(&errors, &weights, &entries[i], 1);
		told += entries[i].objects;
	}
	*ret_off = told - truth;
	*ret_error = sqrt(alloc_errors__variance(&errors));
	alloc_flow__free(flow);
}

/* Two thirds within the error, 95 of 100 within twice of it, and in the middle it is right. */
static void judge(const struct program *program)
{
	unsigned int once = 0, twice = 0;
	double off, error, all_off = 0, all_error = 0;

	for (int i = 0; i < RUNS; i++) {
		run_once(program, &off, &error);
		all_off += off;
		all_error += error;
		once += fabs(off) <= error;
		twice += fabs(off) <= 2 * error;
	}
	cr_expect_geq(once, RUNS * 60 / 100, "%u", once);
	cr_expect_leq(once, RUNS * (program->calm ? 95 : 85) / 100,
		      "the error is not too large, either: %u", once);
	cr_expect_geq(twice, RUNS * 90 / 100, "%u", twice);
	cr_expect_lt(fabs(all_off), 0.25 * all_error, "%f of the error", all_off / all_error);
}

static void steady(double means[3])
{
	means[0] = means[1] = 10;
	means[2] = 20;
}

/* What one does the other does. */
static void together(double means[3])
{
	means[0] = means[1] = chance() < 0.3 ? 20 : 2;
	means[2] = 20;
}

/* Either does it. */
static void in_turn(double means[3])
{
	bool first = chance() < 0.5;

	means[0] = first ? 20 : 0;
	means[1] = first ? 0 : 20;
	means[2] = 20;
}

/* A fifth of the windows have nearly all. */
static void in_bursts(double means[3])
{
	double much = chance() < 0.2 ? 60 : 2;

	means[0] = much * chance();
	means[1] = much;
	means[2] = much;
}

Test(alloc_errors, of_what_goes_on_all_the_time)
{
	judge(&(struct program){.means = steady, .calm = true});
	judge(&(struct program){.means = steady, .drawn = true, .calm = true});
}

Test(alloc_errors, of_a_place_whose_stacks_come_and_go_together)
{
	judge(&(struct program){.means = together});
	judge(&(struct program){.means = together, .drawn = true});
}

Test(alloc_errors, of_a_place_whose_stacks_take_turns)
{
	judge(&(struct program){.means = in_turn});
	judge(&(struct program){.means = in_turn, .drawn = true});
}

Test(alloc_errors, of_bursts)
{
	judge(&(struct program){.means = in_bursts});
	judge(&(struct program){.means = in_bursts, .drawn = true});
}

/* By how windows differ; what they are unlike by is that of each entry. */
static double differences_of_all(void)
{
	struct alloc_errors errors = {0};
	size_t n;
	const struct alloc_flow_entry *entries = alloc_flow__entries(flow, &n);

	for (size_t i = 0; i < n; i++) {
		if (entries[i].stack == 1)
			alloc_errors__add(&errors, &weights, &entries[i], 1);
	}
	errors.disturbed = 0;
	return alloc_errors__variance(&errors);
}

Test(alloc_errors, are_the_same_when_goroutines_are_forgotten)
{
	const struct alloc_flow_limits limits = {.entries = 8, .goroutines = 8, .objects = 1};
	const struct alloc_period period = {.period_ns = 4 * NSEC_PER_MSEC,
					    .window_ns = NSEC_PER_MSEC};
	uint32_t *map;
	double before;

	weights = (struct alloc_weights){0};
	cr_assert_eq(alloc_flow__new(&limits, &flow), 0);
	for (unsigned int w = 0; w < 20; w++) {
		for (uint64_t goid = 1; goid <= 3; goid++) {
			const struct alloc_hit taken = {.goid = goid,
							.weight = some(5),
							.stack = goid < 3 ? 1 : 2,
							.size_class = 5,
							.bytes = 64};

			alloc_flow__take(flow, &taken);
		}
		alloc_weights__settle(&weights, flow, &period);
	}
	before = differences_of_all();
	cr_expect_gt(before, 0);
	cr_assert_eq(alloc_flow__fold(flow, &map), 0);
	free(map);
	cr_expect_float_eq(differences_of_all() / before, 1, 1e-4);
	alloc_flow__free(flow);
}
