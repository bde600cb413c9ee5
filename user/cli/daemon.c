// SPDX-License-Identifier: Apache-2.0
#include "cli/daemon.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/notify.h"
#include "cli/budget.h"
#include "cli/config.h"
#include "cli/kept_state.h"
#include "cli/outputs.h"
#include "host/capability.h"
#include "session/follower.h"
#include "report/builder.h"
#include "session/session.h"

/*
 * Those who were there at the start are old enough and attached to by then; who comes and goes all the
 * time does not keep the first report waiting for longer.
 */
#define FIRST_ROUND_NS(options) ((options)->min_process_age_ns + 4 * NSEC_PER_SEC)

struct daemon {
	const struct options *options;
	struct options reloaded; /* where options points to after a reload */
	int argc;
	char **argv;
	struct loop *loop;
	struct notify notify;
	bool ready; /* and the service manager knows */
	bool swept_once, began;
	struct session *session;
	struct follower *follower;
	struct report_builder *builder;
	struct outputs outputs;
	struct kept_state state;

	uint64_t next_sweep_ns;
	uint64_t process_events_lost; /* when last looked */
	uint64_t lost_before;	      /* and by the followers before this one */
	uint64_t first_round_ns, next_cycle_ns, cycle_began_ns;
	double cycle_seconds; /* the last one's */
	bool cycling;	      /* a round over all targets is under way */

	struct budget budget;

	const char *ending; /* why the run is ending; NULL while it is not */
	int err;
	struct failure failure;
};

static void stop(struct daemon *daemon, int err)
{
	if (!daemon->err)
		daemon->err = err;
	loop__stop(daemon->loop);
}

/* --- gleakd's own budget -------------------------------------------------------------------------- */

static void use_budget(struct daemon *daemon)
{
	daemon->budget.max_cpu = daemon->options->max_self_cpu;
	daemon->budget.max_memory = daemon->options->max_memory;
}

static void keep_memory(struct daemon *daemon)
{
	budget__keep_memory(&daemon->budget);
	follower__pause(daemon->follower, daemon->budget.full);
	session__freeze(daemon->session, daemon->budget.full);
}

/* --- a round over all targets --------------------------------------------------------------------- */

static void take_notes(struct daemon *daemon)
{
	struct discovery_counts counts;
	const struct report_notes notes = {
		.discovery = &counts,
		.cycle_seconds = daemon->cycle_seconds,
		.interval_stretch = daemon->budget.stretch,
		.process_events_lost =
			daemon->lost_before + follower__events_lost(daemon->follower),
		.textfile_errors = daemon->outputs.exporter.errors,
		.state_errors = daemon->state.errors,
	};

	follower__counts(daemon->follower, &counts);
	report_builder__note(daemon->builder, &notes);
}

static bool show(struct daemon *daemon, const char *final_reason)
{
	const struct report *report;
	int err;

	take_notes(daemon);
	err = report_builder__build(daemon->builder, daemon->session, clock__monotonic_ns(),
				    clock__realtime_ns(), final_reason, &report);
	if (!err)
		err = outputs__write(&daemon->outputs, report);
	if (!err)
		return true;
	/* The reader of a pipe may leave at any time. */
	stop(daemon, err == -EPIPE ? 0 : err);
	return false;
}

static void finish(struct daemon *daemon)
{
	int err;

	session__drain(daemon->session);
	err = kept_state__save(&daemon->state, daemon->session, &daemon->failure);
	if (show(daemon, daemon->ending) || err)
		stop(daemon, err);
}

static void begin_cycle(struct daemon *daemon)
{
	uint64_t now_ns = clock__monotonic_ns();
	int err;

	budget__keep_cpu(&daemon->budget, follower__settled(daemon->follower), now_ns);
	follower__check_targets(daemon->follower);
	daemon->next_cycle_ns = now_ns + daemon->options->interval_ns * daemon->budget.stretch;
	daemon->cycle_began_ns = now_ns;
	err = session__census_start(daemon->session, &daemon->failure);
	if (err && err != -EBUSY)
		stop(daemon, err);
	else
		daemon->cycling = true;
}

