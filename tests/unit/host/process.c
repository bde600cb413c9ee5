// SPDX-License-Identifier: Apache-2.0
/* On recorded trees (tests/golden/proc/README.md), on trees made here, and on this process. */
#include "host/process.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "made_tree.h"

#define GOLDEN(tree) "tests/golden/proc/" tree

/* --- made trees --------------------------------------------------------------------------------- */

#define PID 77

static const char *root;

static void put_stat(const char *comm, char state, unsigned long flags, unsigned long start_time,
		     unsigned long start_code)
{
	char line[1024];

	snprintf(line, sizeof(line),
		 "%d (%s) %c 1 77 77 34816 -1 %lu 0 0 0 0 250 150 0 0 20 0 1 0 %lu 1000000 50 "
		 "18446744073709551615 %lu 4807025 140722436045088 0 0 0 0 0 0 0 0 0 17 0 0 0\n",
		 PID, comm, state, flags, start_time, start_code);
	made_tree__put("77/stat", line);
}

static void put_link(const char *target)
{
	made_tree__put_link("77/exe", target);
}

/* A running process 77, "server", whose image is the file `server` of the tree. */
static void make_tree(void)
{
	root = made_tree__new();
	put_stat("server", 'S', 4194304, 5000, 0x400000);
	made_tree__put("77/status",
		       "Name:\tserver\nUmask:\t0022\nUid:\t1\t1000\t3\t4\nGid:\t5\t6\t7\t8\n");
	made_tree__put("server", "image");
	put_link(made_tree__path("server"));
}

static struct process_info read_tree(void)
{
	struct process_info info;
	struct failure failure = {""};

	cr_assert_eq(process__read(root, PID, &info, &failure), 0, "%s", failure.text);
	return info;
}

static int read_error(void)
{
	struct process_info info = {.id.pid = -5};
	struct failure failure = {""};
	int err = process__read(root, PID, &info, &failure);

	cr_assert_lt(err, 0);
	cr_assert_eq(info.id.pid, -5, "outputs stay untouched on failure");
	cr_assert(strstr(failure.text, "77"), "the failure names the process: %s", failure.text);
	return err;
}

TestSuite(process_tree, .init = make_tree, .fini = made_tree__remove);

Test(process_tree, ordinary)
{
	struct process_info info = read_tree();

	cr_assert_eq(info.id.pid, PID);
	cr_assert_eq(info.id.start_time, 5000);
	cr_assert_eq(info.uid, 1000, "the effective one");
	cr_assert_str_eq(info.comm, "server");
	cr_assert_str_eq(info.exe, made_tree__path("server"));
	cr_assert_not(info.kernel_thread);
}

Test(process_tree, no_such_process)
{
	struct process_info info;

	cr_assert_eq(process__read(root, 78, &info, NULL), -ESRCH);
	cr_assert_eq(process__read(made_tree__path("nowhere"), PID, &info, NULL), -ESRCH);
	cr_assert_not(process__same(root, (struct process_id){78, 5000}));
}

Test(process_tree, zombie_and_dead)
{
	struct process_id id = {PID, 5000};

	cr_assert(process__same(root, id));
	for (const char *state = "ZXx"; *state; state++) {
		put_stat("server", *state, 4194304, 5000, 0);
		cr_assert_eq(read_error(), -ESRCH);
		cr_assert_not(process__same(root, id));
	}
	put_stat("server", 'D', 4194304, 5000, 0);
	cr_assert(process__same(root, id));
}

Test(process_tree, reused_pid_is_another_process)
{
	struct process_id id = read_tree().id;

	cr_assert(process__same(root, id));
	put_stat("server", 'S', 4194304, 5001, 0);
	cr_assert_not(process__same(root, id));
}

Test(process_tree, exe_that_is_missing)
{
	unlink(made_tree__path("77/exe"));
	/* A user process without an image is on its way out. */
	cr_assert_eq(read_error(), -ESRCH);
	cr_assert_eq(process__open_exe(root, PID, NULL), -ESRCH);
	put_stat("kworker/u8:2+ext4-rsv-conversion", 'I', 0x00200000 | 64, 5000, 0);
	cr_assert(read_tree().kernel_thread);
	cr_assert_str_eq(read_tree().comm, "kworker/u8:2+ext4-rsv-conversion");
	cr_assert_str_eq(read_tree().exe, "");
	cr_assert_eq(process__open_exe(root, PID, NULL), -ENOEXEC);
}

