// SPDX-License-Identifier: Apache-2.0
#include "broker/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/client.h"
#include "broker/let_go.h"
#include "broker/watch.h"
#include "host/access.h"
#include "host/access_guard.h"
#include "host/capability.h"
#include "host/process.h"
#include "host/sealed_memory.h"

/*
 * What the worker decides about, and what it is to leave a core of: a watchdog sends SIGABRT to the main
 * process. SIGTSTP is among them so that this process stops after the worker, which may have a terminal to
 * tidy up: whoever sees this one stopped may let both go on.
 */
static const int passed_on[] = {SIGTERM, SIGINT,  SIGHUP,   SIGQUIT, SIGUSR1, SIGUSR2,
				SIGABRT, SIGSEGV, SIGWINCH, SIGTSTP, SIGCONT};

/* How often is looked at what the worker does; and how long its end is waited for. */
#define WATCH_MS 1000
#define END_MS	 1000

struct broker {
	const struct broker_options *options;
	struct broker_server *server;
	struct broker_shared *shared;
	struct notify notify;
	int channel, signals;
	pid_t worker;
	sigset_t before; /* which signals were blocked */
	struct worker_watch watch;
	uint64_t looked_ns;
	bool ending;			       /* somebody wants the worker to end */
	uint64_t died_ns[BROKER_MAX_RESTARTS]; /* the last times */
};

static unsigned int restarts;

unsigned int broker__restarts(void)
{
	return restarts;
}

/* --- the worker ---------------------------------------------------------------------------------- */

static bool relay(const char *message)
{
	return broker_client__notify(message);
}

/* In the child. Returns an exit code, or -1: go on. */
static int become_worker(struct broker *broker, int channel, pid_t parent)
{
	struct sandbox sandbox = {.landlock = 0};
	struct failure failure = {""};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Without a broker there is nothing to do. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		return 1;
	close(broker->channel);
	close(broker->signals);
	capability__set_agent(capability__all());
	notify__inherit(&broker->notify, relay);
	if (sandbox__enter(&broker->options->sandbox, &sandbox, &failure))
		log_warn("%s", failure.text);
	broker_client__use(channel, broker->shared);
	let_go__start(channel, null);
	log_debug("worker: no capabilities, landlock %d, seccomp %s", sandbox.landlock,
		  sandbox.seccomp ? "on" : "off");
	return -1;
}

static int start_worker(struct broker *broker, bool *ret_is_worker, int *ret_code)
{
	pid_t parent = getpid();
	int channels[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channels))
		return -errno;
	broker->channel = channels[0];
	/* Whatever waits in them would be written twice. */
	fflush(NULL);
	broker->worker = fork();
	if (broker->worker < 0) {
		int err = -errno;

		close(channels[0]);
		close(channels[1]);
		return err;
	}
	if (!broker->worker) {
		*ret_is_worker = true;
		*ret_code = become_worker(broker, channels[1], parent);
		sigprocmask(SIG_SETMASK, &broker->before, NULL);
		return 0;
	}
	close(channels[1]);
	broker_server__set_worker(broker->server, broker->worker);
	return 0;
}

/* --- the broker ---------------------------------------------------------------------------------- */

static bool is_to_end(int signal)
{
	return signal != SIGHUP && signal != SIGWINCH && signal != SIGTSTP && signal != SIGCONT;
}

static void pass_on_signal(struct broker *broker, const struct signalfd_siginfo *info)
{
	int signal = (int)info->ssi_signo;

	if (signal == SIGHUP && broker->options->reload)
		broker->options->reload(broker->options->server.ctx);
	broker->ending |= is_to_end(signal);
	/* The terminal has sent it to the worker as well. */
	if (info->ssi_code != SI_KERNEL)
		kill(broker->worker, signal);
}

/* A worker that has stopped is followed. Threads that are traced are children, too: of none but it. */
static bool has_ended(const struct broker *broker, int *ret_status)
{
	while (waitpid(broker->worker, ret_status, WNOHANG | WUNTRACED) == broker->worker) {
		if (!WIFSTOPPED(*ret_status))
			return true;
		raise(SIGSTOP);
	}
	return false;
}

