// SPDX-License-Identifier: Apache-2.0
/* A process whose first thread has ended while another one goes on. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/exe_file.h"
#include "host/image_file.h"
#include "host/mapped_file.h"
#include "host/process.h"
#include "host/remote.h"

static const char known[] = "in the memory of both";
static pid_t child;

static void *go_on(void *ctx)
{
	for (;;)
		pause();
	return ctx;
}

static char state_of(pid_t pid)
{
	char path[64], text[512] = "";
	const char *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	cr_assert_not_null(file);
	cr_assert_not_null(fgets(text, sizeof(text), file));
	fclose(file);
	end = strrchr(text, ')');
	cr_assert_not_null(end);
	return end[2];
}

static void wait_for_state(pid_t pid, char state)
{
	const struct timespec moment = {.tv_nsec = 1000000};

	while (state_of(pid) != state)
		nanosleep(&moment, NULL);
}

static void begin(void)
{
	child = fork();
	cr_assert_geq(child, 0);
	if (child) {
		wait_for_state(child, 'Z');
		return;
	}
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pthread_create(&thread, NULL, go_on, NULL))
		_exit(1);
	pthread_exit(NULL);
}

static void end(void)
{
	if (child <= 0)
		return;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

TestSuite(process_task, .init = begin, .fini = end, .timeout = 30);

static bool add_one(void *ctx, const struct mapped_file *file)
{
	struct exe_file identity;
	int *found = ctx;

	*found += !mapped_file__identify(PROC_ROOT, child, file, &identity);
	return true;
}

Test(process_task, is_one_that_goes_on)
{
	pid_t task = process__task(PROC_ROOT, child);

	cr_assert_neq(task, child);
	/* It may be on its way to its pause(); until it is there, the suite's time runs. */
	wait_for_state(task, 'S');
	cr_expect_eq(process__task(PROC_ROOT, getpid()), getpid());
	cr_expect_eq(process__task(PROC_ROOT, -1), -1);
}

Test(process_task, is_that_of_a_process_like_others)
{
	struct process_info info, own;
	struct image_file image, own_image;
	struct exe_file exe;
	struct process_mapping mapping;
	uint64_t n = 0;
	int fd, files = 0;

	cr_assert_eq(process__read(PROC_ROOT, getpid(), &own, NULL), 0);
	cr_assert_eq(image_file__identify(PROC_ROOT, getpid(), &own_image), 0);
	cr_assert_eq(process__read(PROC_ROOT, child, &info, NULL), 0);
	cr_expect_str_eq(info.exe, own.exe);
	cr_expect(process__same(PROC_ROOT, info.id));
	cr_expect_eq(image_file__identify(PROC_ROOT, child, &image), 0);
	cr_expect(image_file__same(&image, &own_image));
	cr_expect_eq(exe_file__identify(PROC_ROOT, child, &exe), 0);
	cr_expect(image_file__same(&exe.file, &own_image));
	cr_expect_geq(process__exe_mappings(PROC_ROOT, child, &mapping, 1), 1);
	cr_expect_eq(mapped_file__each_executable(PROC_ROOT, child, add_one, &files), 0);
	cr_expect_geq(files, 2, "the program and libc");
	cr_expect_eq(process__count_files(PROC_ROOT, child, &n), 0);
	cr_expect_geq(n, 1);
	cr_expect_eq(process__mapped_code(PROC_ROOT, child, &n), 0);
	cr_expect_geq(n, 4);
	fd = process__open_exe(PROC_ROOT, child, NULL);
	cr_expect_geq(fd, 0);
	close(fd);
}

Test(process_task, is_found_when_memory_is_read)
{
	char text[sizeof(known)] = "";
	struct remote *remote;
	struct failure failure = {""};

	cr_assert_eq(remote__open_process(child, &remote, &failure), 0, "%s", failure.text);
	cr_expect_eq(remote__read(remote, (uintptr_t)known, text, sizeof(text)), 0);
	cr_expect_str_eq(text, known);
	cr_expect_eq(remote__memory(remote), REMOTE_MEMORY_SAME);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	child = 0;
	cr_expect_eq(remote__read(remote, (uintptr_t)known, text, sizeof(text)), -ESRCH);
	remote__free(remote);
}

Test(process_task, of_a_process_that_has_ended_is_none)
{
	struct process_info info;
	siginfo_t ended;

	cr_assert_eq(process__read(PROC_ROOT, child, &info, NULL), 0);
	kill(child, SIGKILL);
	cr_assert_eq(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
	cr_expect_eq(process__task(PROC_ROOT, child), child);
	cr_expect_not(process__same(PROC_ROOT, info.id));
	cr_expect_eq(process__read(PROC_ROOT, child, &info, NULL), -ESRCH);
}
