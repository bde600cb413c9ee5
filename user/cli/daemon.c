// SPDX-License-Identifier: Apache-2.0
#include "cli/daemon.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/run.h"
#include "cli/budget.h"
#include "cli/config.h"
#include "cli/findings.h"
#include "cli/heap_looks.h"
#include "cli/round_limits.h"
#include "cli/rounds.h"
#include "host/self_usage.h"
#include "session/follower.h"
#include "session/resources/target_resources.h"
#include "session/shares.h"

/* The first round begins when the processes that are there are attached, and this late at the latest. */
#define FIRST_ROUND_NS NSEC_PER_SEC

/* All Go processes of the host, as they come and go. */
struct daemon {
	struct rounds rounds;
	struct options reloaded; /* what rounds.options points to after a reload */
	int argc;
	char **argv;
	struct follower *follower;
	struct budget budget;
	struct heap_looks *looks; /* NULL: none are made */

	struct discovery_counts counts; /* for the report being built */
	bool told_none, told_postponed, told_waits;
	bool settled; /* all that were there when gleakd began were looked at, before any reload */
	bool all_attached;	/* all that were there when gleakd began, and could be */
	size_t n_in_last_round; /* targets */
	uint64_t started_ns;
	uint64_t wait_end_ns;	      /* what can wait is not begun before */
	double look_seconds;	      /* of processor time, that looks took in this round */
	uint64_t next_sweep_ns;	      /* 0: the first one is still to come */
	uint64_t process_events_lost; /* when last looked */
	uint64_t lost_before;	      /* by the followers before this one */
};

/* --- gleakd's own budget -------------------------------------------------------------------------- */

static void use_budget(struct daemon *daemon)
{
	daemon->budget.max_cpu = daemon->rounds.options->max_self_cpu;
	daemon->budget.max_memory = daemon->rounds.options->max_memory;
}

static void keep_memory(struct daemon *daemon)
{
	budget__keep_memory(&daemon->budget);
	follower__pause(daemon->follower, daemon->budget.full);
	shares__keep_memory(daemon->rounds.session, daemon->budget.max_memory, daemon->budget.full);
}

/* --- what is open --------------------------------------------------------------------------------- */

/* Of what gleakd may use of a processor, or of a processor where that has no limit. */
#define LOOKS_SHARE 0.1
/* Between two looks at one of them, and for how long all others wait for one. */
#define LOOK_PAUSE_NS (10 * NSEC_PER_SEC)
#define LONG_LOOK_NS  NSEC_PER_SEC

/* As the options want it, which may have changed. */
static int use_looks(struct daemon *daemon)
{
	const struct options *options = daemon->rounds.options;
	const struct heap_looks_options looks = {
		.max_memory = options->max_memory,
		.pause_ns = LOOK_PAUSE_NS,
		.max_ns = LONG_LOOK_NS,
		.not_at_once = true,
		.many = true,
		.max_share = LOOKS_SHARE * (options->max_self_cpu > 0 ? options->max_self_cpu : 1),
	};
	bool wanted = options->resources && !options->no_heap && !options->once;

	heap_looks__free(daemon->looks);
	daemon->looks = NULL;
	if (wanted)
		return heap_looks__new(&looks, &daemon->looks);
	/* What was found is not so any more. */
	for (size_t i = 0; i < session__n_targets(daemon->rounds.session); i++)
		target_resources__close(session__target(daemon->rounds.session, i));
	return 0;
}

/* --- what the loop calls --------------------------------------------------------------------------- */

static void sweep_if_due(struct daemon *daemon, uint64_t now_ns)
{
	uint64_t lost = follower__events_lost(daemon->follower);
	bool alone = follower__no_events(daemon->follower);
	int err;

	if (now_ns < daemon->next_sweep_ns && lost == daemon->process_events_lost)
		return;
	daemon->process_events_lost = lost;
	daemon->next_sweep_ns = now_ns + (alone ? FOLLOWER_SWEEP_ALONE_NS : FOLLOWER_SWEEP_NS);
	err = follower__sweep(daemon->follower);
	if (err)
		log_warn("cannot look through /proc: %s", strerror(-err));
}

/* Who sits in front of a screen, or wants one look, waits for nothing. */
static bool waits(const struct daemon *daemon)
{
	const struct options *options = daemon->rounds.options;

	return options->command != COMMAND_TOP && !options->once;
}

