// SPDX-License-Identifier: Apache-2.0
#include "broker/check.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define OWN    (pid_t)4711
#define WORKER (pid_t)4712

static struct broker_request request;

static const struct broker_files files = {
	.in = {"/etc/gleakd/gleakd.conf", "allow", NULL, "/var/lib/gleakd/state"},
	.out = {"/var/lib/gleakd/state", NULL, "/srv/gleakd.prom"},
	.evidence = "/var/lib/gleakd/evidence",
	.evidence_limits = {101, 103 << 20},
};

static void begin(enum broker_op op)
{
	memset(&request, 0, sizeof(request));
	request.op = op;
}

static void add_text(const char *text)
{
	memcpy(request.text + request.text_size, text, strlen(text) + 1);
	request.text_size += (__u32)strlen(text) + 1;
}

static int check(void)
{
	return broker_request__check(&request, BROKER_REQUEST_MIN + request.text_size, &files, OWN,
				     WORKER);
}

static int check_path(enum broker_op op, const char *path)
{
	begin(op);
	add_text(path);
	return check();
}

static int check_pid(enum broker_op op, pid_t pid)
{
	begin(op);
	request.pid = pid;
	return check();
}

Test(broker_check, what_a_process_is_may_be_read)
{
	static const char *const read[] = {"stat", "status", "comm", "cgroup", "timens_offsets"};
	static const char *const opened[] = {"maps",
					     "smaps",
					     "pagemap",
					     "mountinfo",
					     "exe",
					     "net/tcp",
					     "net/unix",
					     "map_files/7f0000400000-7f0000800000",
					     "map_files/1-ffffffffffffffff"};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(read); i++) {
		snprintf(path, sizeof(path), "/proc/1/%s", read[i]);
		cr_expect_eq(check_path(BROKER_READ, path), 0, "%s", path);
		cr_expect_eq(check_path(BROKER_OPEN, path), -EPERM, "%s", path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(opened); i++) {
		snprintf(path, sizeof(path), "/proc/4194304/%s", opened[i]);
		cr_expect_eq(check_path(BROKER_OPEN, path), 0, "%s", path);
		cr_expect_eq(check_path(BROKER_READ, path), -EPERM, "%s", path);
	}
	cr_expect_eq(check_path(BROKER_LIST, "/proc"), 0);
	cr_expect_eq(check_path(BROKER_LIST, "/proc/7/task"), 0);
	cr_expect_eq(check_path(BROKER_LIST, "/proc/7/fd"), 0);
	cr_expect_eq(check_path(BROKER_READ, "/proc/7/task/8/syscall"), 0);
	cr_expect_eq(check_path(BROKER_READ, "/proc/7/task/8/status"), 0);
	cr_expect_eq(check_path(BROKER_READ, "/proc/7/task/8/schedstat"), 0);
	cr_expect_eq(check_path(BROKER_READ, "/proc/7/task/8/environ"), -EPERM);
	cr_expect_eq(check_path(BROKER_READ, "/proc/7/task/0/status"), -EPERM);
	cr_expect_eq(check_path(BROKER_READ, "/proc/7/task/8x/status"), -EPERM);
	cr_expect_eq(check_path(BROKER_LINK, "/proc/7/fd/0"), 0);
	cr_expect_eq(check_path(BROKER_LINK, "/proc/7/exe"), 0);
	cr_expect_eq(check_path(BROKER_STAT, "/proc/7/exe"), 0);
	cr_expect_eq(check_path(BROKER_STAT, "/proc/7/ns/mnt"), 0);
}

