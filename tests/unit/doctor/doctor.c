// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor/parts.h"
#include "made_tree.h"

#define CAP(name) (1ULL << (name))

static const struct kernel_features newest = {
	.btf = true,
	.ring_buffer = true,
	.attach_cookie = true,
	.uprobe_pmu = true,
	.uprobe_multi = true,
};

static struct doctor_facts root_on_newest(void)
{
	return (struct doctor_facts){
		.features = newest,
		.capabilities = UINT64_MAX,
		.host_users = true,
		.major = 6,
		.minor = 18,
	};
}

static const struct doctor_item *item(const struct doctor_report *report, const char *name)
{
	const struct doctor_item *found = NULL;

	for (size_t i = 0; i < report->n_items; i++) {
		if (strcmp(report->items[i].name, name) != 0)
			continue;
		cr_assert_null(found, "%s twice", name);
		found = &report->items[i];
	}
	cr_assert_not_null(found, "no %s", name);
	return found;
}

/* One item is as wanted, says @word, and advises if and only if there is something to do. */
static void expect(const struct doctor_report *report, const char *name, enum doctor_status status,
		   int err, const char *word)
{
	const struct doctor_item *found = item(report, name);

	cr_expect_eq(found->status, status, "%s: %s", name, found->found);
	cr_expect_eq(found->err, err, "%s: %d", name, found->err);
	cr_expect_not_null(strstr(found->found, word), "%s: %s", name, found->found);
	cr_expect_eq(found->advice[0] != '\0', status != DOCTOR_OK, "%s: %s", name, found->advice);
}

static struct doctor_report kernel_and_permissions(struct doctor_facts facts)
{
	struct doctor_report report = {0};

	doctor_part__kernel(&report, &facts);
	doctor_part__permissions(&report, &facts);
	return report;
}

/* --- kernel and permissions ---------------------------------------------------------------------- */

Test(doctor, root_on_a_new_kernel_has_everything)
{
	const struct doctor_report report = kernel_and_permissions(root_on_newest());

	cr_assert_eq(report.n_items, 10);
	for (size_t i = 0; i < report.n_items; i++)
		expect(&report, report.items[i].name, DOCTOR_OK, 0, "");
	cr_assert_eq(doctor__exit_code(&report), 0);
}

Test(doctor, an_old_kernel_is_code_3)
{
	struct doctor_facts facts = root_on_newest();
	struct doctor_report report;

	facts.features = (struct kernel_features){.btf = true, .ring_buffer = true};
	report = kernel_and_permissions(facts);
	expect(&report, "ring_buffer", DOCTOR_OK, 0, "");
	expect(&report, "attach_cookie", DOCTOR_FAIL, -EOPNOTSUPP, "5.15");
	expect(&report, "uprobes", DOCTOR_FAIL, -EOPNOTSUPP, "none");
	expect(&report, "nop5", DOCTOR_OK, 0, "never probed");
	cr_assert_eq(doctor__exit_code(&report), 3);
}

Test(doctor, without_permission_nothing_is_said_of_the_kernel)
{
	struct doctor_facts facts = root_on_newest();
	struct doctor_report report;

	facts.capabilities = 0;
	facts.features = (struct kernel_features){.btf = true, .uprobe_pmu = true};
	report = kernel_and_permissions(facts);
	expect(&report, "btf", DOCTOR_OK, 0, "");
	expect(&report, "ring_buffer", DOCTOR_WARN, 0, "cannot be found out");
	expect(&report, "attach_cookie", DOCTOR_WARN, 0, "cannot be found out");
	expect(&report, "uprobes", DOCTOR_WARN, 0, "cannot be found out");
	expect(&report, "probes", DOCTOR_FAIL, -EPERM, "CAP_BPF and CAP_PERFMON are");
	expect(&report, "memory_of_others", DOCTOR_FAIL, -EPERM, "CAP_SYS_PTRACE");
	expect(&report, "files_of_others", DOCTOR_WARN, 0, "CAP_DAC_READ_SEARCH");
	expect(&report, "removed_files", DOCTOR_WARN, 0, "CAP_CHECKPOINT_RESTORE");
	cr_assert_eq(doctor__exit_code(&report), 4);
}

