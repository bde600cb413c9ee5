// SPDX-License-Identifier: Apache-2.0
#include "session/shares.h"

#include <criterion/criterion.h>

#define MAX 8

/* Judges what owner owners[i] uses of @total; bit i of the result: share i is over. */
static unsigned int over(size_t n, const uint64_t *owners, const double *used, double total)
{
	struct share shares[MAX];
	unsigned int bits = 0;

	for (size_t i = 0; i < n; i++)
		shares[i] = (struct share){.owner = owners[i], .used = used[i], .over = true};
	shares__judge(shares, n, total);
	for (size_t i = 0; i < n; i++) {
		cr_expect_eq(shares[i].owner, owners[i], "they stay where they are");
		bits |= (unsigned int)shares[i].over << i;
	}
	return bits;
}

#define OVER(total, owners, ...)                                                                \
	over(sizeof((double[]){__VA_ARGS__}) / sizeof(double), owners, (double[]){__VA_ARGS__}, \
	     total)

Test(shares, nobody_is_over_when_there_is_enough)
{
	const uint64_t owners[] = {1, 2, 3};

	cr_expect_eq(OVER(100, owners, 98, 1, 1), 0);
	cr_expect_eq(OVER(100, owners, 0, 0, 0), 0);
	cr_expect_eq(over(0, owners, NULL, 100), 0);
}

Test(shares, who_takes_most_is_over)
{
	const uint64_t owners[] = {1, 2, 3};

	cr_expect_eq(OVER(100, owners, 98, 1, 30), 1u);
	cr_expect_eq(OVER(100, owners, 30, 60, 60), 6u, "30, and 35 for each of the others");
	cr_expect_eq(OVER(100, owners, 1000, 1000, 1000), 7u);
}

/* A user's many processes have one share, and those within it are not over. */
Test(shares, many_of_one_owner_share_his)
{
	const uint64_t owners[] = {5, 1, 5, 5, 5, 2};

	cr_expect_eq(OVER(100, owners, 40, 25, 40, 40, 1, 25), 1u | 1u << 2 | 1u << 3);
}

/* What is the host's own is not taken together. */
Test(shares, each_of_the_host_counts_alone)
{
	const uint64_t owners[] = {SHARES_HOST, SHARES_HOST, SHARES_HOST, 7, 7};

	cr_expect_eq(OVER(100, owners, 20, 20, 20, 45, 45), 1u << 3 | 1u << 4);
	cr_expect_eq(OVER(100, owners, 90, 5, 5, 10, 10), 1u);
}
