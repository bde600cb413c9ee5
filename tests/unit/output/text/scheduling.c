// SPDX-License-Identifier: Apache-2.0
#include "output/text/scheduling.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "sample_scheduling.h"

static struct sample sample;
static struct report_scheduling scheduling;

static void setup(void)
{
	sample__leaks(&sample);
	scheduling = sample_scheduling(sample.sites);
	sample.target.scheduling = &scheduling;
}

static char *shown(bool all)
{
	struct screen_options options = {.columns = 100, .whole = true};
	struct screen screen;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	cr_assert_not_null(out);
	screen__init(&screen, &options);
	text_part__scheduling(&screen, &sample.target, all);
	cr_assert_eq(screen__flush(&screen, out), 0);
	fclose(out);
	return text;
}

static void expect(bool all, const char *text, bool there)
{
	char *whole = shown(all);

	cr_expect_eq(strstr(whole, text) != NULL, there, "\"%s\" in:\n%s", text, whole);
	free(whole);
}

TestSuite(text_scheduling, .init = setup);

Test(text_scheduling, one_line_where_something_is_wrong)
{
	char *text;

	scheduling.view.rise.over_ns = 0;
	text = shown(false);

	cr_expect_eq(strchr(text, '\n') + 1 - text, (ptrdiff_t)strlen(text), "%s", text);
	free(text);
	expect(false, "58 waits of more than 10 ms for a processor in 5s", true);
	expect(false, "13 wait now, the longest for 230ms", true);
	expect(false, "its other goroutines keep its processors", true);
	expect(false, "goroutine 7 keeps a processor for 3s and does not yield", true);
	expect(false, "/run/fifo", false);
}

Test(text_scheduling, all_of_them)
{
	expect(true, "goroutine 18 waits for a processor for 230ms, ", true);
	expect(true, "goroutine 19 waits for a processor for at least 5s, and has never run", true);
	expect(true,
	       "goroutine 23 has its turn, but its thread waits for a processor for at least 130ms",
	       true);
	expect(true, "goroutine 8 was found running each time for 15s", true);
	expect(true, "goroutine 21 read(3: /run/fifo) for at least 2m", true);
	expect(true, "goroutine 22 in C, openat(\"/mnt/", true);
	expect(true, "\x1b", false);
}

Test(text_scheduling, whom_they_wait_for)
{
	scheduling.view.cpu.run_delay_ns = NSEC_PER_SEC;
	expect(false, "its threads have no processor either", true);
	scheduling.view.cpu.throttled_ns = NSEC_PER_SEC;
	expect(false, "its control group has used up what it may use", true);
	scheduling.view.cpu.throttled_ns = 0;
	scheduling.view.cpu.stolen_ns = 2 * NSEC_PER_SEC - 1;
	expect(false, "its threads have no processor either", true);
	scheduling.view.cpu.stolen_ns = 2 * NSEC_PER_SEC; /* a twentieth of 8 processors, for 5 s */
	expect(false, "given to other machines (steal)", true);
	scheduling.view.cpu = (struct scheduling_cpu){0};
	expect(false, "processors\n", false);
	expect(false, "control group", false);
}

/* A tenth of a second is no twentieth of five, but of that goroutine it is known. */
Test(text_scheduling, whom_a_thread_waits_for)
{
	scheduling.view.late[0] = scheduling.view.late[2];
	scheduling.view.cpu = (struct scheduling_cpu){.throttled_known = true};
	expect(false, "its threads have no processor either", true);
	scheduling.view.cpu.throttled_ns = 65 * NSEC_PER_MSEC;
	expect(false, "its control group has used up what it may use", true);
}

Test(text_scheduling, threads)
{
	expect(false,
	       "rose from 12 to 400 in 2m; 388 in system calls or in C, 3 locked to goroutines",
	       true);
	expect(false, "of 256 looked at 250 in read on files below /mnt/", true);
	expect(false, "6 in futex, called by C\n", true);
	expect(false, "\x1b", false);
	scheduling.view.rise.over_ns = 0;
	sample.target.threads = 401;
	expect(false, "threads ", false);
	expect(true, "401; 388 in system calls or in C, 3 locked to goroutines", true);
	expect(true, "looked at", false);
}

Test(text_scheduling, waits)
{
	struct site_view *view = &sample.sites[0].view;

	view->wait_class = WAIT_LOCK;
	view->waited_ns = 61 * NSEC_PER_SEC;
	view->parks = 0;
	expect(true, "about 1m1s in sum, ", true);
	expect(false, "in sum", false);
	view->parks = 1013;
	sample.target.waits_traced_ns = 8 * NSEC_PER_SEC;
	expect(true, "1m1s in sum of 1,013, ", true);
	expect(true, "about", false);
	expect(true, "(each wait traced, for 8s)", true);
}

Test(text_scheduling, nothing_is_wrong)
{
	scheduling.view =
		(struct scheduling_view){.latencies_known = true,
					 .over_10ms = 1009,
					 .over_10ms_new = 4,
					 .since_ns = 5 * NSEC_PER_SEC,
					 .late = {{18, 99 * NSEC_PER_MSEC, true, false, false}},
					 .n_late = 1,
					 .n_stuck = 2};
	cr_expect_str_empty(shown(false));
	expect(true, "goroutine 18 waits", true);
	scheduling.view.late[0].waiting_ns = 100 * NSEC_PER_MSEC;
	expect(false, "goroutine 18", false);
	expect(false, "1 wait now, the longest for 100ms", true);
	scheduling.view.n_late = 0;
	scheduling.view.over_10ms_new = 0;
	scheduling.view.more_stuck = 6;
	expect(false, "8 threads stay in a system call", true);
	sample.target.scheduling = NULL;
	cr_expect_str_empty(shown(true));
}