Test(broker_check, nothing_else_may)
{
	static const char *const paths[] = {
		"/etc/shadow",
		"proc/7/stat",
		"/proc",
		"/proc/",
		"/proc/7",
		"/proc/7/",
		"/proc/07/stat",
		"/proc/0/stat",
		"/proc/-7/stat",
		"/proc/4294967303/stat",
		"/proc/self/stat",
		"/proc/7/mem",
		"/proc/7/environ",
		"/proc/7/cmdline",
		"/proc/7/clear_refs",
		"/proc/7/oom_score_adj",
		"/proc/7/../7/mem",
		"/proc/7/stat/../mem",
		"/proc/7//stat",
		"/proc/7/fd/0/x",
		"/proc/7/fd/../mem",
		"/proc/7/fd/00",
		"/proc/7/cwd/x",
		"/proc/7/root/etc/shadow",
		"/proc/7/map_files/",
		"/proc/7/map_files/1-2/..",
		"/proc/7/map_files/1",
		"/proc/7/map_files/00000000000000001-2",
		"/proc/7/task/8/mem",
		"/proc/7/task/8/syscall",
		"/proc/7/task/8/status/..",
		"/proc/7/task/08/status",
		"/proc/7/task/0/status",
		"/proc/7/net/../mem",
		"/procfs/7/stat",
		"/proc/kcore",
		"/proc/sys/kernel/core_pattern",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		cr_expect_eq(check_path(BROKER_OPEN, paths[i]), -EPERM, "%s", paths[i]);
		cr_expect_eq(check_path(BROKER_STAT, paths[i]), -EPERM, "%s", paths[i]);
		cr_expect_eq(check_path(BROKER_LINK, paths[i]), -EPERM, "%s", paths[i]);
	}
}

Test(broker_check, nothing_is_opened_for_writing)
{
	static const int flags[] = {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_TMPFILE, O_APPEND};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		begin(BROKER_OPEN);
		add_text("/proc/7/exe");
		request.flags = (__u32)flags[i];
		cr_expect_eq(check(), -EPERM, "%o", flags[i]);
		begin(BROKER_INPUT);
		add_text("allow");
		request.flags = (__u32)flags[i];
		cr_expect_eq(check(), -EPERM, "%o", flags[i]);
	}
}

Test(broker_check, below_a_root_are_two_texts)
{
	begin(BROKER_OPEN_BELOW);
	add_text("/proc/7/root");
	cr_expect_eq(check(), -EPROTO);
	add_text("/usr/lib/libgo.so");
	cr_expect_eq(check(), 0);
	add_text("/usr/lib/libgo.so");
	cr_expect_eq(check(), -EPROTO);
	begin(BROKER_OPEN_BELOW);
	add_text("/");
	add_text("/etc/shadow");
	cr_expect_eq(check(), -EPERM);
}

Test(broker_check, of_gleakd_itself_only_what_it_runs_is_known)
{
	cr_expect_eq(check_path(BROKER_READ, "/proc/4711/status"), 0);
	cr_expect_eq(check_path(BROKER_OPEN, "/proc/4711/exe"), 0);
	cr_expect_eq(check_path(BROKER_OPEN, "/proc/4711/maps"), -EACCES);
	cr_expect_eq(check_path(BROKER_OPEN, "/proc/4712/pagemap"), -EACCES);
	cr_expect_eq(check_path(BROKER_LIST, "/proc/4711/fd"), -EACCES);
	for (enum broker_op op = BROKER_PIDFD; op <= BROKER_MEMORY_OPEN; op++) {
		if (op == BROKER_RELEASE || op == BROKER_COME_FIRST)
			continue;
		cr_expect_eq(check_pid(op, OWN), -EACCES);
		cr_expect_eq(check_pid(op, WORKER), -EACCES);
		cr_expect_eq(check_pid(op, 0), -EACCES);
		cr_expect_eq(check_pid(op, -1), -EACCES);
		cr_expect_eq(check_pid(op, 1), 0);
	}
	begin(BROKER_ATTACH);
	request.size = 1;
	request.site.pid = OWN;
	cr_expect_eq(check(), -EACCES);
	request.site.pid = 7;
	cr_expect_eq(check(), 0);
	request.site.event = PROBE_EVENT_COUNT;
	cr_expect_eq(check(), -EINVAL);
}

