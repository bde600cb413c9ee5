// SPDX-License-Identifier: Apache-2.0
#include "host/steal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

#include "made_tree.h"

static int steal_of(const char *text, struct steal *ret_steal)
{
	const char *root = made_tree__new();
	int err;

	made_tree__put("stat", text);
	err = host__steal(root, ret_steal);
	made_tree__remove();
	return err;
}

Test(steal, is_the_eighth_number)
{
	struct steal steal;

	cr_assert_eq(steal_of("cpu  1 2 3 4 5 6 7 1009 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n", &steal),
		     0);
	cr_expect_eq(steal.ns, 1009 * NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
	cr_expect_eq(steal.processors, (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
}

Test(steal, what_is_not_told_is_an_error)
{
	struct steal steal;

	cr_expect_eq(steal_of("cpu  1 2 3 4 5 6 7", &steal), -EOPNOTSUPP);
	cr_expect_eq(steal_of("intr 1 2 3", &steal), -EPROTO);
	cr_expect_eq(steal_of("", &steal), -EPROTO);
	cr_expect_eq(host__steal("/nonexistent", &steal), -ENOENT);
}
