// SPDX-License-Identifier: Apache-2.0
#include "cli/run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/outputs.h"
#include "cli/watch.h"
#include "cli/workers.h"
#include "host/starter.h"

/* A Go program starts its second thread within milliseconds. */
#define MAX_START_NS (20 * NSEC_PER_SEC)

/* As shells have it: bash(1), EXIT STATUS. */
#define EXIT_CODE_SIGNAL 128

/* Before there are two processes, and in the worker. */
static struct starter *starter;

struct run {
	enum report_end end; /* why the watch ended */
};

/* --- the watch ----------------------------------------------------------------------------------- */

static void on_signal(void *ctx __maybe_unused, int signal)
{
	starter__signal(starter, signal);
}

/* Signals that mean something to the program alone: to Go's runtime SIGQUIT, that it is to print all goroutines. */
static int pass_on_signals(struct rounds *rounds)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGUSR2);
	sigaddset(&signals, SIGQUIT);
	return loop__add_signals(rounds->loop, &signals, on_signal, NULL);
}

/* All that is to be attached is. */
static int begin(void *ctx __maybe_unused, struct rounds *rounds)
{
	int err = pass_on_signals(rounds);

	if (!err)
		starter__go(starter);
	return err;
}

static int finish(void *ctx, struct rounds *rounds)
{
	struct run *run = ctx;

	run->end = rounds->end;
	return 0;
}

/* --- the end ------------------------------------------------------------------------------------- */

/* How a program ended that did so by itself: 0 if all is well. */
static int tell_status(const char *program, int status)
{
	if (WIFSIGNALED(status)) {
		log_error("%s was ended by signal %d (%s)", program, WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
		return EXIT_CODE_SIGNAL + WTERMSIG(status);
	}
	if (WEXITSTATUS(status))
		log_error("%s has ended with exit status %d", program, WEXITSTATUS(status));
	else
		log_info("%s has ended with exit status 0", program);
	return WEXITSTATUS(status);
}

static void end_program(const struct options *options, enum report_end end)
{
	bool killed = false;
	int status;

	if (end == REPORT_DURATION_OVER)
		log_info("the watch is over: %s is told to end", options->program[0]);
	starter__end(starter, end == REPORT_INTERRUPTED ? SIGINT : SIGTERM, &killed);
	if (killed)
		log_warn("%s went on for %d s after it was told to end, and was killed",
			 options->program[0], (int)(STARTER_GRACE_NS / NSEC_PER_SEC));
	else if (!starter__status(starter, &status))
		log_warn("it is not known whether %s has ended", options->program[0]);
}

/* What was found comes before how the program ended, and that before that it could not be judged. */
static int exit_code(const struct options *options, int code, int own)
{
	bool found = code && code == (int)options->error_exitcode;

	if (found || !own || (code && code != EXIT_CODE_NOT_JUDGED))
		return code;
	return own;
}

/* In the worker. */
static int watch(const struct options *options, pid_t pid)
{
	struct run run = {.end = REPORT_GOES_ON};
	const struct watch_extra extra = {.begin = begin, .finish = finish, .ctx = &run};
	const struct named named = {.n = 1, .pids = {pid}};
	int code = watch__run(options, &named, &extra);
	int status, own = 0;
	bool killed;

	/* Its parent knows about its end some moments later. */
	if (run.end == REPORT_TARGET_EXITED) {
		starter__end(starter, SIGTERM, &killed);
		if (starter__status(starter, &status))
			own = tell_status(options->program[0], status);
	} else {
		end_program(options, run.end);
	}
	return exit_code(options, code, own);
}

/* Nothing was watched. */
static int not_started(const struct options *options, int err, const struct failure *failure)
{
	int status, own = 0;

	log_error("%s", failure->text);
	if (err == -ETIMEDOUT)
		end_program(options, REPORT_GOES_ON);
	else if (err != -ECHILD)
		return EXIT_CODE_USAGE;
	else if (starter__status(starter, &status))
		own = tell_status(options->program[0], status);
	if (outputs__tell_ci(options, failure->text))
		return EXIT_FAILURE;
	return own ? own : EXIT_CODE_NOT_JUDGED;
}

static int work(const struct options *options)
{
	struct failure failure = {""};
	bool held = false;
	pid_t pid = 0;
	int err = starter__wait(starter, MAX_START_NS, &pid, &held, &failure);

	if (err)
		return not_started(options, err, &failure);
	if (!held)
		log_warn("%s runs before it is watched, as the kernel does not let it be held: %s",
			 options->program[0], failure.text);
	return watch(options, pid);
}

static void tell_user(const struct options *options, const struct starter_user *user)
{
	if (user->change)
		log_info("%s runs as %s (uid %u)", options->program[0],
			 user->name[0] ? user->name : "a user without a name", user->uid);
	else if (!user->uid)
		log_warn("%s runs as root, as gleakd does: --user NAME runs it as another",
			 options->program[0]);
}

int command__run(const struct options *options, int argc, char **argv)
{
	struct failure failure = {""};
	struct starter_user user;
	int err, code;

	if (!options->program) {
		log_error("run which program? Name it behind --: gleakd run -- ./shop -port 8080");
		return EXIT_CODE_USAGE;
	}
	err = starter_user__find(options->user, &user, &failure);
	if (err) {
		log_error("%s", failure.text);
		return EXIT_CODE_USAGE;
	}
	/* With --user root it was asked for. */
	if (!options->user || user.change)
		tell_user(options, &user);
	err = starter__new(options->program, &user, &starter);
	if (err) {
		log_error("cannot start %s: %s", options->program[0], strerror(-err));
		return failure__exit_code(err);
	}
	code = workers__run(options, argc, argv, work);
	starter__free(starter);
	starter = NULL;
	return code;
}
