// SPDX-License-Identifier: Apache-2.0
#include "heap/paths/members.h"

#include <criterion/criterion.h>

#define NODE 7

static struct path_members *members;

static void open_members(void)
{
	cr_assert_eq(path_members__new(&members), 0);
}

static void close_members(void)
{
	path_members__free(members);
}

TestSuite(members, .init = open_members, .fini = close_members);

/* Objects [@first, @end) in one look. */
static void look(uint64_t first, uint64_t end)
{
	for (uint64_t i = first; i < end; i++)
		path_members__note(members, NODE, 0xc000000000 + 48 * i);
}

static double share(void)
{
	size_t drawn, stayed = path_members__stayed(members, NODE, &drawn);

	cr_assert_gt(drawn, 0);
	cr_assert_leq(drawn, PATH_MEMBERS_DRAWN);
	return (double)stayed / (double)drawn;
}

Test(members, those_that_are_there_have_stayed)
{
	look(0, 10007);
	path_members__next(members);
	look(0, 20011);
	cr_assert_float_eq(share(), 1, 1e-9);
}

Test(members, others_have_not)
{
	look(0, 10007);
	path_members__next(members);
	look(10007, 30011);
	cr_assert_float_eq(share(), 0, 1e-9);
}

Test(members, a_part_of_them)
{
	double sum = 0;

	for (uint64_t i = 0; i < 20; i++) {
		path_members__begin(members);
		look(100000 * i, 100000 * i + 4000);
		path_members__next(members);
		look(100000 * i + 1000, 100000 * i + 5000);
		sum += share();
	}
	cr_assert_float_eq(sum / 20, 0.75, 0.1);
}

Test(members, few_are_all_known)
{
	size_t drawn;

	look(0, 5);
	path_members__next(members);
	look(2, 9);
	cr_assert_eq(path_members__stayed(members, NODE, &drawn), 3);
	cr_assert_eq(drawn, 5);
	cr_assert_eq(path_members__stayed(members, NODE + 1, &drawn), 0);
	cr_assert_eq(drawn, 0);
}

Test(members, what_was_noted_of_a_look_that_is_begun_again_is_forgotten)
{
	size_t drawn;

	look(0, 5);
	path_members__next(members);
	look(0, 5);
	path_members__begin(members);
	cr_assert_eq(path_members__stayed(members, NODE, &drawn), 0);
	cr_assert_eq(drawn, 5, "the look before is not");
}

Test(members, two_looks_back_is_long_ago)
{
	size_t drawn;

	look(0, 5);
	path_members__next(members);
	path_members__next(members);
	look(0, 5);
	cr_assert_eq(path_members__stayed(members, NODE, &drawn), 0);
	cr_assert_eq(drawn, 0);
}