Test(process_tree, deleted_exe)
{
	put_link("/gone/server (deleted)");
	cr_assert_str_eq(read_tree().exe, "/gone/server");
}

Test(process_tree, file_really_called_deleted)
{
	made_tree__put("server (deleted)", "image");
	put_link(made_tree__path("server (deleted)"));
	cr_assert_eq(symlink("/", made_tree__path("77/root")), 0);
	cr_assert_str_eq(read_tree().exe, made_tree__path("server (deleted)"));
}

/* No path of its choice is followed: whether the file has a name left is all that is asked. */
Test(process_tree, file_that_has_no_name_left)
{
	made_tree__put("server (deleted)", "image");
	put_link(made_tree__path("server (deleted)"));
	cr_assert_eq(unlink(made_tree__path("server (deleted)")), 0);
	made_tree__put("server", "another");
	cr_assert_str_eq(read_tree().exe, made_tree__path("server"));
}

Test(process_tree, only_the_suffix_means_deleted)
{
	put_link("/x (deleted)/server");
	cr_assert_str_eq(read_tree().exe, "/x (deleted)/server");
	put_link(" (deleted)");
	cr_assert_str_eq(read_tree().exe, " (deleted)", "nothing would be left of the name");
}

Test(process_tree, hostile_stat)
{
	static const char *const bad[] = {
		"",
		"77",
		"77 (server",
		"77 server) S 1",
		")77 (",
		"77 (server)",
		"77 (server) ",
		"77 (server) S",
		"77 (server) S ",
		"77 (server) SS 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24",
		"77 (server) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19",
		"77 (server) S 1 2 3 4 x 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		made_tree__put("77/stat", bad[i]);
		cr_assert_eq(read_error(), -EPROTO, "%zu", i);
		cr_assert_not(process__same(root, (struct process_id){PID, 5000}));
	}
}

Test(process_tree, oversized_stat)
{
	static char line[100000];

	memset(line, ')', sizeof(line));
	memcpy(line, "77 (", 4);
	made_tree__put_bytes("77/stat", line, sizeof(line));
	cr_assert_eq(read_error(), -EPROTO);
	memset(line, 0, sizeof(line));
	made_tree__put_bytes("77/stat", line, sizeof(line));
	cr_assert_eq(read_error(), -EPROTO);
}

Test(process_tree, long_comm_is_cut)
{
	char comm[500];

	memset(comm, 'c', sizeof(comm));
	comm[sizeof(comm) - 1] = '\0';
	put_stat(comm, 'S', 0, 5000, 0);
	cr_assert_eq(strlen(read_tree().comm), sizeof(((struct process_info *)0)->comm) - 1);
	cr_assert_eq(read_tree().id.start_time, 5000);
}

Test(process_tree, status_without_uid)
{
	made_tree__put("77/status", "Name:\tUid:\t0\t0\n");
	cr_assert_eq(read_error(), -EPROTO);
	made_tree__put("77/status", "Name:\tx\nUid:\t0\n");
	cr_assert_eq(read_error(), -EPROTO);
	unlink(made_tree__path("77/status"));
	cr_assert_eq(read_error(), -ESRCH);
}

/* --- open_exe ----------------------------------------------------------------------------------- */

static int open_error(void)
{
	struct failure failure = {""};
	int err = process__open_exe(root, PID, &failure);

	cr_assert_lt(err, 0);
	cr_assert(strstr(failure.text, "77"), "%s", failure.text);
	return err;
}

Test(process_tree, code_of_libraries)
{
	uint64_t kib = 0;

	cr_expect_eq(process__mapped_code(root, PID, &kib), -ESRCH, "no memory");
	made_tree__put("77/status",
		       "Name:\tx\nVmExe:\t    2 kB\nVmLib:\t    1956 kB\nVmPTE:\t 5 kB\n");
	cr_expect(!process__mapped_code(root, PID, &kib) && kib == 1956);
	made_tree__put("77/status", "Name:\tx\nVmLib:\tmuch\n");
	cr_expect_eq(process__mapped_code(root, PID, &kib), -EPROTO);
}