static void end_cycle(struct daemon *daemon)
{
	daemon->cycling = false;
	daemon->cycle_seconds =
		(double)(clock__monotonic_ns() - daemon->cycle_began_ns) / (double)NSEC_PER_SEC;
	if (daemon->options->once)
		daemon->ending = "once";
	if (daemon->ending) {
		finish(daemon);
		return;
	}
	kept_state__save_due(&daemon->state, daemon->session);
	show(daemon, "");
	if (!daemon->ready)
		notify__ready(&daemon->notify);
	daemon->ready = true;
	notify__status(&daemon->notify, "watching %zu Go processes; the last round took %.2f s",
		       session__n_targets(daemon->session), daemon->cycle_seconds);
}

/* --- the loop's work ------------------------------------------------------------------------------- */

/* One slice of whatever is due; true while there is more. */
static bool work(void *ctx)
{
	struct daemon *daemon = ctx;
	/* The last round is over those who are there. */
	bool attaching = !daemon->ending && follower__step(daemon->follower);
	int more;

	notify__watchdog(&daemon->notify, clock__monotonic_ns());

	if (daemon->cycling) {
		more = session__census_step(daemon->session, SESSION_SLICE_NS, &daemon->failure);
		if (more < 0) {
			stop(daemon, more);
			return false;
		}
		if (!more)
			end_cycle(daemon);
		return true;
	}
	/* The first look waits until there is something to look at. */
	if (daemon->options->once && follower__settled(daemon->follower)) {
		begin_cycle(daemon);
		return true;
	}
	return attaching;
}

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

/* Once a second: who came and went, what watching costs, and whether the next round is due. */
static void on_second(void *ctx)
{
	struct daemon *daemon = ctx;
	uint64_t now_ns = clock__monotonic_ns();

	notify__watchdog(&daemon->notify, now_ns);
	follower__consume(daemon->follower);
	sweep_if_due(daemon, now_ns);
	/* The first round begins when all who were there at the start are attached. */
	if (daemon->swept_once && !daemon->began &&
	    (follower__settled(daemon->follower) || now_ns >= daemon->first_round_ns)) {
		daemon->began = true;
		daemon->next_cycle_ns = now_ns;
	}
	daemon->swept_once = true;
	log__tell_suppressed(now_ns);
	keep_memory(daemon);
	session__govern(daemon->session, now_ns);
	/* At the nearest of these seconds, or each round would come a second late. */
	if (!daemon->cycling && !daemon->options->once &&
	    now_ns + SESSION_GOVERN_NS / 2 >= daemon->next_cycle_ns)
		begin_cycle(daemon);
	loop__set_work(daemon->loop, work, daemon);
}

static void on_ring(void *ctx)
{
	struct daemon *daemon = ctx;

	session__drain(daemon->session);
}

static void on_processes(void *ctx)
{
	struct daemon *daemon = ctx;

	follower__consume(daemon->follower);
}

static void on_save_due(void *ctx)
{
	struct daemon *daemon = ctx;

	daemon->state.due = true;
}

/* --- its end ---------------------------------------------------------------------------------------- */

/* One more round, then the last report; a second request ends at once. */
static void end(struct daemon *daemon, const char *reason)
{
	bool again = daemon->ending;

	daemon->ending = reason;
	notify__stopping(&daemon->notify);
	if (again) {
		finish(daemon);
		return;
	}
	if (!daemon->cycling)
		begin_cycle(daemon);
	loop__set_work(daemon->loop, work, daemon);
}

static void on_duration(void *ctx)
{
	end(ctx, "duration over");
}

static int open_follower(const struct options *options, struct session *session,
			 struct follower **ret_follower, struct failure *failure)
{
	struct follower_options following = {
		.proc_root = PROC_ROOT,
		/* Who asks once wants to see what is there now. */
		.min_process_age_ns = options->once ? 0 : options->min_process_age_ns,
		.max_targets = min_of((size_t)options->max_targets, (size_t)SESSION_MAX_TARGETS),
		.only = options->only.items,
		.n_only = options->only.n,
		.exclude = options->exclude.items,
		.n_exclude = options->exclude.n,
	};
	int err = follower__new(&following, session, ret_follower, failure);

	if (!err && follower__no_events(*ret_follower))
		log_info("new processes are found by looking through /proc alone: %s",
			 follower__no_events(*ret_follower));
	return err;
}

static int open_builder(const struct options *options, const struct outputs *outputs,
			struct report_builder **ret_builder)
{
	int err = report_builder__new(options->min_age_ns, ret_builder);