static void tell_waits(struct daemon *daemon, uint64_t wait_ns)
{
	if (daemon->told_waits)
		return;
	daemon->told_waits = true;
	log_info(
		"gleakd has used what it may of a processor in a minute (--max-self-cpu %g%%): looks at "
		"heaps, at where memory is allocated and at what is open wait for %llu s; so they do "
		"each time from now on",
		daemon->budget.max_cpu * 100, (unsigned long long)(wait_ns / NSEC_PER_SEC + 1));
}

/* @ns from now on nothing of what can wait begins: scans of heaps, samples, looks at what is open. */
static void put_off(struct daemon *daemon, uint64_t ns, uint64_t now_ns)
{
	daemon->wait_end_ns = max_of(daemon->wait_end_ns, now_ns + ns);
	daemon->rounds.heap.turns.not_before_ns = daemon->wait_end_ns;
	daemon->rounds.samples.turns.not_before_ns = daemon->wait_end_ns;
}

static void keep_purse(struct daemon *daemon, uint64_t now_ns)
{
	uint64_t wait_ns;

	if (!waits(daemon))
		return;
	wait_ns =
		budget__wait(&daemon->budget,
			     daemon->rounds.options->interval_ns * daemon->rounds.stretch, now_ns);
	daemon->wait_end_ns = now_ns;
	put_off(daemon, wait_ns, now_ns);
	if (wait_ns)
		tell_waits(daemon, wait_ns);
}

static void on_second(void *ctx, uint64_t now_ns)
{
	struct daemon *daemon = ctx;

	follower__consume(daemon->follower);
	sweep_if_due(daemon, now_ns);
	budget__trim(&daemon->budget);
	keep_memory(daemon);
	keep_purse(daemon, now_ns);
}

/* The first round did not wait for those that take long to attach: the second does not wait for an interval. */
static void tell_all_attached(struct daemon *daemon)
{
	if (daemon->all_attached || !follower__settled(daemon->follower) || !daemon->rounds.began ||
	    daemon->rounds.under_way)
		return;
	daemon->all_attached = true;
	if (session__n_targets(daemon->rounds.session) > daemon->n_in_last_round)
		rounds__hurry(&daemon->rounds);
}

static void tell_postponed(struct daemon *daemon, uint64_t held_ns)
{
	if (daemon->told_postponed)
		return;
	daemon->told_postponed = true;
	follower__counts(daemon->follower, &daemon->counts);
	log_warn(
		"gleakd has used what it may of a processor for a start (--max-self-cpu %g%%): %llu "
		"processes have not been looked at yet, and are from %llu s on, one after the other",
		daemon->budget.max_cpu * 100, (unsigned long long)daemon->counts.candidates,
		(unsigned long long)(held_ns / NSEC_PER_SEC + 1));
}

/* Until all that were there when gleakd began have had their turn; then processes come one by one. */
static bool is_held(struct daemon *daemon, uint64_t now_ns)
{
	uint64_t held_ns;

	daemon->settled |= follower__settled(daemon->follower);
	if (!waits(daemon) || daemon->settled)
		return false;
	held_ns = budget__hold(&daemon->budget, now_ns);
	put_off(daemon, held_ns, now_ns);
	if (held_ns && follower__due(daemon->follower, now_ns))
		tell_postponed(daemon, held_ns);
	return held_ns;
}

static bool on_work(void *ctx)
{
	struct daemon *daemon = ctx;
	uint64_t now_ns = clock__monotonic_ns();
	bool more = false;

	keep_memory(daemon);
	if (round_limits__may_wait(&daemon->rounds, now_ns) && !is_held(daemon, now_ns))
		more = follower__step(daemon->follower);
	tell_all_attached(daemon);
	return more;
}

/* One look at all processes waits for all of them. */
static bool on_ready(void *ctx, uint64_t now_ns)
{
	struct daemon *daemon = ctx;

	if (daemon->rounds.options->once)
		return follower__settled(daemon->follower);
	return daemon->next_sweep_ns && (!follower__due(daemon->follower, now_ns) ||
					 now_ns - daemon->started_ns >= FIRST_ROUND_NS);
}

