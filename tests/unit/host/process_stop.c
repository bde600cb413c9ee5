// SPDX-License-Identifier: Apache-2.0
/* Children of the test are stopped: that needs no privilege (a parent may trace its children). */
#include "host/process_stop.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/process.h"

#define THREADS	 31
#define LIMIT_NS (10 * NSEC_PER_SEC)

/* What the child's threads do, for the parent to see. */
struct shared {
	_Atomic uint64_t turns[THREADS + 1];
	_Atomic int signals;
};

static struct shared *shared;

static void count_signal(int number)
{
	(void)number;
	shared->signals++;
}

static void *spin(void *index)
{
	for (;;) {
		shared->turns[(size_t)index]++;
		usleep(100);
	}
	return NULL;
}

static pid_t start(void)
{
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	cr_assert_neq(shared, MAP_FAILED);
	memset(shared, 0, sizeof(*shared));
	pid = fork();
	if (pid == 0) {
		pthread_t thread;

		signal(SIGURG, count_signal);
		for (size_t i = 0; i < THREADS; i++)
			pthread_create(&thread, NULL, spin, (void *)(i + 1));
		spin(NULL);
	}
	cr_assert_gt(pid, 0);
	return pid;
}

static void finish(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	munmap(shared, sizeof(*shared));
}

static void until_all_turn(void)
{
	for (size_t i = 0; i <= THREADS; i++) {
		uint64_t before = shared->turns[i];

		while (shared->turns[i] == before)
			usleep(100);
	}
}

static struct process_stop *hold(pid_t pid)
{
	struct process_stop *stop = NULL;
	struct failure failure = {""};

	cr_assert_eq(process_stop__hold(PROC_ROOT, pid, LIMIT_NS, &stop, &failure), 0, "%s",
		     failure.text);
	return stop;
}

Test(process_stop, every_thread_stands_still_and_goes_on)
{
	pid_t pid = start();
	uint64_t before[THREADS + 1];
	struct process_stop *stop;
	size_t n;

	until_all_turn();
	stop = hold(pid);
	process_stop__threads(stop, &n);
	cr_expect_eq(n, THREADS + 1);
	for (size_t i = 0; i <= THREADS; i++)
		before[i] = shared->turns[i];
	/* Each would have turned a hundred times. */
	usleep(20000);
	for (size_t i = 0; i <= THREADS; i++)
		cr_expect_eq(shared->turns[i], before[i]);
	cr_expect_geq(process_stop__release(stop), 20 * NSEC_PER_MSEC);
	until_all_turn();
	finish(pid);
}

Test(process_stop, registers_are_those_of_the_threads)
{
	pid_t pid = start();
	struct process_stop *stop;
	const struct stopped_thread *threads;
	size_t n, in_stack = 0;

	until_all_turn();
	stop = hold(pid);
	threads = process_stop__threads(stop, &n);
	for (size_t i = 0; i < n; i++) {
#ifdef __x86_64__
		in_stack += threads[i].registers.rsp != 0;
#else
		in_stack += threads[i].registers.sp != 0;
#endif
	}
	cr_expect_eq(in_stack, THREADS + 1);
	process_stop__release(stop);
	finish(pid);
}

Test(process_stop, signals_that_arrive_meanwhile_are_delivered)
{
	pid_t pid = start();

	until_all_turn();
	for (int i = 1; i <= 101; i++) {
		struct process_stop *stop;

		kill(pid, SIGURG);
		stop = hold(pid);
		process_stop__release(stop);
		while (shared->signals < i)
			usleep(100);
	}
	cr_expect_eq(shared->signals, 101);
	finish(pid);
}

Test(process_stop, a_stopped_process_stays_stopped)
{
	pid_t pid = start();
	uint64_t before;
	int status;

	until_all_turn();
	kill(pid, SIGSTOP);
	cr_assert_eq(waitpid(pid, &status, WUNTRACED), pid);
	cr_assert(WIFSTOPPED(status));
	process_stop__release(hold(pid));
	before = shared->turns[7];
	usleep(20000);
	cr_expect_eq(shared->turns[7], before);
	kill(pid, SIGCONT);
	until_all_turn();
	finish(pid);
}

/* The one who holds it is killed in the middle. */
Test(process_stop, goes_on_when_the_holder_dies)
{
	pid_t pid = start(), holder;
	int ready[2];
	char byte;

	until_all_turn();
	cr_assert_eq(pipe(ready), 0);
	holder = fork();
	if (holder == 0) {
		struct process_stop *stop;
		struct failure failure;

		if (!process_stop__hold(PROC_ROOT, pid, LIMIT_NS, &stop, &failure))
			(void)!write(ready[1], "y", 1);
		else
			(void)!write(ready[1], "n", 1);
		for (;;)
			pause();
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	if (byte == 'n') {
		kill(holder, SIGKILL);
		waitpid(holder, NULL, 0);
		finish(pid);
		cr_skip_test("needs CAP_SYS_PTRACE");
	}
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	until_all_turn();
	finish(pid);
}

Test(process_stop, what_is_traced_already_is_told)
{
	pid_t pid = start();
	struct process_stop *stop;
	struct failure failure = {""};
	int err = 0;
	pid_t other;
	int status;

	until_all_turn();
	stop = hold(pid);
	other = fork();
	if (other == 0) {
		err = process_stop__hold(PROC_ROOT, pid, LIMIT_NS, &stop, &failure);
		_exit(err == -EPERM && strstr(failure.text, "traces it") ? 0 : 1);
	}
	cr_assert_eq(waitpid(other, &status, 0), other);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	process_stop__release(stop);
	finish(pid);
}

Test(process_stop, no_such_process)
{
	struct process_stop *stop = NULL;
	struct failure failure = {""};
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	cr_expect_eq(process_stop__hold(PROC_ROOT, pid, LIMIT_NS, &stop, &failure), -ESRCH);
	cr_expect_null(stop);
}