/* Whether the worker has ended, and how. */
static bool read_signals(struct broker *broker, int *ret_status)
{
	struct signalfd_siginfo info;

	while (read(broker->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			pass_on_signal(broker, &info);
	}
	return has_ended(broker, ret_status);
}

static void tell_refused(struct broker *broker)
{
	const char *what = broker_server__refused(broker->server);

	if (what)
		log_warn("the worker process asked for something that is not its business: %s",
			 what);
}

static enum worker_state look_at_worker(struct broker *broker)
{
	struct worker_doing doing = {
		.state = process__state(PROC_ROOT, broker->worker),
		.call = {.number = -1},
		.requests = broker_server__requests(broker->server),
	};

	/* What cannot be told is no reason to end it. */
	(void)!task__call(PROC_ROOT, broker->worker, broker->worker, &doing.call);
	(void)!process__cpu_ns(broker->worker, &doing.cpu_ns);
	return worker_watch__look(&broker->watch, &doing);
}

static void tell_stuck(const struct broker *broker)
{
	int pid = broker_server__last_pid(broker->server);

	if (!pid)
		log_error("a file could not be read for %u s: is it on a file system whose server "
			  "does not answer?",
			  broker->watch.seconds);
	else if (broker->options->restarts)
		log_warn("the worker process has waited for %d s for a file; it was looking at pid "
			 "%d, which is left alone for %d minutes. Is it on a file system whose "
			 "server does not answer?",
			 WORKER_STUCK_SECONDS, pid,
			 (int)(ACCESS_GUARD_QUARANTINE_NS / NSEC_PER_SEC / 60));
	else
		log_error(
			"a file could not be read for %d s, probably what pid %d runs: is it on a "
			"file system whose server does not answer? End that process, or name "
			"others",
			COMMAND_STUCK_SECONDS, pid);
}

/* Whether it is to be ended: once a second. What a command computes may take as long as it does. */
static bool is_lost(struct broker *broker)
{
	uint64_t now_ns = clock__monotonic_ns();

	if (now_ns - broker->looked_ns < NSEC_PER_SEC)
		return false;
	broker->looked_ns = now_ns;
	switch (look_at_worker(broker)) {
	case WORKER_IS_STUCK:
		if (!broker->options->restarts && broker->watch.seconds < COMMAND_STUCK_SECONDS)
			return false;
		tell_stuck(broker);
		access_guard__blame(broker_server__last_pid(broker->server));
		return true;
	case WORKER_SPINS:
		if (!broker->options->restarts)
			return false;
		log_warn("the worker process has used %d s of a processor and asked for nothing",
			 WORKER_SPIN_SECONDS);
		return true;
	case WORKER_WORKS:
		break;
	}
	return false;
}

/*
 * One that waits beyond the reach of signals is left behind: it ends when it comes back, and has let go of what others
 * may wait for before (let_go.h).
 */
static int end_worker(struct broker *broker)
{
	struct pollfd end = {.fd = broker->channel};

	shutdown(broker->channel, SHUT_WR);
	(void)poll(&end, 1, END_MS);
	kill(broker->worker, SIGKILL);
	for (int i = 0; i < END_MS / 10 && waitpid(broker->worker, NULL, WNOHANG) == 0; i++)
		(void)poll(NULL, 0, 10);
	/* Of a command it is told why; nobody is to take it for killed. */
	return broker->options->restarts ? SIGKILL : W_EXITCODE(1, 0);
}

/* Until the worker has ended. Returns how. */
static int serve(struct broker *broker)
{
	struct pollfd ends[2] = {
		{.fd = broker->channel, .events = POLLIN},
		{.fd = broker->signals, .events = POLLIN},
	};
	int status;

	broker->watch = (struct worker_watch){.seconds = 0};
	for (;;) {
		if (poll(ends, 2, broker_server__wait_ms(broker->server, WATCH_MS)) < 0 &&
		    errno != EINTR)
			break;
		broker_server__tick(broker->server);
		if (is_lost(broker))
			break;
		if (ends[1].revents && read_signals(broker, &status))
			return status;
		if (!ends[0].revents)
			continue;
		if (!broker_server__serve(broker->server, broker->channel)) {
			tell_refused(broker);
			continue;
		}
		/* The channel is closed, or should be: SIGCHLD says the rest. */
		kill(broker->worker, SIGKILL);
		ends[0].fd = -1;
	}
	return end_worker(broker);
}

static bool may_restart(struct broker *broker, int status)
{
	uint64_t now_ns = clock__monotonic_ns();
	uint64_t oldest_ns = broker->died_ns[restarts % BROKER_MAX_RESTARTS];

	if (!broker->options->restarts || broker->ending || !WIFSIGNALED(status))
		return false;
	if (oldest_ns && now_ns - oldest_ns < BROKER_RESTART_WINDOW_NS) {
		log_error("the worker process has ended too often: gleakd ends");
		return false;
	}
	broker->died_ns[restarts++ % BROKER_MAX_RESTARTS] = now_ns;
	log_warn("the worker process was ended by signal %d (%s); another goes on from the saved "
		 "state",
		 WTERMSIG(status), strsignal(WTERMSIG(status)));
	return true;
}

static int share_memory(struct broker *broker)
{
	void *shared;
	int fd = sealed_memory__make("gleakd", sizeof(*broker->shared), &shared);

	if (fd < 0)
		return fd;
	close(fd);
	broker->shared = shared;
	return 0;
}

static int take_signals(struct broker *broker)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaddset(&signals, passed_on[i]);
	if (sigprocmask(SIG_BLOCK, &signals, &broker->before))
		return -errno;
	broker->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return broker->signals < 0 ? -errno : 0;
}

