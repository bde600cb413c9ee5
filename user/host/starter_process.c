// SPDX-License-Identifier: Apache-2.0
/* The parent of a program that gleakd starts, with the program's own rights. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/starter_private.h"
#include "host/users.h"

/* What execvp(3) is not reached for; else the exit code is its own, as a shell's: env(1). */
#define EXIT_CODE_NOT_RUN 127

struct parent {
	int channel, signals;
	pid_t child;
	sigset_t before; /* which signals were blocked */
	bool optioned;	 /* it is known which events of the child are told */
	bool held;
	uint64_t given;	  /* by number: signals that the whole group got, and so the program */
	uint64_t kill_ns; /* when SIGKILL is due; 0: it is not */
	bool killed;
};

/* What the child says before it is the program. */
struct stage {
	bool traced_not; /* it could not be traced, and goes on */
	int error;
};

static void tell(const struct parent *parent, struct starter_message message)
{
	/* Whoever is gone does not hear it. */
	(void)!write(parent->channel, &message, sizeof(message));
}

/* --- the child ----------------------------------------------------------------------------------- */

static int become(const struct starter_user *user)
{
	int err = 0;

	if (!user->change)
		return 0;
	if (user->name[0])
		err = users__take_groups(user->name, user->gid);
	else if (setgroups(0, NULL))
		err = -errno;
	if (err)
		return err;
	if (setresgid(user->gid, user->gid, user->gid) ||
	    setresuid(user->uid, user->uid, user->uid))
		return -errno;
	if (user->name[0] && (setenv("USER", user->name, 1) || setenv("LOGNAME", user->name, 1) ||
			      setenv("HOME", user->folder, 1)))
		return -errno;
	return 0;
}

/* In the child: the end of what is ours. @stages closes when the program begins. */
static void execute(const struct parent *parent, char *const *argv, int stages, pid_t reader)
{
	struct stage stage = {.error = 0};

	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &parent->before, NULL);
	/* Yama lets a user's processes be read by those above them alone; gleakd's helpers are beside it. */
	if (geteuid())
		(void)prctl(PR_SET_PTRACER, (unsigned long)reader, 0, 0, 0);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL)) {
		stage = (struct stage){.traced_not = true, .error = errno};
		(void)!write(stages, &stage, sizeof(stage));
	}
	execvp(argv[0], argv);
	stage = (struct stage){.error = errno};
	(void)!write(stages, &stage, sizeof(stage));
	_exit(EXIT_CODE_NOT_RUN);
}

/* --- the parent ---------------------------------------------------------------------------------- */

/*
 * The child has made its first thread, and stands still with it before either goes on. The stop that every
 * traced thread begins with becomes one of the whole process; it stays when nobody traces it.
 */
static void hold(struct parent *parent)
{
	unsigned long thread = 0;
	int status;

	if (ptrace(PTRACE_GETEVENTMSG, parent->child, NULL, &thread) ||
	    waitpid((pid_t)thread, &status, __WALL) != (pid_t)thread || !WIFSTOPPED(status))
		kill(parent->child, SIGSTOP);
	else
		ptrace(PTRACE_DETACH, (pid_t)thread, NULL, SIGSTOP);
	ptrace(PTRACE_DETACH, parent->child, NULL, 0);
	parent->held = true;
	tell(parent, (struct starter_message){.word = STARTER_HELD, .value = parent->child});
}