static void on_begin(void *ctx, uint64_t now_ns)
{
	struct daemon *daemon = ctx;

	budget__begin_round(&daemon->budget);
	daemon->look_seconds = 0;
	budget__keep_cpu(&daemon->budget, daemon->rounds.session,
			 !follower__due(daemon->follower, now_ns), now_ns);
	daemon->rounds.stretch = daemon->budget.stretch;
	follower__limit_looks(daemon->follower, budget__looks_share(&daemon->budget));
	/* One look is a look at all. */
	daemon->rounds.max_round_ns =
		daemon->rounds.options->once ? 0 : daemon->rounds.options->interval_ns / 2;
}

static void on_begun(void *ctx)
{
	struct daemon *daemon = ctx;

	follower__check_targets(daemon->follower);
	daemon->n_in_last_round = session__n_targets(daemon->rounds.session);
}

static int look(struct daemon *daemon, uint64_t now_ns)
{
	uint64_t begin_ns, end_ns;
	int err;

	if (now_ns < daemon->wait_end_ns)
		return 0;
	begin_ns = self_usage__cpu_ns();
	err = heap_looks__round(daemon->looks, &daemon->rounds, now_ns);
	end_ns = self_usage__cpu_ns();
	daemon->look_seconds = (double)(end_ns - min_of(end_ns, begin_ns)) / (double)NSEC_PER_SEC;
	return err;
}

/* Says once that there is nothing to watch yet: a wrong --only looks just like a quiet host. */
static int on_complete(void *ctx, enum report_end *ret_end)
{
	struct daemon *daemon = ctx;
	struct failure why = {""};

	(void)ret_end;
	if (daemon->looks && session__n_targets(daemon->rounds.session))
		return look(daemon, clock__monotonic_ns());
	if (session__n_targets(daemon->rounds.session) || daemon->rounds.end ||
	    daemon->rounds.options->once || daemon->told_none)
		return 0;
	follower__counts(daemon->follower, &daemon->counts);
	findings__no_process(daemon->rounds.options,
			     daemon->counts.states[DISCOVERY_UNSUPPORTED] +
				     daemon->counts.states[DISCOVERY_FAILED] +
				     daemon->counts.states[DISCOVERY_PAUSED],
			     &why);
	log_info("%s; waiting for one", why.text);
	daemon->told_none = true;
	return 0;
}

static int on_reported(void *ctx, const struct report *report __maybe_unused)
{
	struct daemon *daemon = ctx;

	budget__end_round(&daemon->budget, daemon->look_seconds);
	return 0;
}

static void on_note(void *ctx, struct report_notes *notes)
{
	struct daemon *daemon = ctx;

	follower__counts(daemon->follower, &daemon->counts);
	notes->discovery = &daemon->counts;
	notes->process_events_lost = daemon->lost_before + follower__events_lost(daemon->follower);
}

static void on_processes(void *ctx)
{
	struct daemon *daemon = ctx;

	follower__consume(daemon->follower);
}

/* --- reading the configuration again --------------------------------------------------------------- */

static int open_follower(const struct options *options, struct session *session,
			 struct follower **ret_follower, struct failure *failure)
{
	struct follower_options following = {
		.proc_root = PROC_ROOT,
		/* --once is about the processes that are there now, however young. */
		.min_process_age_ns = options->once ? 0 : options->min_process_age_ns,
		.max_targets = min_of((size_t)options->max_targets, (size_t)SESSION_MAX_TARGETS),
		.only = options->only.items,
		.n_only = options->only.n,
		.exclude = options->exclude.items,
		.n_exclude = options->exclude.n,
		.sweeps_only = options->once,
	};
	int err = follower__new(&following, session, ret_follower, failure);

	if (!err && !options->once && follower__no_events(*ret_follower))
		log_info("new processes are found by looking through /proc alone: %s",
			 follower__no_events(*ret_follower));
	return err;
}

/* What a reload makes anew; the session with its targets and what is known of them stays. */
struct parts {
	struct options options;
	struct outputs outputs;
	struct follower *follower;
	struct report_builder *builder;
};

static void free_parts(struct parts *parts)
{
	outputs__close(&parts->outputs);
	follower__free(parts->follower);
	report_builder__free(parts->builder);
	options__free(&parts->options);
}

