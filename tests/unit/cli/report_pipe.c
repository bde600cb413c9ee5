// SPDX-License-Identifier: Apache-2.0
/* Standard output is a pipe here, of which the test has both ends. */
#include "cli/report_pipe.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGE ((size_t)3 << 20)

static int ends[2];

static void set_up(void)
{
	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	cr_assert_geq(dup2(ends[1], STDOUT_FILENO), 0);
	close(ends[1]);
	signal(SIGPIPE, SIG_IGN);
}

TestSuite(report_pipe, .init = set_up, .timeout = 60);

/* @n times @letter, and a newline. */
static int send(char letter, size_t n, enum report_pipe_next next)
{
	FILE *out = report_pipe__out();
	char *text = malloc(n + 1);

	cr_assert_neq(out, stdout);
	cr_assert_not_null(text);
	memset(text, letter, n);
	text[n] = '\n';
	cr_assert_eq(fwrite(text, 1, n + 1, out), n + 1);
	free(text);
	return report_pipe__send(next);
}

static void expect_report(FILE *in, char letter, size_t n)
{
	char *line = NULL;
	size_t size = 0;

	cr_assert_eq(getline(&line, &size, in), (ssize_t)n + 1, "%c", letter);
	cr_expect_eq(strspn(line, (const char[]){letter, '\0'}), n, "%c", letter);
	free(line);
}

Test(report_pipe, what_is_sent_is_there_at_once)
{
	char text[8] = "";

	cr_assert_eq(send('a', 3, REPORT_PIPE_MORE), 0);
	cr_expect_eq(read(ends[0], text, sizeof(text)), 4);
	cr_expect_str_eq(text, "aaa\n");
	cr_assert_eq(send('b', 2, REPORT_PIPE_END), 0);
	cr_expect_eq(read(ends[0], text, sizeof(text)), 3);
	cr_expect_eq(report_pipe__left_out(), 0);
}

Test(report_pipe, whole_reports_are_left_out_when_nobody_reads)
{
	FILE *in = fdopen(ends[0], "r");
	char letter = 'a';

	for (; !report_pipe__left_out(); letter++)
		cr_assert_eq(send(letter, LARGE, REPORT_PIPE_MORE), 0);
	cr_expect_eq(letter, 'a' + 3, "8 MiB wait for a reader, and the third would be more");
	for (char read = 'a'; read < letter - 1; read++)
		expect_report(in, read, LARGE);
	cr_assert_eq(send('z', 1, REPORT_PIPE_MORE), 0);
	expect_report(in, 'z', 1);
	cr_expect_eq(report_pipe__left_out(), 1);
}

Test(report_pipe, the_last_one_does_not_keep_others_waiting)
{
	cr_assert_eq(send('a', LARGE, REPORT_PIPE_MORE), 0);
	cr_expect_eq(send('b', 1, REPORT_PIPE_END_SOON), 0, "it comes back");
	cr_expect_eq(report_pipe__left_out(), 1);
}

Test(report_pipe, who_is_told_twice_to_end_ends)
{
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	cr_assert_eq(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
	cr_assert_eq(send('a', LARGE, REPORT_PIPE_MORE), 0);
	raise(SIGINT);
	cr_expect_eq(send('b', 1, REPORT_PIPE_END), 0, "it comes back");
}

Test(report_pipe, a_reader_that_has_gone_is_told)
{
	close(ends[0]);
	cr_expect_eq(send('a', 3, REPORT_PIPE_END), -EPIPE);
	cr_expect_eq(send('b', 3, REPORT_PIPE_END), -EPIPE);
}