Test(doctor, narrow_capabilities_do_where_uprobe_multi_is)
{
	struct doctor_facts facts = root_on_newest();
	struct doctor_report report;

	facts.capabilities = CAP(CAP_BPF) | CAP(CAP_PERFMON) | CAP(CAP_SYS_PTRACE);
	report = kernel_and_permissions(facts);
	expect(&report, "probes", DOCTOR_OK, 0, "CAP_BPF and CAP_PERFMON");
	expect(&report, "memory_of_others", DOCTOR_OK, 0, "CAP_SYS_PTRACE");
	cr_assert_eq(doctor__exit_code(&report), 0);

	facts.features.uprobe_multi = false;
	report = kernel_and_permissions(facts);
	expect(&report, "uprobes", DOCTOR_WARN, 0, "perf events");
	expect(&report, "probes", DOCTOR_FAIL, -EPERM, "CAP_SYS_ADMIN is missing");

	facts.capabilities |= CAP(CAP_SYS_ADMIN);
	report = kernel_and_permissions(facts);
	expect(&report, "probes", DOCTOR_OK, 0, "CAP_SYS_ADMIN");

	facts.capabilities = CAP(CAP_BPF);
	report = kernel_and_permissions(facts);
	expect(&report, "probes", DOCTOR_FAIL, -EPERM, "CAP_PERFMON is missing");
}

Test(doctor, root_of_a_user_namespace_is_no_root)
{
	struct doctor_facts facts = root_on_newest();
	struct doctor_report report;

	facts.host_users = false;
	report = kernel_and_permissions(facts);
	expect(&report, "probes", DOCTOR_FAIL, -EPERM, "user namespace");
	expect(&report, "memory_of_others", DOCTOR_WARN, 0, "user namespace");
	cr_assert_eq(doctor__exit_code(&report), 4);
}

Test(doctor, locked_memory_counts_before_5_11)
{
	struct doctor_facts facts = root_on_newest();
	struct doctor_report report;

	facts.capabilities &= ~CAP(CAP_SYS_RESOURCE);
	facts.memlock = 65536;
	facts.major = 5;
	facts.minor = 11;
	report = kernel_and_permissions(facts);
	expect(&report, "memlock", DOCTOR_OK, 0, "control group");
	facts.minor = 10;
	report = kernel_and_permissions(facts);
	expect(&report, "memlock", DOCTOR_FAIL, -EPERM, "65536");
	facts.memlock = UINT64_MAX;
	report = kernel_and_permissions(facts);
	expect(&report, "memlock", DOCTOR_OK, 0, "enough");
}

/* --- system -------------------------------------------------------------------------------------- */

static struct doctor_report system_as(uint64_t capabilities)
{
	struct doctor_facts facts = root_on_newest();
	struct doctor_report report = {0};

	facts.proc_root = facts.sys_root = made_tree__path("");
	facts.capabilities = capabilities;
	doctor_part__system(&report, &facts);
	return report;
}

static void put_open_host(void)
{
	made_tree__put("self/mountinfo", "22 1 0:21 / /proc rw,relatime - proc proc rw\n");
	made_tree__put_link("self/ns/pid", "pid:[4026531836]");
	made_tree__put("self/cgroup", "0::/system.slice/gleakd.service\n");
	made_tree__put("devices/system/clocksource/clocksource0/current_clocksource",
		       "kvm-clock\n");
}

TestSuite(doctor_system, .init = made_tree__make, .fini = made_tree__remove);

Test(doctor_system, an_open_host)
{
	struct doctor_report report;

	put_open_host();
	made_tree__put("kernel/security/lockdown", "none [integrity] confidentiality\n");
	made_tree__put("sys/kernel/unprivileged_bpf_disabled", "2\n");
	made_tree__put("sys/kernel/perf_event_paranoid", "4\n");
	made_tree__put("sys/kernel/yama/ptrace_scope", "1\n");
	report = system_as(UINT64_MAX);
	for (size_t i = 0; i < report.n_items; i++)
		expect(&report, report.items[i].name, DOCTOR_OK, 0, "");
	expect(&report, "lockdown", DOCTOR_OK, 0, "integrity");
	expect(&report, "pid_namespace", DOCTOR_OK, 0, "host");
	expect(&report, "cgroup", DOCTOR_OK, 0, "version 2");
	expect(&report, "clock", DOCTOR_OK, 0, "kvm-clock");
}

