// SPDX-License-Identifier: Apache-2.0
#include "cli/edit_distance.h"

#include <criterion/criterion.h>

Test(edit_distance, counts_letters)
{
	cr_expect_eq(edit_distance("list", "list"), 0);
	cr_expect_eq(edit_distance("lst", "list"), 1, "one is missing");
	cr_expect_eq(edit_distance("liist", "list"), 1, "one too many");
	cr_expect_eq(edit_distance("lisd", "list"), 1, "another one");
	cr_expect_eq(edit_distance("", "list"), 4);
	cr_expect_eq(edit_distance("top", "dump"), 3);
}

Test(edit_distance, neighbours_that_are_swapped_are_one_slip)
{
	cr_expect_eq(edit_distance("lsit", "list"), 1);
	cr_expect_eq(edit_distance("ilts", "list"), 2);
	cr_expect_eq(edit_distance("onec", "once"), 1);
}

Test(edit_distance, long_names_are_far)
{
	const char *text = "a-name-of-more-than-thirty-two-bytes";

	cr_expect_geq(edit_distance(text, text), EDIT_DISTANCE_FAR);
}
