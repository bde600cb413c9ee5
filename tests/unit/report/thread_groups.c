// SPDX-License-Identifier: Apache-2.0
#include "report/thread_groups.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct report_scheduling scheduling;

static const struct report_thread_group *only(const char *text)
{
	scheduling = (struct report_scheduling){0};
	thread_groups__add(&scheduling, text, false);
	cr_assert_eq(scheduling.n_groups, 1);
	return &scheduling.groups[0];
}

Test(thread_groups, what_a_call_is_about)
{
	cr_expect_str_eq(only("read(3: /mnt/x/a/b.txt)")->call, "read");
	cr_expect_str_eq(only("read(3: /mnt/x/a/b.txt)")->where, "files below /mnt/x");
	cr_expect_str_eq(only("read(3: /mnt/b.txt)")->where, "files below /mnt");
	cr_expect_str_eq(only("read(3: /b.txt)")->where, "files below /");
	cr_expect_str_eq(only("openat(\"/mnt/x/a\")")->where, "files below /mnt/x");
	cr_expect_str_eq(only("read(31: socket:[4711])")->where, "socket");
	cr_expect_str_eq(only("read(31: anon_inode:inotify)")->where, "anon_inode:inotify");
	cr_expect_str_eq(only("futex()")->where, "");
	cr_expect_str_eq(only("read(3)")->where, "");
	cr_expect_str_eq(only("system call 512")->call, "system call 512");
	cr_expect_str_eq(only("")->call, "");
	cr_expect_str_eq(only("(\"")->where, "");
}

Test(thread_groups, the_most_first_and_no_more_than_there_is_room_for)
{
	char text[64];

	scheduling = (struct report_scheduling){0};
	for (int i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "read(3: /d%d/e/f)", i < 30 ? i : 7);
		thread_groups__add(&scheduling, text, false);
	}
	thread_groups__add(&scheduling, "read(3: /d7/e/f)", true);
	thread_groups__sort(&scheduling);
	cr_expect_eq(scheduling.looked_at, 41);
	cr_assert_eq(scheduling.n_groups, REPORT_MAX_THREAD_GROUPS);
	cr_expect_str_eq(scheduling.groups[0].where, "files below /d7/e");
	cr_expect_eq(scheduling.groups[0].threads, 11);
}
