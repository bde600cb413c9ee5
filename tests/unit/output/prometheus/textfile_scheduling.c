// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "rendered.h"
#include "sample.h"
#include "sample_scheduling.h"

static struct sample sample;
static struct report_scheduling scheduling;
static struct report_target targets[2];

static void setup(void)
{
	sample__leaks(&sample);
	scheduling = sample_scheduling(sample.sites);
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		targets[i] = (struct report_target){.pid = 17 + (pid_t)i,
						    .group = "shop",
						    .exe = "/bin/x",
						    .threads = 7,
						    .scheduling = &scheduling};
}

static void expect(const char *line, bool there)
{
	const struct textfile_options options = {
		.version = "1", .revision = "2", .libbpf = "3", .arch = "x86_64"};
	const struct report report = {.targets = targets, .n_targets = ARRAY_SIZE(targets)};
	char *text = rendered(&report, &options);

	cr_expect_eq(strstr(text, line) != NULL, there, "%s in:\n%s", line, text);
	free(text);
}

TestSuite(textfile_scheduling, .init = setup);

Test(textfile_scheduling, of_a_group_it_is_the_sum)
{
	expect("\ngleakd_sched_latency_over_10ms_total{groupname=\"shop\"} 2018\n", true);
	expect("\ngleakd_late_goroutines{groupname=\"shop\"} 26\n", true);
	expect("\ngleakd_processor_hogs{groupname=\"shop\"} 4\n", true);
	expect("\ngleakd_stuck_syscalls{groupname=\"shop\"} 10\n", true);
	expect("\ngleakd_threads{groupname=\"shop\"} 14\n", true);
	expect("\ngleakd_threads_in_calls{groupname=\"shop\"} 776\n", true);
	expect("\ngleakd_locked_goroutines{groupname=\"shop\"} 6\n", true);
}

Test(textfile_scheduling, a_process_with_two_runtimes_has_its_threads_once)
{
	targets[1].another = true;
	expect("\ngleakd_threads{groupname=\"shop\"} 7\n", true);
	expect("\ngleakd_late_goroutines{groupname=\"shop\"} 26\n", true);
}

Test(textfile_scheduling, what_is_not_known_of_all_is_not_known)
{
	targets[1].scheduling = NULL;
	targets[0].threads = 0;
	expect("gleakd_sched_latency_over_10ms_total{", false);
	expect("gleakd_late_goroutines{", false);
	expect("gleakd_threads{", false);
}