static int make_parts(struct daemon *daemon, struct parts *parts)
{
	struct failure failure = {0};
	int err = outputs__read_files(&parts->outputs, &parts->options, &failure);

	if (!err)
		err = open_follower(&parts->options, daemon->rounds.session, &parts->follower,
				    &failure);
	if (!err)
		err = rounds__new_builder(&parts->options, &parts->outputs, &parts->builder);
	if (!err)
		err = outputs__open(&parts->outputs);
	if (err)
		log_error("%s; going on as before",
			  failure.text[0] ? failure.text : strerror(-err));
	return err;
}

static void use_parts(struct daemon *daemon, struct parts *parts)
{
	struct options before = daemon->reloaded;

	daemon->reloaded = parts->options;
	rounds__replace(&daemon->rounds, &daemon->reloaded, &parts->outputs, parts->builder);
	/* Now that nothing points into its texts any more. */
	options__free(&before);
	daemon->lost_before += follower__events_lost(daemon->follower);
	loop__remove_fd(daemon->rounds.loop, follower__fd(daemon->follower));
	follower__free(daemon->follower);
	daemon->follower = parts->follower;
	use_budget(daemon);
	if (use_looks(daemon))
		log_error("no memory to look at what is open");
	keep_memory(daemon);
	session__set_max_overhead(daemon->rounds.session, daemon->reloaded.max_overhead);
	follower__take_over(daemon->follower);
	daemon->next_sweep_ns = 0;
	daemon->process_events_lost = 0;
}

static void on_hangup(void *ctx)
{
	struct daemon *daemon = ctx;
	struct parts parts = {0};
	struct config_errors errors;
	int fd;

	rounds__reloading(&daemon->rounds);
	if (config__load(daemon->argc, daemon->argv, CONFIG_PATH, &parts.options, &errors)) {
		config_errors__log(&errors);
		log_error("the configuration was not read again; going on as before");
		return;
	}
	if (make_parts(daemon, &parts)) {
		free_parts(&parts);
		return;
	}
	use_parts(daemon, &parts);
	fd = follower__fd(daemon->follower);
	if (fd >= 0 && loop__add_fd(daemon->rounds.loop, fd, on_processes, daemon))
		log_warn("process events are looked at once a second only");
	log_info("the configuration was read again");
}

/* --- beginning and end ----------------------------------------------------------------------------- */

static int add_follower(struct daemon *daemon)
{
	int err = open_follower(daemon->rounds.options, daemon->rounds.session, &daemon->follower,
				&daemon->rounds.failure);
	int fd;

	if (err)
		return err;
	fd = follower__fd(daemon->follower);
	return fd < 0 ? 0 : loop__add_fd(daemon->rounds.loop, fd, on_processes, daemon);
}

static const struct rounds_ops daemon_ops = {
	.second = on_second,
	.work = on_work,
	.ready = on_ready,
	.begin = on_begin,
	.begun = on_begun,
	.complete = on_complete,
	.reported = on_reported,
	.note = on_note,
	.hangup = on_hangup,
};

int command__daemon(const struct options *options, int argc, char **argv)
{
	struct rounds_ops ops = daemon_ops;
	struct daemon daemon = {
		.rounds = {.options = options, .ops = &ops, .ctx = &daemon},
		.argc = argc,
		.argv = argv,
		.started_ns = clock__monotonic_ns(),
	};
	const struct session_options session = {
		.begin_low = true,
		.for_host = true,
	};
	int err;

	/* Whose terminal has gone ends. */
	if (options->command == COMMAND_TOP)
		ops.hangup = NULL;
	daemon.budget = (struct budget){.stretch = 1, .started_ns = daemon.started_ns};
	/* After a worker that crashed the next has to be back soon. */
	daemon.settled = broker__restarts() > 0;
	err = rounds__open(&daemon.rounds, &session);
	if (!err)
		err = add_follower(&daemon);
	if (!err)
		rounds__drop_privileges(&daemon.rounds);
	use_budget(&daemon);
	if (!err)
		err = use_looks(&daemon);
	if (!err)
		err = rounds__run(&daemon.rounds);
	err = rounds__close(&daemon.rounds, err);
	heap_looks__free(daemon.looks);
	follower__free(daemon.follower);
	options__free(&daemon.reloaded);
	return err;
}
