// SPDX-License-Identifier: Apache-2.0
#include "host/task.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "host/cpu_limit.h"
#include "made_tree.h"

static const char *root;

static void make(void)
{
	root = made_tree__new();
}

TestSuite(task, .init = make, .fini = made_tree__remove);

#define STATUS(ids, voluntary, involuntary)                                    \
	"Name:\tserver\nNSpid:\t" ids "\nvoluntary_ctxt_switches:\t" voluntary \
	"\nnonvoluntary_ctxt_switches:\t" involuntary "\n"

static int call_of(const char *syscall, const char *status, struct task_call *ret_call)
{
	made_tree__put("7/task/11/syscall", syscall);
	made_tree__put("7/task/11/status", status);
	return task__call(root, 7, 11, ret_call);
}

Test(task, what_it_is_in)
{
	struct task_call call;

	cr_assert_eq(call_of("0 0x3 0xc000012000 0x10 0x0 0x0 0x5 0x7ffc8c0 0x4054c5\n",
			     STATUS("11", "17", "2"), &call),
		     0);
	cr_expect_eq(call.number, 0);
	cr_expect_eq(call.args[0], 3);
	cr_expect_eq(call.args[1], 0xc000012000);
	cr_expect_eq(call.args[5], 5);
	cr_expect_eq(call.sp, 0x7ffc8c0);
	cr_expect_eq(call.pc, 0x4054c5);
	cr_expect_eq(call.switches, 19);
	cr_assert_eq(call_of("-1 0x7ffc8c0 0x4054c5\n", STATUS("11", "17", "2"), &call), 0);
	cr_expect_eq(call.number, -1);
	cr_expect_eq(call.sp, 0x7ffc8c0);
}

Test(task, what_is_no_call)
{
	struct task_call call = {.number = 4711};

	cr_expect_eq(call_of("running\n", STATUS("11", "1", "2"), &call), -EAGAIN);
	cr_expect_eq(call_of("0 0x3\n", STATUS("11", "1", "2"), &call), -EPROTO);
	cr_expect_eq(call_of("", STATUS("11", "1", "2"), &call), -EPROTO);
	cr_expect_eq(call_of("-1 0x7ffc8c0 0x4054c5\n", "Name:\tserver\n", &call), -EPROTO);
	cr_expect_eq(task__call(root, 7, 13, &call), -EOPNOTSUPP);
	cr_expect_eq(call.number, 4711, "outputs stay untouched on failure");
}

Test(task, one_of_another_namespace)
{
	pid_t tid;

	made_tree__put("7/task/4711/status", STATUS("4711\t11", "1", "2"));
	made_tree__put("7/task/4712/status", STATUS("4712\t13", "1", "2"));
	cr_assert_eq(task__find(root, 7, 13, &tid), 0);
	cr_expect_eq(tid, 4712);
	cr_assert_eq(task__find(root, 7, 11, &tid), 0);
	cr_expect_eq(tid, 4711);
	cr_expect_eq(task__find(root, 7, 4711, &tid), -ESRCH, "it does not call itself so");
	cr_expect_eq(task__find(root, 7, 0, &tid), -ESRCH);
	cr_expect_eq(task__find(root, 7, 1ULL << 40, &tid), -ESRCH);
	cr_expect_eq(tid, 4711, "outputs stay untouched on failure");
}

Test(task, how_long_it_ran)
{
	struct task_times times;

	cr_expect_eq(task__times(root, 7, 11, &times), -EOPNOTSUPP);
	made_tree__put("7/task/11/schedstat", "13 1009 3\n");
	cr_assert_eq(task__times(root, 7, 11, &times), 0);
	cr_expect_eq(times.cpu_ns, 13);
	cr_expect_eq(times.run_delay_ns, 1009);
	cr_expect(!task__seen_to_run(root, 7, 11, &times), "it never moves");
	times.cpu_ns = 11;
	cr_expect(task__seen_to_run(root, 7, 11, &times));
	cr_expect_eq(times.cpu_ns, 13);
	made_tree__put("7/task/11/schedstat", "17\n");
	cr_expect_eq(task__times(root, 7, 11, &times), -EPROTO);
	cr_expect_eq(times.cpu_ns, 13, "outputs stay untouched on failure");
}

Test(task, without_a_processor)
{
	uint64_t ns = 0;

	cr_expect_eq(process__run_delay(root, 7, &ns), -ESRCH);
	made_tree__put("7/task/11/schedstat", "5 1009 3\n");
	made_tree__put("7/task/13/schedstat", "5 17 3\n");
	made_tree__put("7/task/17/schedstat", "x\n");
	cr_assert_eq(process__run_delay(root, 7, &ns), 0);
	cr_expect_eq(ns, 1026);
}

