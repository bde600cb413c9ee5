// SPDX-License-Identifier: Apache-2.0
#include "base/read.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What a pipe delivers that holds @text. */
static ssize_t of_pipe(const char *text, char *buffer, size_t size)
{
	int ends[2];
	ssize_t length;

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
	close(ends[1]);
	length = read__whole(ends[0], buffer, size);
	close(ends[0]);
	return length;
}

Test(read, the_whole_of_it_or_as_much_as_fits)
{
	char buffer[6];

	cr_expect_eq(of_pipe("", buffer, 6), 0);
	cr_expect_eq(of_pipe("12345", buffer, 6), 5);
	cr_expect_eq(memcmp(buffer, "12345", 5), 0);
	cr_expect_eq(of_pipe("123456", buffer, 6), 6);
	cr_expect_eq(of_pipe("1234567890", buffer, 6), 6);
}

Test(read, at_an_offset)
{
	char buffer[6];
	int fd = memfd_create("read", MFD_CLOEXEC);

	cr_assert_eq(write(fd, "1234567890", 10), 10);
	cr_expect_eq(read__at(fd, 2, buffer, 6), 6);
	cr_expect_eq(memcmp(buffer, "345678", 6), 0);
	cr_expect_eq(read__at(fd, 7, buffer, 6), 3);
	cr_expect_eq(memcmp(buffer, "890", 3), 0);
	cr_expect_eq(read__at(fd, 10, buffer, 6), 0);
	cr_expect_eq(read__at(fd, UINT64_MAX, buffer, 6), 0);
	cr_expect_eq(read__at(fd, INT64_MAX - 5, buffer, 6), 0);
	close(fd);
}

Test(read, an_error_is_told)
{
	char buffer[6];

	cr_expect_eq(read__whole(-1, buffer, 6), -EBADF);
	cr_expect_eq(read__at(-1, 0, buffer, 6), -EBADF);
}

Test(read, within_a_time)
{
	char buffer[6];
	int ends[2];

	cr_assert_eq(pipe2(ends, O_NONBLOCK), 0);
	cr_expect_eq(read__within(ends[0], buffer, 6, 1), -ETIMEDOUT, "nobody writes");
	cr_assert_eq(write(ends[1], "123", 3), 3);
	cr_expect_eq(read__within(ends[0], buffer, 3, 1), 3);
	cr_expect_eq(memcmp(buffer, "123", 3), 0);
	cr_assert_eq(write(ends[1], "4567", 4), 4);
	cr_expect_eq(read__within(ends[0], buffer, 6, 1), -ETIMEDOUT, "it has no end yet");
	cr_assert_eq(write(ends[1], "89", 2), 2);
	close(ends[1]);
	cr_expect_eq(read__within(ends[0], buffer, 6, 1), 2);
	close(ends[0]);
	cr_expect_eq(read__within(-1, buffer, 6, 1), -ETIMEDOUT, "poll(2) waits for no descriptor");
}