static void on_stop(struct parent *parent, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	if (parent->held)
		return;
	if (event == PTRACE_EVENT_CLONE) {
		hold(parent);
		return;
	}
	if (!parent->optioned) {
		/* execve(2): the program is loaded, and has not run. */
		parent->optioned = true;
		ptrace(PTRACE_SETOPTIONS, parent->child, NULL,
		       PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
		signal = 0;
	}
	ptrace(PTRACE_CONT, parent->child, NULL, event ? 0 : signal);
}

/* Whether the child has ended. */
static bool look_at_child(struct parent *parent)
{
	int status;

	while (waitpid(parent->child, &status, WNOHANG | __WALL) == parent->child) {
		if (WIFSTOPPED(status)) {
			on_stop(parent, status);
			continue;
		}
		tell(parent, (struct starter_message){.word = STARTER_ENDED,
						      .value = status,
						      .killed = parent->killed});
		return true;
	}
	return false;
}

/* What came here came by a terminal, or by whoever signals a group (timeout(1)): the program has it. */
static void read_signals(struct parent *parent)
{
	struct signalfd_siginfo info;

	while (read(parent->signals, &info, sizeof(info)) == sizeof(info))
		parent->given |= 1ull << info.ssi_signo;
}

/* To the program, unless it has it. */
static void give(struct parent *parent, int signal)
{
	uint64_t bit;

	if (signal <= 0 || signal >= 64)
		return;
	bit = 1ull << signal;
	read_signals(parent);
	if (!(parent->given & bit))
		kill(parent->child, signal);
	parent->given &= ~bit;
}

static void end(struct parent *parent, int signal)
{
	if (parent->kill_ns)
		return;
	parent->kill_ns = clock__monotonic_ns() + STARTER_GRACE_NS;
	give(parent, signal);
	kill(parent->child, SIGCONT);
}

/* Whoever is gone wants it to end as well. */
static bool hear(struct parent *parent)
{
	struct starter_message message;

	if (read(parent->channel, &message, sizeof(message)) != (ssize_t)sizeof(message)) {
		end(parent, SIGTERM);
		return false;
	}
	if (message.word == STARTER_GO)
		kill(parent->child, SIGCONT);
	else if (message.word == STARTER_SIGNAL)
		give(parent, message.value);
	else if (message.word == STARTER_END)
		end(parent, message.value);
	return true;
}

static int wait_ms(const struct parent *parent)
{
	uint64_t now_ns = clock__monotonic_ns();

	if (!parent->kill_ns || parent->killed)
		return -1;
	return (int)((parent->kill_ns - min_of(now_ns, parent->kill_ns)) / NSEC_PER_MSEC) + 1;
}

static void serve(struct parent *parent)
{
	struct pollfd ends[2] = {
		{.fd = parent->channel, .events = POLLIN},
		{.fd = parent->signals, .events = POLLIN},
	};

	while (!look_at_child(parent)) {
		int n = poll(ends, 2, wait_ms(parent));

		if (n < 0 && errno != EINTR)
			return;
		if (parent->kill_ns && clock__monotonic_ns() >= parent->kill_ns &&
		    !parent->killed) {
			parent->killed = true;
			kill(parent->child, SIGKILL);
		}
		if (n > 0 && ends[1].revents)
			read_signals(parent);
		if (n > 0 && ends[0].revents && !hear(parent))
			ends[0].fd = -1;
	}
}

/* What the child says until it is the program, which is then the case, or not at all. */
static bool began(const struct parent *parent, int stages)
{
	struct stage stage, said = {.error = 0};

	while (read(stages, &stage, sizeof(stage)) == (ssize_t)sizeof(stage))
		said = stage;
	if (said.error && !said.traced_not) {
		tell(parent, (struct starter_message){.word = STARTER_FAILED, .error = said.error});
		return false;
	}
	if (said.traced_not)
		tell(parent, (struct starter_message){.word = STARTER_RUNS,
						      .value = parent->child,
						      .error = said.error});
	return true;
}

/* Those that end this process end the program, and then this follows. */
static int take_signals(struct parent *parent)
{
	static const int taken[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
	sigset_t signals;

	sigemptyset(&signals);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		sigaddset(&signals, taken[i]);
	if (sigprocmask(SIG_BLOCK, &signals, &parent->before))
		return -errno;
	parent->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return parent->signals < 0 ? -errno : 0;
}

int starter_process__run(int channel, char *const *argv, const struct starter_user *user)
{
	struct parent parent = {.channel = channel};
	pid_t reader = getppid();
	int stages[2], err = become(user);

	if (!err)
		err = take_signals(&parent);
	if (!err && pipe2(stages, O_CLOEXEC))
		err = -errno;
	if (!err) {
		parent.child = fork();
		err = parent.child < 0 ? -errno : 0;
	}
	if (err) {
		tell(&parent, (struct starter_message){.word = STARTER_FAILED, .error = -err});
		return 1;
	}
	if (!parent.child)
		execute(&parent, argv, stages[1], reader);
	close(stages[1]);
	if (!began(&parent, stages[0])) {
		waitpid(parent.child, NULL, 0);
		return 1;
	}
	serve(&parent);
	return 0;
}
