// SPDX-License-Identifier: Apache-2.0
#include "probe/alloc_draws.h"

#include <criterion/criterion.h>
#include <math.h>

static uint64_t random_number(void)
{
	static uint64_t state = 88172645463325252ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* As the program does, which gets 32 bits. */
static int64_t next_gap(const uint32_t table[GL_ALLOC_GAPS + 1], uint64_t mean)
{
	uint32_t random = (uint32_t)(random_number() >> 32);
	uint32_t i = random % GL_ALLOC_GAPS, rest = random / GL_ALLOC_GAPS;
	uint64_t from = table[i], to = table[i + 1];

	return (int64_t)(mean * (from + (to - from) * rest / ((1ULL << 32) / GL_ALLOC_GAPS)) /
			 GL_ALLOC_GAP_UNIT);
}

Test(alloc_draws, gaps_are_exponential)
{
	uint32_t table[GL_ALLOC_GAPS + 1];
	const int n = 1000000;
	double sum = 0, longer = 0, much_longer = 0;

	alloc_draws__table(table);
	cr_expect_eq(table[0], 0);
	for (int i = 0; i < n; i++) {
		double gap = (double)next_gap(table, 1000000) / 1e6;

		sum += gap;
		longer += gap > 1;
		much_longer += gap > 4;
	}
	cr_expect_float_eq(sum / n, 1, 0.005, "%f", sum / n);
	cr_expect_float_eq(longer / n, exp(-1), 0.002);
	cr_expect_float_eq(much_longer / n, exp(-4), 0.001);
}

Test(alloc_draws, the_longest_gap_fits)
{
	uint32_t table[GL_ALLOC_GAPS + 1];

	alloc_draws__table(table);
	cr_expect_leq(table[GL_ALLOC_GAPS], UINT64_MAX / GL_ALLOC_MAX_GAP);
	cr_expect_eq(alloc_draws__gap(1, UINT64_MAX, true), GL_ALLOC_MAX_GAP);
}

Test(alloc_draws, the_first_gap_of_a_processor)
{
	const int n = 1000000;
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += (double)alloc_draws__first(1000000, random_number()) / 1e6;
	cr_expect_float_eq(sum / n, 1, 0.005, "%f", sum / n);
	cr_expect_geq(alloc_draws__first(1000, 0), 0);
	cr_expect_geq(alloc_draws__first(1000, UINT64_MAX), 0);
	cr_expect_eq(alloc_draws__first(0, 7), 0);
}

/* Two sizes that take turns: what is drawn stands for as many of each as there were. */
Test(alloc_draws, what_is_drawn_stands_for_all)
{
	static const uint64_t sizes[] = {16, 64, 16, 100000, 16};
	const uint64_t gap = alloc_draws__gap(5, 100112 + 5 * GL_ALLOC_OBJECT, true);
	const int n = 10000000;
	uint32_t table[GL_ALLOC_GAPS + 1];
	double small = 0, middle = 0, large = 0;
	int64_t left = alloc_draws__first(gap, random_number());
	int drawn = 0;

	alloc_draws__table(table);
	for (int i = 0; i < n; i++) {
		uint64_t size = sizes[i % 5];

		left -= (int64_t)(size + GL_ALLOC_OBJECT);
		if (left > 0)
			continue;
		left = next_gap(table, gap);
		drawn++;
		*(size == 16 ? &small :
		  size == 64 ? &middle :
			       &large) += alloc_draws__weight(size, gap);
	}
	cr_expect_leq(drawn, n / GL_ALLOC_ONE_IN, "large ones are drawn once: %d", drawn);
	cr_expect_geq(drawn, n / GL_ALLOC_ONE_IN / 2, "%d", drawn);
	cr_expect_float_eq(small / (0.6 * n), 1, 0.1, "%f", small);
	cr_expect_float_eq(middle / (0.2 * n), 1, 0.15, "%f", middle);
	cr_expect_float_eq(large / (0.2 * n), 1, 0.01, "%f", large);
}

Test(alloc_draws, each_one)
{
	cr_expect_eq(alloc_draws__gap(0, 0, true), 0);
	cr_expect_eq(alloc_draws__gap(10, 1000, true), 100 * GL_ALLOC_ONE_IN);
	cr_expect_eq(alloc_draws__gap(10, 1000, false), 100 * ALLOC_DRAWS_CALM);
	cr_expect_eq(alloc_draws__weight(16, 0), 1);
}
