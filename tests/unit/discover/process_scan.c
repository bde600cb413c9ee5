// SPDX-License-Identifier: Apache-2.0
/*
 * On a tree whose processes run files made here, and on children of this process that run real Go
 * programs where there are some. Here and not among the tests of session/, where another symbolizer
 * stands in for the real one.
 */
#include "discover/process_scan.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/process.h"
#include "made_tree.h"

#define REAL_PROGRAM "build/programs/sleepers-golocal"
#define SLEEPERS     503
#define GOROUTINES   (SLEEPERS + 2) /* main and the one that measures */

static const char *root;

/* A process of the tree; without @exe a kernel thread. */
static void put_process(int pid, const char *comm, const char *exe)
{
	unsigned int flags = exe ? 0x400000 : 0x200000; /* PF_KTHREAD, include/linux/sched.h */
	char text[512], name[32];

	snprintf(text, sizeof(text),
		 "%d (%s) S 1 77 77 0 -1 %u 0 0 0 0 250 150 0 0 20 0 1 0 100 1000000 50 "
		 "18446744073709551615 4194304 4807025 140722436045088 0 0 0 0 0\n",
		 pid, comm, flags);
	snprintf(name, sizeof(name), "%d/stat", pid);
	made_tree__put(name, text);
	snprintf(text, sizeof(text), "Name:\t%s\nUid:\t0\t4242\t0\t0\n", comm);
	snprintf(name, sizeof(name), "%d/status", pid);
	made_tree__put(name, text);
	snprintf(name, sizeof(name), "%d/exe", pid);
	if (exe)
		made_tree__put_link(name, exe);
}

/* A 32-bit Go program, as far as it takes to tell. */
static void put_go_386(const char *name)
{
	static const char names[] = "\0.go.buildinfo";
	static const char info[] = "\xff Go buildinf:\x04\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08"
				   "go1.26.8";
	struct {
		Elf32_Ehdr header;
		Elf32_Shdr sections[3];
		char names[16], info[64];
	} file = {0};

	memcpy(file.header.e_ident, ELFMAG "\1\1", 6);
	file.header.e_shoff = sizeof(file.header);
	file.header.e_shentsize = sizeof(file.sections[0]);
	file.header.e_shnum = 3;
	file.header.e_shstrndx = 1;
	file.sections[1] = (Elf32_Shdr){.sh_type = SHT_STRTAB,
					.sh_offset = (char *)file.names - (char *)&file,
					.sh_size = sizeof(file.names)};
	file.sections[2] = (Elf32_Shdr){.sh_name = 1,
					.sh_type = SHT_PROGBITS,
					.sh_offset = (char *)file.info - (char *)&file,
					.sh_size = sizeof(info)};
	memcpy(file.names, names, sizeof(names));
	memcpy(file.info, info, sizeof(info));
	made_tree__put_bytes(name, &file, sizeof(file));
}

static struct process_scan *take(const char *proc_root)
{
	struct failure failure = {""};
	struct process_scan *scan = NULL;

	cr_assert_eq(process_scan__take(proc_root, &scan, &failure), 0, "%s", failure.text);
	return scan;
}

Test(scan, a_tree_of_everything)
{
	struct process_scan *scan;
	const struct process_list *list;
	const char *program;

	root = made_tree__new();
	program = made_tree__path("program");
	put_go_386("program");
	put_process(2, "kthreadd", NULL);
	put_process(30, "sensor", program);
	put_process(7, "sensor", program);
	put_process(8, "bash", "/proc/self/exe");
	put_process(9, "script", "/dev/null");
	put_process(10, "gone", "/nowhere/at/all");
	scan = take(root);
	list = process_scan__list(scan);
	cr_expect_eq(list->n_processes, 2);
	cr_expect_eq(list->looked_at, 4, "%zu", list->looked_at);
	cr_expect_eq(list->not_readable, 1, "a device is not opened: %zu", list->not_readable);
	for (size_t i = 0; i < list->n_processes; i++) {
		const struct listed_process *process = &list->processes[i];

		cr_expect_eq(process->pid, i == 0 ? 7 : 30);
		cr_expect_eq(process->uid, 4242);
		cr_expect_str_eq(process->comm, "sensor");
		cr_expect_str_eq(process->exe, program);
		cr_expect_str_eq(process->go_version, "go1.26.8");
		cr_expect(!process->supported && !process->counted);
		cr_expect_not_null(strstr(process->reason, "32-bit"), "%s", process->reason);
		cr_expect_eq(process->build.pie, FACT_UNKNOWN);
		cr_expect_gt(process->uptime_seconds, 0);
	}
	process_scan__free(scan);
	made_tree__remove();
}

Test(scan, no_proc)
{
	struct process_scan *scan = NULL;
	struct failure failure = {""};

	cr_expect_eq(process_scan__take("/nowhere", &scan, &failure), -ENOENT);
	cr_expect_null(scan);
	cr_expect_not_null(strstr(failure.text, "/nowhere"));
	process_scan__free(NULL);
}

static const struct listed_process *find(const struct process_list *list, pid_t pid)
{
	for (size_t i = 0; i < list->n_processes; i++) {
		if (list->processes[i].pid == pid)
			return &list->processes[i];
	}
	return NULL;
}

Test(scan, this_host)
{
	struct process_scan *scan = take(PROC_ROOT);
	const struct process_list *list = process_scan__list(scan);

	cr_expect_gt(list->looked_at, 0);
	cr_expect_leq(list->n_processes + list->not_readable + list->not_opened, list->looked_at);
	cr_expect_null(find(list, getpid()), "a C program, with the magic of Go in its data");
	for (size_t i = 1; i < list->n_processes; i++) {
		const struct listed_process *a = &list->processes[i - 1], *b = &list->processes[i];

		cr_expect(a->counted >= b->counted);
		cr_expect(!b->counted || a->goroutines >= b->goroutines);
	}
	process_scan__free(scan);
}

/* The program says that it is ready, then waits for its standard input. */
static pid_t start_program(int *ret_stdin)
{
	int in[2], out[2];
	char byte, number[16];
	pid_t pid;

	cr_assert_eq(pipe2(in, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(number, sizeof(number), "%d", SLEEPERS);
		execl(REAL_PROGRAM, REAL_PROGRAM, number, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	cr_assert_eq(read(out[0], &byte, 1), 1, "%s did not start", REAL_PROGRAM);
	close(out[0]);
	*ret_stdin = in[1];
	return pid;
}

Test(scan, a_go_program, .timeout = 30)
{
	const struct listed_process *process;
	struct process_scan *scan;
	int input;
	pid_t pid;

	if (access(REAL_PROGRAM, X_OK))
		cr_skip_test("needs " REAL_PROGRAM " (make test)");
	pid = start_program(&input);
	scan = take(PROC_ROOT);
	process = find(process_scan__list(scan), pid);
	cr_assert_not_null(process);
	cr_expect_str_eq(process->comm, "sleepers-goloca");
	cr_expect_eq(strncmp(process->go_version, "go1.", 4), 0, "%s", process->go_version);
	cr_expect_eq(process->uid, geteuid());
	cr_expect_eq(process->build.pie, FACT_NO);
	cr_expect_eq(process->build.race, FACT_NO);
	cr_expect(process->supported == process->counted);
	/* Where the kernel keeps even a child's memory to itself, that is the reason. */
	if (process->counted)
		cr_expect_eq(process->goroutines, GOROUTINES, "%d", (int)process->goroutines);
	else
		cr_expect_not_null(strstr(process->reason, "CAP_SYS_PTRACE"), "%s",
				   process->reason);
	process_scan__free(scan);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(input);
}
