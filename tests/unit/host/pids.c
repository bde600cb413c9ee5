// SPDX-License-Identifier: Apache-2.0
#include "host/pids.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = {"10",      "9",	  "1",	      "4194304", /* PID_MAX_LIMIT */
				    "4194305", "9999999", "99999999", "007",	 "0",
				    "self",    "12a",	  "-5",	      "sys"};

Test(process_list, pids_of_a_tree_in_order)
{
	char root[] = "/tmp/gleakd-pids-XXXXXX", path[64];
	const pid_t expected[] = {1, 9, 10, 4194304};
	pid_t *pids = NULL;
	size_t n = 0;

	cr_assert_not_null(mkdtemp(root));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", root, names[i]);
		cr_assert_eq(mkdir(path, 0755), 0);
	}
	cr_expect_eq(pids__read(root, &pids, &n), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", root, names[i]);
		rmdir(path);
	}
	rmdir(root);
	cr_assert_eq(n, ARRAY_SIZE(expected));
	cr_expect_arr_eq(pids, expected, sizeof(expected));
	free(pids);
}

Test(process_list, an_empty_tree_and_none)
{
	char root[] = "/tmp/gleakd-pids-XXXXXX";
	pid_t *pids = NULL;
	size_t n = 7;

	cr_assert_not_null(mkdtemp(root));
	cr_expect_eq(pids__read(root, &pids, &n), 0);
	cr_expect_eq(n, 0);
	free(pids);
	rmdir(root);
	n = 7;
	cr_expect_eq(pids__read(root, &pids, &n), -ENOENT);
	cr_expect_eq(n, 7, "outputs stay untouched on failure");
}

Test(process_list, this_process_is_among_those_of_the_host)
{
	bool found = false;
	pid_t *pids;
	size_t n;

	cr_assert_eq(pids__read(PROC_ROOT, &pids, &n), 0);
	for (size_t i = 0; i < n; i++) {
		cr_assert(i == 0 || pids[i] > pids[i - 1]);
		found |= pids[i] == getpid();
	}
	cr_expect(found);
	free(pids);
}

Test(process_list, uptime)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
	struct process_id id = {.start_time = 90 * hz + hz / 2};

	cr_expect_eq(process_id__uptime_ns(id, 100 * NSEC_PER_SEC), 9500 * NSEC_PER_MSEC);
	cr_expect_eq(process_id__uptime_ns(id, 90 * NSEC_PER_SEC), 0, "it starts later");
	id.start_time = UINT64_MAX;
	cr_expect_eq(process_id__uptime_ns(id, UINT64_MAX), 0);
}

Test(process_list, this_process_started_lately)
{
	struct process_info info;
	uint64_t uptime;

	cr_assert_eq(process__read(PROC_ROOT, getpid(), &info, NULL), 0);
	uptime = process_id__uptime_ns(info.id, process_id__boottime_ns());
	cr_expect_lt(uptime, 3600 * NSEC_PER_SEC);
}