Test(broker_check, programs_places_and_slots_are_those_that_there_are)
{
	static const enum broker_op ops[] = {BROKER_LOAD,     BROKER_UNLOAD, BROKER_HIT_COST,
					     BROKER_DESCRIBE, BROKER_COUNTS, BROKER_DRAW,
					     BROKER_ATTACH};

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		begin(ops[i]);
		request.size = 1;
		request.site.pid = 7;
		request.handle = PROGRAMS_ALLOCATIONS;
		cr_expect_eq(check(), 0, "request %u", ops[i]);
		request.handle = PROGRAMS_KINDS;
		cr_expect_eq(check(), -EINVAL, "request %u", ops[i]);
	}
	request.handle = PROGRAMS_GOROUTINES;
	request.size = PROGRAM_PLACES_MAX + 1;
	cr_expect_eq(check(), -EINVAL, "places");
	request.size = 0;
	cr_expect_eq(check(), -EINVAL, "no places");
	begin(BROKER_COUNTS);
	request.slot = GL_MAX_TARGETS;
	cr_expect_eq(check(), -EINVAL, "slot");
}

Test(broker_check, files_are_those_that_the_user_named)
{
	cr_expect_eq(check_path(BROKER_INPUT, "allow"), 0);
	cr_expect_eq(check_path(BROKER_INPUT, "/srv/gleakd.prom"), -EPERM);
	cr_expect_eq(check_path(BROKER_INPUT, "/etc/shadow"), -EPERM);
	begin(BROKER_INPUT);
	request.flags = O_PATH | O_NONBLOCK;
	add_text("allow");
	cr_expect_eq(check(), 0, "only to look at it");
	for (__u32 step = 0; step <= OUTPUT_STEPS; step++) {
		begin(BROKER_OUTPUT);
		request.flags = step;
		add_text("/srv/gleakd.prom");
		cr_expect_eq(check(), step < OUTPUT_STEPS ? 0 : -EPERM);
	}
	cr_expect_eq(check_path(BROKER_OUTPUT, "/srv/gleakd.prom.tmp"), -EPERM);
	cr_expect_eq(check_path(BROKER_OUTPUT, "allow"), -EPERM);
}

