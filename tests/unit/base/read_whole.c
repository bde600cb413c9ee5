// SPDX-License-Identifier: Apache-2.0
#include "base/read_whole.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What a pipe delivers that holds @text. */
static ssize_t of_pipe(const char *text, char *buffer, size_t max)
{
	int ends[2];
	ssize_t length;

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
	close(ends[1]);
	length = read_whole(ends[0], buffer, max);
	close(ends[0]);
	return length;
}

Test(read_whole, all_of_it_or_one_byte_too_much)
{
	char buffer[6];

	cr_expect_eq(of_pipe("", buffer, 5), 0);
	cr_expect_eq(of_pipe("12345", buffer, 5), 5);
	cr_expect_eq(memcmp(buffer, "12345", 5), 0);
	cr_expect_eq(of_pipe("123456", buffer, 5), 6);
	cr_expect_eq(of_pipe("1234567890", buffer, 5), 6);
}

Test(read_whole, an_error_is_told)
{
	char buffer[6];

	cr_expect_eq(read_whole(-1, buffer, 5), -EBADF);
}
