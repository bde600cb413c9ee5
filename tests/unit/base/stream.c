// SPDX-License-Identifier: Apache-2.0
#include "base/stream.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

Test(stream, writes_at_once)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	cr_assert_not_null(out);
	cr_expect_eq(stream__write(out, "abc\0d", 5), 0);
	cr_expect_eq(size, 5);
	cr_expect_arr_eq(text, "abc\0d", 5);
	fclose(out);
	free(text);
}

Test(stream, tells_that_nobody_reads)
{
	int fds[2];
	FILE *out;

	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(pipe(fds), 0);
	close(fds[0]);
	out = fdopen(fds[1], "w");
	cr_assert_not_null(out);
	cr_expect_eq(stream__write(out, "x", 1), -EPIPE);
	fclose(out);
}

Test(stream, tells_of_a_full_disk_even_when_asked_late)
{
	FILE *out = fopen("/dev/full", "w");

	cr_assert_not_null(out);
	fputs("text", out);
	cr_expect_eq(stream__flush(out), -ENOSPC);
	/* The error stays with the stream; its reason is gone. */
	cr_expect_eq(stream__flush(out), -EIO);
	fclose(out);
}