Test(process_tree, open_exe_reads_the_image)
{
	char got[8] = "";
	int fd = process__open_exe(root, PID, NULL);

	cr_assert_geq(fd, 0);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_assert_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	cr_assert_eq(read(fd, got, 7), 5);
	cr_assert_str_eq(got, "image");
	close(fd);
}

/* An open(2) of a FIFO would wait for a writer for ever: the time limit is the test. */
Test(process_tree, open_exe_of_what_is_not_a_file, .timeout = 5)
{
	cr_assert_eq(mkfifo(made_tree__path("fifo"), 0666), 0);
	put_link(made_tree__path("fifo"));
	cr_assert_eq(open_error(), -ENOEXEC);
	put_link("/dev/null");
	cr_assert_eq(open_error(), -ENOEXEC);
	put_link(root);
	cr_assert_eq(open_error(), -ENOEXEC);
	put_link("/gone/away");
	cr_assert_eq(open_error(), -ESRCH);
}

/* --- mappings ----------------------------------------------------------------------------------- */

static int mappings_of(const char *maps, struct process_mapping *mappings, size_t max)
{
	made_tree__put("77/maps", maps);
	return process__exe_mappings(root, PID, mappings, max);
}

Test(process_tree, mappings_by_path_without_start_code)
{
	struct process_mapping mappings[4];

	put_stat("server", 'S', 0, 5000, 0);
	put_link("/srv/server");
	cr_assert_eq(mappings_of("1000-2000 r--p 00000000 fe:00 11 /srv/server2\n"
				 "2000-3000 r--p 00000000 fe:00 12       /srv/server\n"
				 "3000-4000 r-xp 00001000 fe:00 12       /srv/server\n"
				 "4000-5000 rw-p 00000000 00:00 0 \n"
				 "5000-6000 rw-p 00002000 fe:00 12       /srv/server\n"
				 "6000-7000 rw-p 00002000 fe:01 12       /srv/server\n"
				 "7000-8000 rw-p 00002000 fe:00 13       /srv/server\n",
				 mappings, 4),
		     3, "one file: device and inode decide, not the name alone");
	cr_assert(mappings[0].start == 0x2000 && mappings[0].end == 0x3000);
	cr_assert(mappings[1].executable && !mappings[1].writable);
	cr_assert(mappings[2].writable && !mappings[2].executable);
	cr_assert_eq(mappings[2].file_offset, 0x2000);
}

/* Two files of one name (bind mounts): the inode of stat(2), then the first instruction decides. */
Test(process_tree, mappings_of_the_right_namesake)
{
	struct process_mapping mapping;
	struct stat image;
	char maps[4 * PATH_MAX];
	const char *exe = made_tree__path("server");

	cr_assert_eq(stat(exe, &image), 0);
	snprintf(maps, sizeof(maps),
		 "1000-2000 r-xp 00000000 fe:00 1 %s\n"
		 "2000-3000 r-xp 00000000 fe:00 %lu %s\n"
		 "3000-4000 r-xp 00000000 fe:00 2 %s\n"
		 "4000-5000 r-xp 00000000 fe:00 3 /elsewhere\n",
		 exe, (unsigned long)image.st_ino, exe, exe);
	put_stat("server", 'S', 0, 5000, 1);
	cr_assert_eq(mappings_of(maps, &mapping, 1), 1);
	cr_assert_eq(mapping.start, 0x2000);
	put_stat("server", 'S', 0, 5000, 0x3fff);
	cr_assert_eq(mappings_of(maps, &mapping, 1), 1);
	cr_assert_eq(mapping.start, 0x3000);
	/* Under another name the address is the weakest sign, */
	put_stat("server", 'S', 0, 5000, 0x4000);
	cr_assert_eq(mappings_of(maps, &mapping, 1), 1);
	cr_assert_eq(mapping.start, 0x2000);
	/* but better than none. */
	put_link("/renamed");
	cr_assert_eq(mappings_of(maps, &mapping, 1), 1);
	cr_assert_eq(mapping.start, 0x4000);
}

Test(process_tree, no_mapping_fits)
{
	struct process_mapping mapping;

	cr_assert_eq(mappings_of("400000-402000 r-xp 00000000 00:00 0 \n", &mapping, 1), 0,
		     "anonymous memory is nobody's file");
	cr_assert_eq(mappings_of("", &mapping, 1), -ESRCH, "the address space is gone");
	unlink(made_tree__path("77/maps"));
	cr_assert_eq(process__exe_mappings(root, PID, &mapping, 1), -ESRCH);
}