Test(doctor_system, what_is_not_there_does_not_hinder)
{
	struct doctor_report report;

	put_open_host();
	report = system_as(UINT64_MAX);
	expect(&report, "lockdown", DOCTOR_OK, 0, "none");
	expect(&report, "ptrace_scope", DOCTOR_OK, 0, "no Yama");
	expect(&report, "perf_event_paranoid", DOCTOR_OK, 0, "not there");
}

Test(doctor_system, a_closed_host)
{
	struct doctor_report report;

	put_open_host();
	made_tree__put("kernel/security/lockdown", "none integrity [confidentiality]\n");
	made_tree__put("sys/kernel/yama/ptrace_scope", "3\n");
	made_tree__put("devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
	made_tree__put_link("self/ns/pid", "pid:[4026532201]");
	made_tree__put("self/cgroup", "");
	report = system_as(UINT64_MAX);
	expect(&report, "lockdown", DOCTOR_WARN, 0, "confidentiality");
	expect(&report, "ptrace_scope", DOCTOR_FAIL, -EPERM, "nobody");
	expect(&report, "clock", DOCTOR_WARN, 0, "hpet");
	expect(&report, "pid_namespace", DOCTOR_WARN, 0, "container");
	expect(&report, "cgroup", DOCTOR_WARN, 0, "no control groups");
	cr_assert_eq(doctor__exit_code(&report), 4);
}

Test(doctor_system, what_a_capability_overrides)
{
	struct doctor_report report;

	put_open_host();
	made_tree__put("sys/kernel/yama/ptrace_scope", "2\n");
	made_tree__put("self/mountinfo", "22 1 0:21 / /elsewhere rw - proc proc rw\n"
					 "23 1 0:21 / /proc rw - proc proc rw,hidepid=invisible\n");
	report = system_as(CAP(CAP_SYS_PTRACE));
	expect(&report, "ptrace_scope", DOCTOR_OK, 0, "2");
	expect(&report, "proc", DOCTOR_OK, 0, "overrides");
	report = system_as(0);
	expect(&report, "ptrace_scope", DOCTOR_WARN, 0, "same user");
	expect(&report, "proc", DOCTOR_WARN, 0, "do not show");
	made_tree__put("self/mountinfo", "23 1 0:21 / /proc rw - proc proc rw,hidepid=0\n");
	report = system_as(0);
	expect(&report, "proc", DOCTOR_OK, 0, "without hidepid");
	made_tree__put("self/mountinfo", "23 1 0:21 / /elsewhere rw - proc proc rw\n");
	report = system_as(0);
	expect(&report, "proc", DOCTOR_WARN, 0, "no proc");
}

Test(doctor_system, a_proc_of_others)
{
	struct doctor_report report;

	made_tree__put_link("self", "1");
	report = system_as(UINT64_MAX);
	expect(&report, "pid_namespace", DOCTOR_FAIL, -EINVAL, "another pid namespace");
	cr_assert_eq(doctor__exit_code(&report), 1);
}

/* --- processes ----------------------------------------------------------------------------------- */

Test(doctor, processes)
{
	struct listed_process processes[5] = {
		{.pid = 7, .comm = "good", .supported = true},
		{.pid = 11, .comm = "a"},
		{.pid = 13},
		{.pid = 17, .comm = "c"},
		{.pid = 19, .comm = "hidden"},
	};
	struct process_list list = {.processes = processes, .n_processes = 1, .looked_at = 101};
	struct doctor_facts facts = {.capabilities = 0};
	struct doctor_report report = {0};

	doctor_part__processes(&report, &facts, &list);
	expect(&report, "executables", DOCTOR_OK, 0, "101");
	expect(&report, "go_processes", DOCTOR_OK, 0, "1, all");
	cr_expect_eq(report.n_items, 2);

	list.n_processes = 5;
	list.not_readable = 3;
	list.not_opened = 2;
	report.n_items = 0;
	doctor_part__processes(&report, &facts, &list);
	expect(&report, "executables", DOCTOR_WARN, 0, "101 processes 3");
	expect(&report, "fuse", DOCTOR_WARN, 0, "2 processes");
	expect(&report, "go_processes", DOCTOR_WARN, 0,
	       "5, of which 4 cannot be watched: 11 (a), 13 (), 17 (c), and others");

	list.n_processes = 0;
	report.n_items = 0;
	doctor_part__processes(&report, &facts, &list);
	expect(&report, "go_processes", DOCTOR_OK, 0, "none");
}

/* Never one that it has already. */
Test(doctor, advice_about_executables_names_what_is_missing)
{
	static const struct {
		uint64_t capabilities;
		const char *wanted, *unwanted;
	} cases[] = {
		{0, "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"},
		{1ULL << CAP_SYS_PTRACE, "CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE"},
		{1ULL << CAP_SYS_PTRACE | 1ULL << CAP_DAC_READ_SEARCH, "no capability is missing",
		 "CAP_"},
		{1ULL << CAP_SYS_PTRACE | 1ULL << CAP_DAC_OVERRIDE, "no capability is missing",
		 "CAP_"},
	};
	struct process_list list = {.looked_at = 101, .not_readable = 3};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct doctor_facts facts = {.capabilities = cases[i].capabilities};
		struct doctor_report report = {0};

		doctor_part__processes(&report, &facts, &list);
		cr_expect_str_eq(report.items[0].name, "executables");
		cr_expect_not_null(strstr(report.items[0].advice, cases[i].wanted), "%zu: %s", i,
				   report.items[0].advice);
		cr_expect_null(strstr(report.items[0].advice, cases[i].unwanted), "%zu: %s", i,
			       report.items[0].advice);
	}
}

