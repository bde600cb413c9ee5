// SPDX-License-Identifier: Apache-2.0
#include "host/process_stop.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "host/pids.h"
#include "host/priority.h"

/*
 * Pause between two looks at threads that have not stopped yet: a running thread takes some 10 us.
 */
#define POLL_NS (20 * NSEC_PER_USEC)

/* To stop a thread, ask for its registers and let it go: 20 to 70 us each were measured. */
#define THREAD_NS (40 * NSEC_PER_USEC)

/* How long the release waits for a thread that sits in the kernel. */
#define LATE_NS NSEC_PER_SEC

enum thread_state {
	THREAD_ASKED, /* to stop */
	THREAD_STOPPED,
	THREAD_GONE,
};

struct held_thread {
	pid_t tid;
	enum thread_state state;
	int signal;
};

struct process_stop {
	const char *proc_root;
	pid_t pid;
	struct held_thread *held;
	size_t n_held, capacity;
	struct stopped_thread *threads;
	size_t n_threads;
	uint64_t begin_ns, limit_ns;
	/*
	 * Ours before. Whoever stands still waits for us: nobody else on this processor is to come before.
	 */
	struct priority priority, lent;
};

static void come_as_before(struct process_stop *stop)
{
	priority__as_before(&stop->lent);
	priority__as_before(&stop->priority);
}

void process_stop__lend_priority(struct process_stop *stop, pid_t to)
{
	if (stop->priority.first)
		priority__first(&stop->lent, to);
}

static long ask(int request, pid_t tid, void *address, uintptr_t data)
{
	long result = ptrace(request, tid, address, (void *)data);

	return result < 0 ? -errno : result;
}

/* First character after the name, which may hold any other: the state (proc_pid_stat(5)). */
static char thread_state(const struct process_stop *stop, pid_t tid)
{
	char path[PATH_MAX], line[512];
	const char *end;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%d/task/%d/stat", stop->proc_root, stop->pid, tid);
	file = fopen(path, "re");
	if (!file)
		return 'X';
	line[fread(line, 1, sizeof(line) - 1, file)] = '\0';
	fclose(file);
	end = strrchr(line, ')');
	return end && end[1] == ' ' ? end[2] : 'X';
}

/* A main thread that called pthread_exit stays as a zombie, which cannot be held. */
static bool has_ended(const struct process_stop *stop, pid_t tid)
{
	char state = thread_state(stop, tid);

	return state == 'Z' || state == 'X';
}

static bool is_held(const struct process_stop *stop, pid_t tid)
{
	for (size_t i = 0; i < stop->n_held; i++) {
		if (stop->held[i].tid == tid)
			return stop->held[i].state != THREAD_GONE;
	}
	return false;
}

/* 1: it is held from now on; 0: it has ended; else -errno. */
static int seize(struct process_stop *stop, pid_t tid)
{
	long err;

	if (stop->n_held >= PROCESS_STOP_MAX_THREADS)
		return -E2BIG;
	if (!array__reserve(stop->held, stop->capacity, stop->n_held + 1))
		return -ENOMEM;
	err = ask(PTRACE_SEIZE, tid, NULL, 0);
	if (err == -ESRCH || (err == -EPERM && has_ended(stop, tid)))
		return 0;
	if (err)
		return (int)err;
	if (!stop->begin_ns)
		stop->begin_ns = clock__monotonic_ns();
	stop->held[stop->n_held++] = (struct held_thread){.tid = tid};
	/* Fails only for a thread that has ended, as waiting for it will show. */
	(void)ask(PTRACE_INTERRUPT, tid, NULL, 0);
	return 1;
}

/*
 * Seizes the threads that are not held yet and returns how many there were. Threads that stand
 * still create none.
 */