Test(process_tree, hostile_maps)
{
	static const char *const bad[] = {
		"\n",
		"x\n",
		"400000\n",
		"400000-\n",
		"400000-500000\n",
		"400000-500000 r\n",
		"400000-500000 r-xp\n",
		"400000-500000 r-xp 0\n",
		"400000-500000 r-xp 0 fe\n",
		"400000-500000 r-xp 0 fe:\n",
		"400000-500000 r-xp 0 fe:00\n",
		"500000-400000 r-xp 0 fe:00 1 /x\n",
		"400000-400000 r-xp 0 fe:00 1 /x\n",
	};
	struct process_mapping mapping;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_eq(mappings_of(bad[i], &mapping, 1), -EPROTO, "%zu", i);
}

/* A line longer than any path, with something behind it that looks like a line of its own. */
Test(process_tree, overlong_maps_line)
{
	struct process_mapping mapping;
	char *maps = malloc(60000);
	int n;

	cr_assert_not_null(maps);
	put_link("/srv/server");
	n = snprintf(maps, 60000, "1000-2000 r-xp 00000000 fe:00 1 ");
	memset(maps + n, 'p', 50000);
	snprintf(maps + n + 50000, 1000, "\n400000-401000 r-xp 00000000 fe:00 7 /srv/server");
	cr_assert_eq(mappings_of(maps, &mapping, 1), 1);
	cr_assert_eq(mapping.start, 0x400000);
	free(maps);
}

#define HUGE_LINES 70000

/* The image lies behind 70,000 other mappings. */
Test(process_tree, huge_maps)
{
	struct process_mapping mappings[8];
	FILE *file = fopen(made_tree__path("77/maps"), "w");
	unsigned long at = 0x10000;

	cr_assert_not_null(file);
	for (int i = 0; i < HUGE_LINES; i++, at += 0x2000)
		fprintf(file, "%08lx-%08lx rw-s %08x 00:01 %d      /memfd:x (deleted)\n", at,
			at + 0x1000, i * 4096, i + 1);
	for (int i = 0; i < 20; i++, at += 0x1000)
		fprintf(file, "%08lx-%08lx r--p %08x fe:00 %d      /srv/server\n", at, at + 0x1000,
			i * 4096, 99);
	fclose(file);
	put_link("/srv/server");
	cr_assert_eq(process__exe_mappings(root, PID, mappings, 8), 8);
	cr_assert_eq(mappings[0].start, 0x10000 + 0x2000UL * HUGE_LINES);
	cr_assert_eq(mappings[7].file_offset, 7 * 4096);
	cr_assert_eq(process__exe_mappings(root, PID, mappings, 0), 0);
}

/* --- recorded trees ----------------------------------------------------------------------------- */

static struct process_info read_golden(const char *tree, pid_t pid)
{
	struct process_info info;
	struct failure failure = {""};

	cr_assert_eq(process__read(tree, pid, &info, &failure), 0, "%s", failure.text);
	return info;
}

Test(process_golden, comm_with_parentheses_and_newline)
{
	struct process_info info = read_golden(GOLDEN("odd-comm"), 3077);

	cr_assert_str_eq(info.comm, ") R 1 (?x");
	cr_assert_eq(info.id.start_time, 261095);
	cr_assert_str_eq(info.exe, "/srv/app/server");
}

Test(process_golden, zombie)
{
	struct process_info info;

	cr_assert_eq(process__read(GOLDEN("zombie"), 3213, &info, NULL), -ESRCH);
	cr_assert_not(process__same(GOLDEN("zombie"), (struct process_id){3213, 261235}));
}

Test(process_golden, kernel_thread)
{
	struct process_info info = read_golden(GOLDEN("kernel-thread"), 2);
	struct failure failure;

	cr_assert(info.kernel_thread);
	cr_assert_str_eq(info.comm, "kthreadd");
	cr_assert_eq(process__open_exe(GOLDEN("kernel-thread"), 2, &failure), -ENOEXEC);
	cr_assert(strstr(failure.text, "kernel thread"), "%s", failure.text);
}

