// SPDX-License-Identifier: Apache-2.0
/*
 * What a shell is too slow for, or cannot do:
 *
 *	faultkit storm RATE SECONDS [PROGRAM [ARG...]]
 *		RATE processes a second that end at once, or execute PROGRAM; then "ok N"
 *	faultkit as PID PROGRAM [ARG...]
 *		PROGRAM as process PID, which must be free
 *	faultkit halted PROGRAM [ARG...]
 *		PROGRAM, which stands still before its first instruction until SIGUSR1 comes; first
 *		"halted PID"
 *	faultkit debugger PID ADDRESS
 *		a debugger of it; "ready", then for each line on stdin "ok LINE": "break" and "clear" set a
 *		breakpoint and take it away, as debuggers do: by writing back what was there before;
 *		"hold" stops the process. At the end of stdin it lets go of it
 *	faultkit poisoned PROGRAM ADDRESS
 *		PROGRAM, stopped before its first instruction for good, with 512 bytes of zeros at ADDRESS;
 *		"poisoned PID"
 *	faultkit wary MILLISECONDS PROGRAM [ARG...]
 *		for so long looks whether its own code is as in its file, with "hit" or "clean" at the end,
 *		and for whom it runs; then executes PROGRAM, as who that is
 *	faultkit quit
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int reap(int options)
{
	int reaped = 0;

	while (waitpid(-1, NULL, options) > 0)
		reaped++;
	return reaped;
}

static int start(char *const program[])
{
	pid_t pid = vfork();

	if (pid)
		return pid < 0 ? -errno : 0;
	if (program[0])
		execv(program[0], program);
	_exit(0);
}

/* What is due by now each millisecond, so that a late turn is caught up with. */
static int storm(double rate, double seconds, char *const program[])
{
	const struct timespec pause = {.tv_nsec = 1000000};
	double begin = now(), elapsed = 0;
	long made = 0;

	while (elapsed < seconds) {
		for (; (double)made < rate * elapsed; made++) {
			if (start(program))
				return 1;
			if (made % 16 == 0)
				reap(WNOHANG);
			/* A machine that is too slow for the rate. */
			if (now() - begin > seconds)
				break;
		}
		reap(WNOHANG);
		nanosleep(&pause, NULL);
		elapsed = now() - begin;
	}
	reap(0);
	printf("ok %ld\n", made);
	return 0;
}

/* Its end, with the input left to it alone. */
static int wait_for(pid_t child)
{
	int status = 0;

	close(STDIN_FILENO);
	waitpid(child, &status, 0);
	return status ? 1 : 0;
}

static int start_as(pid_t pid, char *const program[])
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&pid,
		.set_tid_size = 1,
	};
	long child = syscall(SYS_clone3, &args, sizeof(args));

	if (child < 0) {
		fprintf(stderr, "no process %d: %s\n", pid, strerror(errno));
		return 1;
	}
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execv(program[0], program);
		_exit(127);
	}
	return wait_for((pid_t)child);
}

static int start_halted(char *const program[])
{
	sigset_t signals;
	int number;
	pid_t child;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigprocmask(SIG_UNBLOCK, &signals, NULL);
		/* It stops when execve(2) has loaded the program. */
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execv(program[0], program);
		_exit(127);
	}
	if (child < 0 || waitpid(child, NULL, 0) != child)
		return 1;
	printf("halted %d\n", child);
	fflush(stdout);
	sigwait(&signals, &number);
	ptrace(PTRACE_DETACH, child, NULL, NULL);
	return wait_for(child);
}

/* The word at @address after @byte, if it is not negative, was written there; only @pid stops for it. */
static long poke(pid_t pid, uintptr_t address, int byte)
{
	long word;

	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	waitpid(pid, NULL, __WALL);
	word = ptrace(PTRACE_PEEKTEXT, pid, address, NULL);
	if (byte >= 0)
		ptrace(PTRACE_POKETEXT, pid, address, (word & ~0xffL) | byte);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	return word;
}

static int debug(pid_t pid, uintptr_t address)
{
	char line[64];
	long before = 0;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL))
		return 1;
	setbuf(stdout, NULL);
	printf("ready %d\n", getpid());
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "break\n"))
			before = poke(pid, address, 0xcc);
		else if (!strcmp(line, "clear\n"))
			poke(pid, address, (int)(before & 0xff));
		else if (!strcmp(line, "hold\n"))
			ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
		printf("ok %s", line);
	}
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	waitpid(pid, NULL, __WALL);
	return ptrace(PTRACE_DETACH, pid, NULL, NULL) ? 1 : 0;
}

static int poison(const char *program, uintptr_t address)
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, NULL, 0) != child)
		return 1;
	for (uintptr_t at = address; at < address + 512; at += sizeof(long))
		ptrace(PTRACE_POKEDATA, child, at, 0L);
	printf("poisoned %d\n", child);
	fflush(stdout);
	pause();
	return 0;
}

extern const char __executable_start[], etext[];

/* Whether a byte of the code is another one than in the file, which is linked statically: no relocations. */
static int is_hit(int file, size_t size)
{
	static char there[4 << 20];
	ssize_t n = pread(file, there, size < sizeof(there) ? size : sizeof(there), 0);

	return n > 0 && memcmp(there, __executable_start, (size_t)n) != 0;
}

static int be_wary(long milliseconds, char *const program[])
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), hit = 0;
	double end = now() + (double)milliseconds / 1000;

	while (now() < end)
		hit |= is_hit(file, (size_t)(etext - __executable_start));
	printf("%s as %d for %d\n", hit ? "hit" : "clean", (int)geteuid(), (int)getuid());
	fflush(stdout);
	/* As newgrp(1) and its like do. */
	if (setresuid(getuid(), getuid(), getuid()))
		return 1;
	execv(program[0], program);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc >= 4 && !strcmp(argv[1], "storm"))
		return storm(strtod(argv[2], NULL), strtod(argv[3], NULL), argv + 4);
	if (argc >= 4 && !strcmp(argv[1], "as"))
		return start_as((pid_t)strtol(argv[2], NULL, 10), argv + 3);
	if (argc >= 3 && !strcmp(argv[1], "halted"))
		return start_halted(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "debugger"))
		return debug((pid_t)strtol(argv[2], NULL, 10), strtoul(argv[3], NULL, 0));
	if (argc == 4 && !strcmp(argv[1], "poisoned"))
		return poison(argv[2], strtoul(argv[3], NULL, 16));
	if (argc >= 4 && !strcmp(argv[1], "wary"))
		return be_wary(strtol(argv[2], NULL, 10), argv + 3);
	if (argc == 2 && !strcmp(argv[1], "quit"))
		return 0;
	fprintf(stderr,
		"faultkit storm|as|halted|debugger|poisoned|wary|quit ...; see its source\n");
	return 2;
}