	if (err)
		return err;
	report_builder__set_allow(*ret_builder, outputs->allow);
	report_builder__set_group(*ret_builder, (enum report_group)options->group_by);
	return 0;
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
	follower__free(parts->follower);
	report_builder__free(parts->builder);
	options__free(&parts->options);
}

static int make_parts(struct daemon *daemon, struct parts *parts)
{
	struct failure failure = {0};
	int err = outputs__read_files(&parts->outputs, &parts->options, &failure);

	if (!err)
		err = open_follower(&parts->options, daemon->session, &parts->follower, &failure);
	if (!err)
		err = open_builder(&parts->options, &parts->outputs, &parts->builder);
	if (!err)
		err = outputs__open(&parts->outputs);
	if (err)
		log_error("%s; going on as before",
			  failure.text[0] ? failure.text : strerror(-err));
	return err;
}

static void use_parts(struct daemon *daemon, struct parts *parts)
{
	options__free(&daemon->reloaded);
	daemon->reloaded = parts->options;
	daemon->options = &daemon->reloaded;
	/* The old metrics file goes; the next round writes the new one at once. */
	parts->outputs.exporter.errors = daemon->outputs.exporter.errors;
	outputs__close(&daemon->outputs);
	daemon->outputs = parts->outputs;
	daemon->outputs.options = daemon->options;
	report_builder__free(daemon->builder);
	daemon->builder = parts->builder;
	daemon->lost_before += follower__events_lost(daemon->follower);
	loop__remove_fd(daemon->loop, follower__fd(daemon->follower));
	follower__free(daemon->follower);
	daemon->follower = parts->follower;
	use_budget(daemon);
	keep_memory(daemon);
	session__set_max_overhead(daemon->session, daemon->options->max_overhead);
	follower__take_over(daemon->follower);
	daemon->next_sweep_ns = daemon->next_cycle_ns = 0;
	daemon->process_events_lost = 0;
}

static void reload(struct daemon *daemon)
{
	struct parts parts = {0};
	struct config_errors errors;
	int fd;

	notify__reloading(&daemon->notify, clock__monotonic_ns());
	daemon->ready = false;
	if (config__load(daemon->argc, daemon->argv, CONFIG_PATH, &parts.options, &errors)) {
		config_errors__log(&errors);
		log_error("the configuration was not read again; going on as before");
		return;
	}
	if (make_parts(daemon, &parts)) {
		outputs__close(&parts.outputs);
		free_parts(&parts);
		return;
	}
	use_parts(daemon, &parts);
	fd = follower__fd(daemon->follower);
	if (fd >= 0 && loop__add_fd(daemon->loop, fd, on_processes, daemon))
		log_warn("process events are looked at once a second only");
	log_info("the configuration was read again");
}

static void on_signal(void *ctx, int signal)
{
	struct daemon *daemon = ctx;

	if (signal == SIGWINCH)
		outputs__resize(&daemon->outputs);
	else if (signal == SIGHUP)
		reload(daemon);
	else
		end(daemon, signal == SIGINT ? "interrupted" : "terminated");
}

/* --- its beginning ----------------------------------------------------------------------------------- */

static int add_signals(struct daemon *daemon)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGWINCH);
	return loop__add_signals(daemon->loop, &signals, on_signal, daemon);
}

static enum probe_mode wanted_mode(const struct options *options)
{
	if (options->once || options->mode == MODE_CENSUS)
		return PROBE_MODE_CENSUS;
	return options->mode == MODE_LIFECYCLE ? PROBE_MODE_LIFECYCLE : PROBE_MODE_FULL;
}

static int open_session(struct daemon *daemon)
{
	const struct options *options = daemon->options;
	struct session_options session = {
		.proc_root = PROC_ROOT,
		.mode = wanted_mode(options),
		.ring_bytes = options->ring_bytes,
		.max_overhead = options->max_overhead,
		.begin_low = true,
		.calibrate = !options->once,
		.state = daemon->state.file,
	};

	return session__new(&session, &daemon->session, &daemon->failure);
}