static int seize_new(struct process_stop *stop)
{
	char tasks[PATH_MAX];
	pid_t *tids;
	size_t n;
	int found = 0, err;

	snprintf(tasks, sizeof(tasks), "%s/%d/task", stop->proc_root, stop->pid);
	err = pids__read(tasks, &tids, &n);
	if (err)
		return err == -ENOENT ? -ESRCH : err;
	for (size_t i = 0; i < n && err >= 0; i++) {
		if (is_held(stop, tids[i]))
			continue;
		err = seize(stop, tids[i]);
		found += err > 0;
	}
	free(tids);
	return err < 0 ? err : found;
}

/* Either PTRACE_INTERRUPT stopped it, or a signal that arrived just before. */
static void note_stop(struct held_thread *thread, int status)
{
	if (!WIFSTOPPED(status)) {
		thread->state = THREAD_GONE;
		return;
	}
	thread->state = THREAD_STOPPED;
	thread->signal = status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status);
}

static size_t look(struct process_stop *stop)
{
	size_t asked = 0;

	for (size_t i = 0; i < stop->n_held; i++) {
		struct held_thread *thread = &stop->held[i];
		int status;
		pid_t got;

		if (thread->state != THREAD_ASKED)
			continue;
		got = waitpid(thread->tid, &status, __WALL | WNOHANG);
		if (got == thread->tid)
			note_stop(thread, status);
		else if (got < 0 && errno != EINTR)
			thread->state = THREAD_GONE;
		asked += thread->state == THREAD_ASKED;
	}
	return asked;
}