/* --- files --------------------------------------------------------------------------------------- */

static struct doctor_report files(const char *textfile, const char *state)
{
	struct doctor_report report = {0};

	doctor_part__files(&report, made_tree__path(textfile), made_tree__path(state));
	return report;
}

TestSuite(checkup_files, .init = made_tree__make, .fini = made_tree__remove);

Test(checkup_files, writable)
{
	struct doctor_report report;

	cr_assert_eq(chmod(made_tree__path(""), 0755), 0);
	report = files("gleakd.prom", ".");
	expect(&report, "textfile", DOCTOR_OK, 0, made_tree__path(""));
	expect(&report, "state", DOCTOR_OK, 0, made_tree__path(""));
	cr_assert_eq(rmdir(made_tree__path("")), 0, "something was left behind");
}

Test(checkup_files, not_for_others)
{
	struct doctor_report report;

	cr_assert_eq(chmod(made_tree__path(""), 0700), 0);
	report = files("gleakd.prom", "missing");
	expect(&report, "textfile", DOCTOR_WARN, 0, "not read by other users");
	expect(&report, "state", DOCTOR_OK, 0, "not there");
}

Test(checkup_files, not_there_and_not_a_directory)
{
	struct doctor_report report;

	report = files("missing/gleakd.prom", ".");
	expect(&report, "textfile", DOCTOR_FAIL, -ENOENT, "No such file");
	cr_expect_eq(doctor__exit_code(&report), 1);
	made_tree__put("file", "");
	report = files("file/gleakd.prom", "file");
	expect(&report, "textfile", DOCTOR_FAIL, -ENOTDIR, "Not a directory");
	expect(&report, "state", DOCTOR_WARN, 0, "Not a directory");
	made_tree__put("taken.prom/inside", "");
	report = files("taken.prom", ".");
	expect(&report, "textfile", DOCTOR_FAIL, -EEXIST, "not a regular file");
}

/* --- all together -------------------------------------------------------------------------------- */

Test(doctor, permission_comes_first)
{
	struct doctor_report report = {0};

	doctor__problem(&report, "g", "warned", 0, "a", "f");
	cr_expect_eq(doctor__exit_code(&report), 0);
	doctor__problem(&report, "g", "other", -ENOSPC, "a", "f");
	cr_expect_eq(doctor__exit_code(&report), 1);
	doctor__problem(&report, "g", "kernel", -EOPNOTSUPP, "a", "f");
	cr_expect_eq(doctor__exit_code(&report), 3);
	doctor__problem(&report, "g", "permission", -EACCES, "a", "f");
	doctor__problem(&report, "g", "kernel again", -EOPNOTSUPP, "a", "f");
	cr_expect_eq(doctor__exit_code(&report), 4);
}

Test(doctor, more_items_than_there_is_room_for)
{
	struct doctor_report report = {0};

	for (int i = 0; i < DOCTOR_MAX_ITEMS + 7; i++)
		doctor__ok(&report, "g", "n", "%d", i);
	cr_assert_eq(report.n_items, DOCTOR_MAX_ITEMS);
	cr_assert_str_eq(report.items[DOCTOR_MAX_ITEMS - 1].found, "39");
}
