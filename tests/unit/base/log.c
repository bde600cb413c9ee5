// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "occurrences.h"

/* Each test is a process of its own; its stderr goes to a file from here on. */
static int capture;

static void capture_stderr(void)
{
	char path[] = "/tmp/gleakd-log-XXXXXX";

	capture = mkstemp(path);
	cr_assert_geq(capture, 0);
	unlink(path);
	cr_assert_eq(dup2(capture, STDERR_FILENO), STDERR_FILENO);
}

static const char *captured(void)
{
	static char text[8192];
	ssize_t size = pread(capture, text, sizeof(text) - 1, 0);

	cr_assert_geq(size, 0);
	text[size] = '\0';
	return text;
}

Test(log, levels)
{
	unsetenv("JOURNAL_STREAM");
	capture_stderr();
	log_debug("not %s", "told");
	errno = ENOTTY;
	log_error("no %d", 1);
	log_warn("hm");
	log_info("well");
	cr_expect_eq(errno, ENOTTY);
	cr_expect_str_eq(captured(), "gleakd: no 1\ngleakd: warning: hm\ngleakd: well\n");
	log__set_level(LOG_LEVEL_DEBUG);
	log_debug("details");
	cr_expect_not_null(strstr(captured(), "gleakd: debug: details\n"));
}

Test(log, a_message_is_one_line)
{
	unsetenv("JOURNAL_STREAM");
	capture_stderr();
	log_warn("process %s", "x\n<0>all is lost\x1b[2J");
	cr_expect_str_eq(captured(), "gleakd: warning: process x <0>all is lost [2J\n");
}

/* --- journal ------------------------------------------------------------------------------------ */

static void set_stream(int fd, int off_by)
{
	char text[64];
	struct stat st;

	cr_assert_eq(fstat(fd, &st), 0);
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino + (unsigned long long)off_by);
	setenv("JOURNAL_STREAM", text, 1);
}

Test(log, the_journal_gets_priorities)
{
	capture_stderr();
	set_stream(capture, 0);
	log__set_level(LOG_LEVEL_DEBUG);
	log_error("a");
	log_warn("b");
	log_info("c");
	log_debug("d");
	cr_expect_str_eq(captured(), "<3>a\n<4>b\n<6>c\n<7>d\n");
}

Test(log, a_stderr_elsewhere_gets_names)
{
	capture_stderr();
	set_stream(capture, 1);
	log_warn("b");
	cr_expect_str_eq(captured(), "gleakd: warning: b\n");
}

