// SPDX-License-Identifier: Apache-2.0
#include "base/failure.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(failure, passes_the_error_through_and_keeps_the_last_text)
{
	struct failure failure = {""};

	cr_expect_eq(failure__set(&failure, -ESRCH, "no process %d", 7), -ESRCH);
	cr_expect_str_eq(failure.text, "no process 7");
	cr_expect_eq(failure__set(&failure, -EPERM, "%s", "not allowed"), -EPERM);
	cr_expect_str_eq(failure.text, "not allowed");
}

Test(failure, nobody_has_to_listen)
{
	cr_expect_eq(failure__set(NULL, -EIO, "lost"), -EIO);
}

Test(failure, long_texts_are_cut)
{
	struct failure failure;
	char text[2 * sizeof(failure.text)];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	failure__set(&failure, -EIO, "%s", text);
	cr_expect_eq(strlen(failure.text), sizeof(failure.text) - 1);
}

Test(failure, exit_codes)
{
	cr_expect_eq(failure__exit_code(0), 0);
	cr_expect_eq(failure__exit_code(-EIO), 1);
	cr_expect_eq(failure__exit_code(-ENOMEM), 1);
	cr_expect_eq(failure__exit_code(-ESRCH), 1);
	cr_expect_eq(failure__exit_code(-ENOEXEC), 3);
	cr_expect_eq(failure__exit_code(-EOPNOTSUPP), 3);
	cr_expect_eq(failure__exit_code(-EPERM), 4);
	cr_expect_eq(failure__exit_code(-EACCES), 4);
}
