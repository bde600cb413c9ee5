// SPDX-License-Identifier: Apache-2.0
/* Where processes run, and what gleakd itself holds open. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "occurrences.h"
#include "rendered.h"

#define CONTAINER "8c7a3f1de0b94a52c6d8e97f01a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4"
#define POD	  "0f3b7c7e-5d3a-4d0e-9a55-2f6f1d9a2b11"

static const struct textfile_options options = {.version = "1.2.3"};

/* Each container of an image, and each pod, is one of its own; outside both are empty. */
Test(textfile_places, containers_and_pods)
{
	const struct report_target targets[] = {
		{.pid = 100, .exe = "/bin/x", .container_id = CONTAINER},
		{.pid = 101, .exe = "/bin/x", .pod_uid = POD},
		{.pid = 102, .exe = "/bin/x", .pod_uid = POD},
		{.pid = 103, .exe = "/bin/x"},
	};
	const struct report report = {.targets = targets, .n_targets = ARRAY_SIZE(targets)};
	char *text = rendered(&report, &options);

	cr_expect_eq(occurrences(text, "\ngleakd_target_info{"), 3, "%s", text);
	cr_expect_eq(occurrences(text, ",container_id=\"" CONTAINER "\",pod_uid=\"\"} 1\n"), 1);
	cr_expect_eq(occurrences(text, ",container_id=\"\",pod_uid=\"" POD "\"} 1\n"), 1);
	cr_expect_eq(occurrences(text, ",container_id=\"\",pod_uid=\"\"} 1\n"), 1);
	free(text);
}

#define INFO_OF(library_)                                                                     \
	"\ngleakd_target_info{groupname=\"python3\",exe=\"/bin/python3\",library=\"" library_ \
	"\",go_version=\"\",module=\"\",module_version=\"\",vcs_revision=\"\",unit=\"\",container_id=\"\",pod_uid=\"\"} 1\n"

/* Two libraries with Go in them: one process, whose goroutines are those of both. */
Test(textfile_places, runtimes_of_one_process)
{
	const struct report_target targets[] = {
		{.pid = 42,
		 .exe = "/bin/python3",
		 .group = "python3",
		 .library = "libone.so",
		 .runtime = 0x7f0000001000,
		 .totals = {.alive = 40, .created = 100}},
		{.pid = 42,
		 .exe = "/bin/python3",
		 .group = "python3",
		 .library = "libother.so",
		 .runtime = 0x7f0000002000,
		 .another = true,
		 .totals = {.alive = 2, .created = 11}},
	};
	const struct report report = {.targets = targets, .n_targets = ARRAY_SIZE(targets)};
	char *text = rendered(&report, &options);

	cr_expect_eq(occurrences(text, "\ngleakd_target_processes{groupname=\"python3\"} 1\n"), 1);
	cr_expect_eq(occurrences(text, "\ngleakd_goroutines{groupname=\"python3\"} 42\n"), 1);
	cr_expect_eq(
		occurrences(text, "\ngleakd_goroutines_created_total{groupname=\"python3\"} 111\n"),
		1);
	cr_expect_eq(occurrences(text, INFO_OF("libone.so")), 1, "%s", text);
	cr_expect_eq(occurrences(text, INFO_OF("libother.so")), 1);
	free(text);
}

Test(textfile_places, no_limit_of_descriptors)
{
	const struct report report = {.self = {.open_fds = 7}};
	char *text = rendered(&report, &options);

	cr_expect_eq(occurrences(text, "\ngleakd_process_open_fds 7\n"), 1);
	cr_expect_eq(occurrences(text, "gleakd_process_max_fds"), 0);
	free(text);
}