Test(log, what_is_no_journal_stream)
{
	const char *const bad[] = {"", ":", "1", "1:", ":1", "x:y", "1:2:3", "1:2 ", "-"};
	char text[64];
	struct stat st;

	capture_stderr();
	cr_assert_eq(fstat(capture, &st), 0);
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	cr_expect(log__is_journal(text, capture));
	cr_expect_not(log__is_journal(text, -1));
	cr_expect_not(log__is_journal(NULL, capture));
	snprintf(text, sizeof(text), "%llu:%llu0", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	cr_expect_not(log__is_journal(text, capture));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_not(log__is_journal(bad[i], capture), "'%s'", bad[i]);
}

/* --- limit -------------------------------------------------------------------------------------- */

static size_t take_all(struct log_site *site, uint64_t now_ns)
{
	size_t n = 0;

	while (n < 1000 && log_site__take(site, now_ns))
		n++;
	return n;
}

Test(log, a_place_has_a_burst_and_then_one_at_a_time)
{
	struct log_site site = {0};
	uint64_t now = 5 * NSEC_PER_SEC;

	cr_expect_eq(take_all(&site, now), LOG_BURST);
	cr_expect_eq(site.suppressed, 1);
	cr_expect_not(log_site__take(&site, now + LOG_REFILL_NS - 1));
	cr_expect_eq(site.suppressed, 2);
	cr_expect_eq(take_all(&site, now + LOG_REFILL_NS), 1);
	/* What was earned in part is not lost. */
	cr_expect_eq(take_all(&site, now + 3 * LOG_REFILL_NS - 1), 1);
	cr_expect_eq(take_all(&site, now + 3 * LOG_REFILL_NS), 1);
}

Test(log, a_quiet_place_earns_no_more_than_a_burst)
{
	struct log_site site = {0};

	cr_expect_eq(take_all(&site, 0), LOG_BURST);
	cr_expect_eq(take_all(&site, 1000 * LOG_REFILL_NS), LOG_BURST);
	cr_expect_eq(take_all(&site, UINT64_MAX), LOG_BURST);
}

Test(log, time_that_goes_back_earns_nothing)
{
	struct log_site site = {0};

	cr_expect_eq(take_all(&site, 9 * LOG_REFILL_NS), LOG_BURST);
	cr_expect_eq(take_all(&site, 1), 0);
	cr_expect_eq(take_all(&site, 9 * LOG_REFILL_NS), 0);
}

static void warn_often(int times)
{
	for (int i = 0; i < times; i++)
		log_warn("disk full %d", i);
}

Test(log, what_was_left_out_is_told)
{
	unsetenv("JOURNAL_STREAM");
	capture_stderr();
	log__limit(true);
	warn_often(LOG_BURST + 7);
	log_warn("another place");
	cr_expect_eq(occurrences(captured(), "disk full"), LOG_BURST);
	cr_expect_eq(occurrences(captured(), "another place"), 1);
	log__tell_suppressed(NSEC_PER_SEC);
	cr_expect_not_null(strstr(captured(), "gleakd: warning: 7 messages were not written, the "
					      "last one: disk full 16\n"));
	log__tell_suppressed(NSEC_PER_SEC + LOG_REFILL_NS);
	cr_expect_eq(occurrences(captured(), "not written"), 1);
	/* The list survives being told. */
	warn_often(2);
	log__tell_suppressed(NSEC_PER_SEC + LOG_REFILL_NS);
	cr_expect_not_null(strstr(captured(), "2 messages were not written"));
}

Test(log, what_was_left_out_is_told_as_seldom_as_the_rest)
{
	unsetenv("JOURNAL_STREAM");
	capture_stderr();
	log__limit(true);
	warn_often(LOG_BURST);
	for (uint64_t second = 1; second <= 61; second++) {
		warn_often(1);
		log__tell_suppressed(second * NSEC_PER_SEC);
	}
	cr_expect_eq(occurrences(captured(), "not written"), 3, "at 1, 31 and 61 seconds");
	warn_often(5);
	log__tell_suppressed(UINT64_MAX);
	cr_expect_not_null(strstr(captured(), "5 messages were not written"));
}

Test(log, what_was_left_out_keeps_its_priority)
{
	capture_stderr();
	set_stream(capture, 0);
	log__limit(true);
	for (int i = 0; i <= LOG_BURST; i++)
		log_info("process %d", i);
	log__tell_suppressed(NSEC_PER_SEC);
	cr_expect_not_null(strstr(captured(), "<6>1 messages were not written"));
	cr_expect_null(strstr(captured(), "<4>"));
}

Test(log, the_next_message_tells_what_was_left_out)
{
	struct log_site site = {.suppressed = 3};

	unsetenv("JOURNAL_STREAM");
	capture_stderr();
	log__write(&site, LOG_LEVEL_WARN, "disk full");
	cr_expect_str_eq(captured(), "gleakd: warning: disk full (3 more like this were not "
				     "written)\n");
	cr_expect_eq(site.suppressed, 0);
}

Test(log, nothing_is_left_out_unless_wanted)
{
	capture_stderr();
	warn_often(3 * LOG_BURST);
	cr_expect_eq(occurrences(captured(), "disk full"), 3 * LOG_BURST);
}

Test(log, debug_messages_are_not_counted)
{
	capture_stderr();
	log__set_level(LOG_LEVEL_DEBUG);
	log__limit(true);
	for (int i = 0; i < 3 * LOG_BURST; i++)
		log_debug("detail");
	cr_expect_eq(occurrences(captured(), "detail"), 3 * LOG_BURST);
}

static char taken[256];

static void take(void *ctx, const char *line)
{
	cr_expect_eq(ctx, taken);
	snprintf(taken, sizeof(taken), "%s", line);
}

Test(log, goes_elsewhere_while_somebody_draws_on_the_terminal)
{
	unsetenv("JOURNAL_STREAM");
	capture_stderr();
	log__divert(take, taken);
	log_warn("disk %s", "full");
	cr_expect_str_eq(taken, "gleakd: warning: disk full");
	cr_expect_str_empty(captured());
	log__divert(NULL, NULL);
	log_info("and on");
	cr_expect_str_eq(captured(), "gleakd: and on\n");
	cr_expect_str_eq(taken, "gleakd: warning: disk full");
}
