// SPDX-License-Identifier: Apache-2.0
/* The command line of a program that is started, and what is written for CI. */
#include "cli/options.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "options_line.h"

Test(options_run, what_follows_the_program_is_its_own)
{
	struct options options = accept("run --duration 5s -- ./shop --once -v -- x");

	cr_expect_eq(options.command, COMMAND_RUN);
	cr_assert_not_null(options.program);
	cr_expect_str_eq(options.program[0], "./shop");
	cr_expect_str_eq(options.program[1], "--once");
	cr_expect_str_eq(options.program[4], "x");
	cr_expect_null(options.program[5]);
	cr_assert_eq(options.processes.n, 1);
	cr_expect_str_eq(options.processes.items[0], "./shop");
	cr_expect_eq(options.error_exitcode, 10);
	cr_expect_eq(options.interval_ns, 2 * NSEC_PER_SEC);
	/* Also without a sign between them. */
	options = accept("run --error-exitcode 7 ./shop -v --json");
	cr_expect_str_eq(options.program[1], "-v");
	cr_expect_eq(options.verbose, 0);
	cr_expect_eq(options.error_exitcode, 7);
	cr_expect_null(accept("run --duration 5s").program);
}

Test(options_run, formats_of_a_watch)
{
	cr_expect(accept("--pid 3 --format json").json);
	cr_expect_eq(accept("--pid 3 -f junit").format, FORMAT_JUNIT);
	cr_expect_eq(accept("report x.db -f github").format, FORMAT_GITHUB);
	cr_expect_not(accept("report x.db -f json").json);
}