Test(broker_check, what_the_service_manager_is_told)
{
	static const char *const fine[] = {"READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=all well",
					   "RELOADING=1\nMONOTONIC_USEC=17"};
	static const char *const bad[] = {
		"MAINPID=1",	       "READY=1\nMAINPID=1",
		"STATUS=x\nMAINPID=1", "RELOADING=1\nMONOTONIC_USEC=17\nMAINPID=1",
		"FDSTORE=1",	       "READY=0"};

	for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
		cr_expect_eq(check_path(BROKER_NOTIFY, fine[i]), 0, "%s", fine[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(check_path(BROKER_NOTIFY, bad[i]), -EPERM, "%s", bad[i]);
}

Test(broker_check, packets_that_are_none)
{
	begin(BROKER_PREPARE);
	cr_expect_eq(check(), 0);
	cr_expect_eq(broker_request__check(&request, 0, &files, OWN, WORKER), -EPROTO);
	cr_expect_eq(broker_request__check(&request, BROKER_REQUEST_MIN - 1, &files, OWN, WORKER),
		     -EPROTO);
	cr_expect_eq(broker_request__check(&request, BROKER_REQUEST_MIN + 1, &files, OWN, WORKER),
		     -EPROTO);
	request.op = BROKER_OPS;
	cr_expect_eq(check(), -EPROTO);
	begin(BROKER_READ);
	cr_expect_eq(check(), -EPROTO, "no text");
	add_text("/proc/7/stat");
	request.text_size--;
	cr_expect_eq(check(), -EPROTO, "no end");
	begin(BROKER_READ);
	add_text("");
	cr_expect_eq(check(), -EPROTO, "an empty one");
}

Test(broker_check, ranges)
{
	const struct iovec fine[] = {{(void *)4096, 1}, {(void *)UINTPTR_MAX, 1}, {NULL, 4094}};
	const struct iovec around[] = {{(void *)UINTPTR_MAX, 2}};
	const struct iovec empty[] = {{(void *)4096, 0}};
	const struct iovec huge[] = {{(void *)4096, 4000}, {(void *)4096, SIZE_MAX}};

	cr_expect_eq(broker_ranges__check(fine, 3, 4096), 0);
	cr_expect_eq(broker_ranges__check(fine, 3, 4095), -EINVAL);
	cr_expect_eq(broker_ranges__check(around, 1, 4096), -EINVAL);
	cr_expect_eq(broker_ranges__check(empty, 1, 4096), -EINVAL);
	cr_expect_eq(broker_ranges__check(huge, 2, 4096), -EINVAL);
	begin(BROKER_MEMORY_READ);
	request.size = ACCESS_RANGES_MAX + 1;
	cr_expect_eq(check(), -EINVAL);
}

static int check_evidence(enum access_evidence_step step, uint32_t handle, uint64_t size, pid_t pid)
{
	begin(BROKER_EVIDENCE);
	request.flags = step;
	request.handle = handle;
	request.size = size;
	request.pid = pid;
	return check();
}

Test(broker_check, evidence_goes_where_the_user_wants_it)
{
	static const char *const folders[] = {"/var/lib/gleakd", "/var/lib/gleakd/evidence/",
					      "/etc"};

	begin(BROKER_EVIDENCE_OPEN);
	add_text("/var/lib/gleakd/evidence");
	request.slot = 101;
	request.size = 103 << 20;
	cr_expect_eq(check(), 0);
	request.slot = 102;
	cr_expect_eq(check(), -EPERM, "more folders");
	request.slot = 101;
	request.size++;
	cr_expect_eq(check(), -EPERM, "more bytes");
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		begin(BROKER_EVIDENCE_OPEN);
		add_text(folders[i]);
		request.slot = 101;
		request.size = 103 << 20;
		cr_expect_eq(check(), -EPERM, "%s", folders[i]);
	}
	begin(BROKER_EVIDENCE_OPEN);
	cr_expect_eq(check(), -EPROTO, "nowhere");
}

Test(broker_check, evidence_is_of_files_with_known_names)
{
	cr_expect_eq(check_evidence(EVIDENCE_BEGIN, 0xdeadbeef, 0, 7), 0);
	cr_expect_eq(check_evidence(EVIDENCE_BEGIN, 0xdeadbeef, 0, 0), -EINVAL);
	cr_expect_eq(check_evidence(EVIDENCE_APPEND, EVIDENCE_HEAP, ACCESS_EVIDENCE_PART, 0), 0);
	cr_expect_eq(check_evidence(EVIDENCE_APPEND, EVIDENCE_FILES, 1, 0), -EINVAL);
	cr_expect_eq(check_evidence(EVIDENCE_APPEND, EVIDENCE_REPORT, ACCESS_EVIDENCE_PART + 1, 0),
		     -EINVAL);
	cr_expect_eq(check_evidence(EVIDENCE_KEEP, 0, 0, 0), 0);
	cr_expect_eq(check_evidence(EVIDENCE_DISCARD, 0, 0, 0), 0);
	cr_expect_eq(check_evidence(EVIDENCE_OPEN, 0, 0, 0), -EINVAL, "without its name");
	cr_expect_eq(check_evidence(EVIDENCE_STEPS, 0, 0, 0), -EINVAL);
}

Test(broker_check, where_copies_go)
{
	const struct iovec ranges[] = {{(void *)4096, 10}, {(void *)8192, 90}};
	const __u64 fine[] = {90, 10}, beyond[] = {91, 0}, behind[] = {0, 101},
		    around[] = {0, UINT64_MAX - 3};

	cr_expect_eq(broker_ranges__check_offsets(ranges, fine, 2, 100), 0);
	cr_expect_eq(broker_ranges__check_offsets(ranges, beyond, 2, 100), -EINVAL);
	cr_expect_eq(broker_ranges__check_offsets(ranges, behind, 2, 100), -EINVAL);
	cr_expect_eq(broker_ranges__check_offsets(ranges, around, 2, 100), -EINVAL);
	cr_expect_eq(broker_ranges__check_offsets(ranges, fine, 2, 0), -EINVAL, "there is none");
}