static int add_sources(struct daemon *daemon)
{
	const struct options *options = daemon->options;
	int ring_fd = session__ring_fd(daemon->session);
	int processes_fd = follower__fd(daemon->follower);
	int err = loop__add_timer(daemon->loop, 1, SESSION_GOVERN_NS, on_second, daemon);

	if (!err && ring_fd >= 0)
		err = loop__add_fd(daemon->loop, ring_fd, on_ring, daemon);
	if (!err && ring_fd >= 0)
		err = loop__add_timer(daemon->loop, SESSION_DRAIN_NS, SESSION_DRAIN_NS, on_ring,
				      daemon);
	if (!err && processes_fd >= 0)
		err = loop__add_fd(daemon->loop, processes_fd, on_processes, daemon);
	if (!err && options->duration_ns)
		err = loop__add_timer(daemon->loop, options->duration_ns, 0, on_duration, daemon);
	if (!err && options->state && !options->once)
		err = loop__add_timer(daemon->loop, KEPT_STATE_INTERVAL_NS, KEPT_STATE_INTERVAL_NS,
				      on_save_due, daemon);
	return err;
}

/* A target takes up to seven descriptors; a shell allows for a hundred and fifty of them. */
static void raise_file_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files))
		log_debug("the limit of open files stays at %llu: %s",
			  (unsigned long long)files.rlim_cur, strerror(errno));
}

static int bring_up(struct daemon *daemon)
{
	const struct options *options = daemon->options;
	int err;

	raise_file_limit();
	err = outputs__read_files(&daemon->outputs, options, &daemon->failure);
	if (!err && options->state)
		err = kept_state__open(&daemon->state, options->state, &daemon->failure);
	if (!err)
		err = loop__new(&daemon->loop);
	/* Signals first: from here on every end is an orderly one. */
	if (!err)
		err = add_signals(daemon);
	if (!err)
		err = open_session(daemon);
	if (!err)
		err = open_follower(options, daemon->session, &daemon->follower, &daemon->failure);
	if (!err)
		err = open_builder(options, &daemon->outputs, &daemon->builder);
	if (!err)
		err = outputs__open(&daemon->outputs);
	return err ? err : add_sources(daemon);
}

static void take_down(struct daemon *daemon)
{
	outputs__close(&daemon->outputs);
	report_builder__free(daemon->builder);
	follower__free(daemon->follower);
	session__free(daemon->session);
	loop__free(daemon->loop);
	kept_state__close(&daemon->state);
	options__free(&daemon->reloaded);
}

/* A file of ours in a folder that only an override of permissions lets us write to. */
static bool needs_override(const char *path)
{
	char folder[PATH_MAX];
	char *slash;

	if (!path)
		return false;
	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (!slash)
		return !capability__writable(".");
	slash[slash == folder] = '\0';
	return !capability__writable(folder);
}

/* What was opened stays open; what is still to be opened needs less than what came before. */
static void drop_privileges(const struct daemon *daemon)
{
	const struct options *options = daemon->options;
	const struct capability_use use = {
		.probes = wanted_mode(options) != PROBE_MODE_CENSUS,
		.uprobe_multi = session__uprobe_multi(daemon->session),
		.write_anywhere =
			needs_override(options->state) || needs_override(options->textfile),
	};
	struct failure failure = {0};
	char names[256];
	uint64_t kept;

	if (capability__keep(capability__needed(&use), &kept, &failure)) {
		log_warn("privileges were not given up: %s", failure.text);
		return;
	}
	capability__names(kept, names, sizeof(names));
	log_debug("privileges that are left: %s", names);
}

int command__daemon(const struct options *options, int argc, char **argv)
{
	struct daemon daemon = {
		.options = options, .argc = argc, .argv = argv, .budget.stretch = 1};
	int err, found;

	signal(SIGPIPE, SIG_IGN);
	notify__open(&daemon.notify);
	log__limit(true);
	err = bring_up(&daemon);
	if (!err)
		drop_privileges(&daemon);
	if (!err) {
		use_budget(&daemon);
		daemon.first_round_ns = clock__monotonic_ns() + FIRST_ROUND_NS(options);
		daemon.next_cycle_ns = UINT64_MAX; /* until there is somebody to look at */
		err = loop__run(daemon.loop);
	}
	if (!err)
		err = daemon.err;
	found = daemon.outputs.found ? (int)daemon.options->error_exitcode : 0;
	take_down(&daemon);
	log__tell_suppressed(UINT64_MAX);
	notify__close(&daemon.notify);
	if (!err)
		return found;
	log_error("%s", daemon.failure.text[0] ? daemon.failure.text : strerror(-err));
	return failure__exit_code(err);
}