/* As the worker ended, so does this process. */
static int end_alike(const struct broker *broker, int status)
{
	const struct rlimit no_core = {0};

	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	/* There is nothing to be seen in this one. */
	(void)setrlimit(RLIMIT_CORE, &no_core);
	signal(WTERMSIG(status), SIG_DFL);
	sigprocmask(SIG_SETMASK, &broker->before, NULL);
	raise(WTERMSIG(status));
	return 1;
}

static int run_workers(struct broker *broker, int (*work)(void *ctx), void *ctx)
{
	for (;;) {
		bool is_worker = false;
		int status, code = -1;
		int err = broker_server__new(&broker->options->server, &broker->notify,
					     broker->shared, &broker->server);

		if (!err)
			err = start_worker(broker, &is_worker, &code);
		if (is_worker)
			return code >= 0 ? code : work(ctx);
		if (err) {
			log_error("cannot start the worker process: %s", strerror(-err));
			return 1;
		}
		log__limit(true);
		status = serve(broker);
		close(broker->channel);
		broker_server__free(broker->server);
		broker->server = NULL;
		if (may_restart(broker, status))
			continue;
		if (broker->options->end)
			broker->options->end(broker->options->server.ctx);
		return end_alike(broker, status);
	}
}

/* Before anybody is forked, who then has it, too. */
static void restrict_itself(bool stops)
{
	bool done = false;
	int err = sandbox__forbid(stops, &done);

	if (err)
		log_warn(
			"system calls that gleakd has no need of were not forbidden: %s; a sandbox "
			"around gleakd has to allow seccomp",
			strerror(-err));
	log_debug("broker: seccomp %s", done ? "on" : "off");
}

int broker__run(const struct broker_options *options, int (*work)(void *ctx), void *ctx)
{
	struct broker broker = {.options = options, .channel = -1, .signals = -1};
	int err = share_memory(&broker);

	if (!err)
		err = take_signals(&broker);
	if (err) {
		log_error("cannot start the worker process: %s", strerror(-err));
		return 1;
	}
	restrict_itself(options->stops);
	access__use(access_guard__ops());
	access_guard__lend(&broker.shared->window[BROKER_WINDOW]);
	notify__open(&broker.notify);
	return run_workers(&broker, work, ctx);
}