Test(process_golden, deleted_and_replaced)
{
	struct process_info info = read_golden(GOLDEN("deleted"), 3136);

	cr_assert_str_eq(info.exe, "/srv/app/running");
	info = read_golden(GOLDEN("replaced"), 3183);
	cr_assert_str_eq(info.exe, "/srv/app/swap");
}

static void check_mappings(const char *tree, pid_t pid, int n, uint64_t first, uint64_t last_end)
{
	struct process_mapping mappings[16];

	cr_assert_eq(process__exe_mappings(tree, pid, mappings, 16), n, "%s", tree);
	cr_assert_eq(mappings[0].start, first, "%s", tree);
	cr_assert_eq(mappings[0].file_offset, 0, "%s", tree);
	cr_assert(mappings[0].executable && !mappings[0].writable, "%s", tree);
	cr_assert_eq(mappings[n - 1].end, last_end, "%s", tree);
}

Test(process_golden, mappings)
{
	check_mappings(GOLDEN("odd-comm"), 3077, 3, 0x400000, 0x56d000);
	check_mappings(GOLDEN("newline"), 3080, 3, 0x400000, 0x56d000);
	check_mappings(GOLDEN("deleted"), 3136, 3, 0x400000, 0x56d000);
	check_mappings(GOLDEN("replaced"), 3183, 3, 0x400000, 0x56d000);
	check_mappings(GOLDEN("overlay"), 3590, 3, 0x400000, 0x56d000);
	check_mappings(GOLDEN("pie"), 3078, 4, 0x5573b59a7000, 0x5573b5b3a000);
	/* Its own second look at the file counts: it is the same file. */
	check_mappings(GOLDEN("self-map"), 3079, 5, 0x559c291d4000, 0x7fe7e9450000);
}

Test(process_golden, mappings_of_none)
{
	struct process_mapping mapping;

	cr_assert_eq(process__exe_mappings(GOLDEN("zombie"), 3213, &mapping, 1), -ESRCH);
	cr_assert_eq(process__exe_mappings(GOLDEN("kernel-thread"), 2, &mapping, 1), -ESRCH);
}

/* --- this process ------------------------------------------------------------------------------- */

Test(process_self, agrees_with_the_kernel)
{
	struct process_info info = read_golden(PROC_ROOT, getpid());
	struct process_mapping mappings[16];
	uint64_t before = 0, ns = 0;
	bool covered = false;
	int n;

	cr_assert_eq(info.uid, geteuid());
	cr_assert(process__same(PROC_ROOT, info.id));
	n = process__exe_mappings(PROC_ROOT, getpid(), mappings, 16);
	cr_assert_gt(n, 0);
	for (int i = 0; i < n; i++)
		covered |= mappings[i].executable &&
			   (uintptr_t)process__read >= mappings[i].start &&
			   (uintptr_t)process__read < mappings[i].end;
	cr_assert(covered, "this code lies in one of them");
	cr_assert_eq(process__cpu_ns(getpid(), &before), 0);
	do {
		cr_assert_eq(process__cpu_ns(getpid(), &ns), 0);
	} while (ns == before);
	cr_assert_gt(ns, before);
}

Test(process_self, cpu_time_of_another)
{
	uint64_t before = 0, ns = 7;
	pid_t child = fork();

	if (!child) {
		for (;;)
			getppid();
	}
	cr_assert_eq(process__cpu_ns(child, &before), 0);
	do {
		cr_assert_eq(process__cpu_ns(child, &ns), 0);
	} while (ns == before);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	ns = 7;
	cr_assert_eq(process__cpu_ns(child, &ns), -ESRCH);
	cr_assert_eq(ns, 7);
}

Test(process_self, pidfd_is_readable_at_the_end)
{
	struct pollfd poll_fd = {.events = POLLIN};
	pid_t child = fork();

	if (!child) {
		for (;;)
			pause();
	}
	poll_fd.fd = process__pidfd(child);
	if (poll_fd.fd == -ENOSYS) {
		kill(child, SIGKILL);
		cr_skip_test("needs pidfd_open (Linux 5.3)");
	}
	cr_assert_geq(poll_fd.fd, 0);
	cr_assert_eq(poll(&poll_fd, 1, 0), 0);
	kill(child, SIGKILL);
	cr_assert_eq(poll(&poll_fd, 1, 10000), 1);
	close(poll_fd.fd);
	waitpid(child, NULL, 0);
	cr_assert_eq(process__pidfd(child), -ESRCH);
}