/* --- rest ----------------------------------------------------------------------------------------- */

#define THREAD(state, threads, voluntary, involuntary)                                         \
	"Name:\tserver\nState:\t" state " (x)\nThreads:\t" threads                             \
	"\nvoluntary_ctxt_switches:\t" voluntary "\nnonvoluntary_ctxt_switches:\t" involuntary \
	"\n"

static void two_threads(const char *first, const char *second)
{
	made_tree__put("7/task/11/status", first);
	made_tree__put("7/task/13/status", second);
}

Test(task, a_process_that_rests)
{
	struct process_rest rest;

	two_threads(THREAD("S", "2", "17", "2"), THREAD("D", "2", "5", "0"));
	cr_assert_eq(process__rest(root, 7, &rest), 0);
	cr_expect_eq(rest.n, 2);
	cr_expect_eq(rest.switches[0] + rest.switches[1], 24);
	cr_expect(process__rests_since(root, 7, &rest));
	two_threads(THREAD("S", "2", "18", "2"), THREAD("S", "2", "5", "0"));
	cr_expect(!process__rests_since(root, 7, &rest), "one has run and sleeps again");
	two_threads(THREAD("S", "2", "17", "2"), THREAD("S", "2", "5", "1"));
	cr_expect(!process__rests_since(root, 7, &rest), "one was preempted, and got on");
	two_threads(THREAD("S", "2", "17", "2"), THREAD("R", "2", "5", "0"));
	cr_expect(!process__rests_since(root, 7, &rest), "one runs");
	two_threads(THREAD("S", "3", "17", "2"), THREAD("S", "3", "5", "0"));
	cr_expect(!process__rests_since(root, 7, &rest), "there is another one");
}

Test(task, a_process_that_does_not_rest)
{
	struct process_rest rest;

	cr_expect_eq(process__rest(root, 7, &rest), -ESRCH);
	cr_expect(!process__rests_since(root, 7, &rest), "nothing is known of it");
	two_threads(THREAD("S", "2", "17", "2"), THREAD("R", "2", "5", "0"));
	cr_expect_eq(process__rest(root, 7, &rest), -EAGAIN);
	two_threads(THREAD("S", "2", "17", "2"), THREAD("S", "3", "5", "0"));
	cr_expect_eq(process__rest(root, 7, &rest), -EAGAIN, "one began meanwhile");
	two_threads(THREAD("S", "2", "17", "2"), "Name:\tserver\n");
	cr_expect_eq(process__rest(root, 7, &rest), -EPROTO);
	for (int i = 0; i < PROCESS_REST_THREADS; i++) {
		char path[64];

		snprintf(path, sizeof(path), "7/task/%d/status", 100 + i);
		made_tree__put(path, THREAD("S", "66", "1", "0"));
	}
	cr_expect_eq(process__rest(root, 7, &rest), -E2BIG);
}

/* --- the limit of its groups ----------------------------------------------------------------------- */

static uint64_t throttled(int expected)
{
	uint64_t ns = 0;

	cr_expect_eq(process__throttled(root, root, 7, &ns), expected);
	return ns;
}

Test(task, held_back_by_a_group_above)
{
	made_tree__put("7/cgroup", "0::/a/b/c\n");
	made_tree__put("a/b/c/cpu.stat", "usage_usec 5\nnr_throttled 0\nthrottled_usec 0\n");
	made_tree__put("a/b/cpu.stat", "usage_usec 5\nnr_throttled 3\nthrottled_usec 1009\n");
	made_tree__put("a/cpu.stat", "usage_usec 5\n");
	cr_expect_eq(throttled(0), 1009000);
}

Test(task, held_back_in_cgroup_v1)
{
	made_tree__put("7/cgroup", "4:cpuset:/x\n3:cpuacct,cpu:/a\n");
	made_tree__put("cpu/x/cpu.stat", "throttled_time 5\n");
	made_tree__put("cpu/a/cpu.stat", "nr_periods 3\nnr_throttled 2\nthrottled_time 1013\n");
	cr_expect_eq(throttled(0), 1013);
}

Test(task, not_limited)
{
	throttled(-ESRCH);
	made_tree__put("7/cgroup", "0::/a\n");
	throttled(-EOPNOTSUPP);
	made_tree__put("a/cpu.stat", "usage_usec 5\n");
	throttled(-EOPNOTSUPP);
	made_tree__put("7/cgroup", "0::/../b\n");
	made_tree__put("b/cpu.stat", "throttled_usec 1009\n");
	throttled(-EOPNOTSUPP);
}