static int wait_for_all(struct process_stop *stop)
{
	const struct timespec pause = {.tv_nsec = POLL_NS};

	while (look(stop)) {
		if (process_stop__elapsed_ns(stop) > stop->limit_ns)
			return -ETIME;
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int hold_all(struct process_stop *stop)
{
	int found;

	do {
		int err;

		found = seize_new(stop);
		if (found < 0)
			return found;
		err = wait_for_all(stop);
		if (err)
			return err;
	} while (found);
	return 0;
}

static int read_registers(struct process_stop *stop)
{
	stop->threads = calloc(stop->n_held + 1, sizeof(*stop->threads));
	if (!stop->threads)
		return -ENOMEM;
	for (size_t i = 0; i < stop->n_held; i++) {
		const struct held_thread *held = &stop->held[i];
		struct stopped_thread *thread = &stop->threads[stop->n_threads];
		struct iovec to = {&thread->registers, sizeof(thread->registers)};
		long err;

		if (held->state != THREAD_STOPPED)
			continue;
		err = ask(PTRACE_GETREGSET, held->tid, (void *)(uintptr_t)NT_PRSTATUS,
			  (uintptr_t)&to);
		if (err == -ESRCH) /* killed while it stood still */
			continue;
		if (err)
			return (int)err;
		thread->tid = held->tid;
		thread->signal = held->signal;
		stop->n_threads++;
	}
	return stop->n_threads ? 0 : -ESRCH;
}

/* The process that traces it already; 0: none. */
static pid_t tracer_of(const char *proc_root, pid_t pid)
{
	char path[PATH_MAX], line[256];
	int tracer = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%d/status", proc_root, pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file) && sscanf(line, "TracerPid: %d", &tracer) != 1)
		;
	fclose(file);
	return tracer;
}

uint64_t process_stop__expected_ns(const char *proc_root, pid_t pid)
{
	char tasks[PATH_MAX];
	pid_t *tids;
	size_t n;

	snprintf(tasks, sizeof(tasks), "%s/%d/task", proc_root, pid);
	if (pids__read(tasks, &tids, &n))
		return 0;
	free(tids);
	return n * THREAD_NS;
}

static int explain(int err, const struct process_stop *stop, struct failure *failure)
{
	pid_t tracer = err == -EPERM ? tracer_of(stop->proc_root, stop->pid) : 0;

	switch (err) {
	case -ESRCH:
		return failure__set(failure, err, "process %d has ended", stop->pid);
	case -EPERM:
		if (tracer)
			return failure__set(failure, err,
					    "process %d cannot be stopped: process %d traces it (a "
					    "debugger, strace); end that first",
					    stop->pid, tracer);
		return failure__set(
			failure, err,
			"stopping process %d is not permitted: it needs CAP_SYS_PTRACE, or "
			"to be your own process with kernel.yama.ptrace_scope 0; run "
			"gleakd with sudo",
			stop->pid);
	case -ETIME:
		return failure__set(
			failure, err,
			"not all threads of process %d stood still within %llu ms; some wait "
			"in the kernel, such as for a disk: try again, or allow a longer "
			"stop with --max-stop",
			stop->pid, (unsigned long long)(stop->limit_ns / NSEC_PER_MSEC));
	case -E2BIG:
		return failure__set(failure, err,
				    "process %d has more than %d threads; it is not stopped",
				    stop->pid, PROCESS_STOP_MAX_THREADS);
	default:
		return failure__set(failure, err, "process %d could not be stopped: %s", stop->pid,
				    strerror(-err));
	}
}

int process_stop__hold(const char *proc_root, pid_t pid, uint64_t limit_ns,
		       struct process_stop **ret_stop, struct failure *failure)
{
	struct process_stop *stop = calloc(1, sizeof(*stop));
	int err;

	if (!stop)
		return failure__set(failure, -ENOMEM, "out of memory");
	stop->proc_root = proc_root;
	stop->pid = pid;
	stop->limit_ns = limit_ns;
	priority__first(&stop->priority, 0);
	err = hold_all(stop);
	if (!err)
		err = read_registers(stop);
	if (err) {
		err = explain(err, stop, failure);
		process_stop__release(stop);
		return err;
	}
	*ret_stop = stop;
	return 0;
}

/* ptrace(2) DETACH wants a thread that has stopped. */
static void let_go(struct process_stop *stop)
{
	for (size_t i = 0; i < stop->n_held; i++) {
		struct held_thread *thread = &stop->held[i];

		if (thread->state != THREAD_STOPPED)
			continue;
		(void)ask(PTRACE_DETACH, thread->tid, NULL, (uintptr_t)thread->signal);
		thread->state = THREAD_GONE;
	}
}

/*
 * A thread that was interrupted and has not stopped yet would stop later and stay stopped: waits
 * for these. All others go on meanwhile.
 */
static void let_late_ones_go(struct process_stop *stop)
{
	const struct timespec pause = {.tv_nsec = POLL_NS};
	uint64_t begin_ns = clock__monotonic_ns();

	while (look(stop) && clock__monotonic_ns() - begin_ns < LATE_NS) {
		let_go(stop);
		nanosleep(&pause, NULL);
	}
	let_go(stop);
}

uint64_t process_stop__release(struct process_stop *stop)
{
	uint64_t elapsed;

	if (!stop)
		return 0;
	let_go(stop);
	elapsed = process_stop__elapsed_ns(stop);
	come_as_before(stop);
	let_late_ones_go(stop);
	free(stop->threads);
	free(stop->held);
	free(stop);
	return elapsed;
}

int process_stop__describe(pid_t pid, uint64_t begin_ns, const struct stopped_thread *threads,
			   size_t n, struct process_stop **ret_stop)
{
	struct process_stop *stop = calloc(1, sizeof(*stop));

	if (stop)
		stop->threads = calloc(n + 1, sizeof(*threads));
	if (!stop || !stop->threads) {
		free(stop);
		return -ENOMEM;
	}
	stop->pid = pid;
	stop->begin_ns = begin_ns;
	stop->n_threads = n;
	if (n)
		memcpy(stop->threads, threads, n * sizeof(*threads));
	*ret_stop = stop;
	return 0;
}

uint64_t process_stop__begin_ns(const struct process_stop *stop)
{
	return stop->begin_ns;
}

uint64_t process_stop__elapsed_ns(const struct process_stop *stop)
{
	return stop->begin_ns ? clock__monotonic_ns() - stop->begin_ns : 0;
}

const struct stopped_thread *process_stop__threads(const struct process_stop *stop, size_t *ret_n)
{
	*ret_n = stop->n_threads;
	return stop->threads;
}
