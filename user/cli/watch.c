// SPDX-License-Identifier: Apache-2.0
#include "cli/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "cli/findings.h"
#include "cli/kept_state.h"
#include "cli/outputs.h"
#include "report/builder.h"
#include "session/session.h"

struct watch {
	const struct options *options;
	struct loop *loop;
	struct session *session;
	struct target *target;
	struct report_builder *builder;
	struct outputs outputs;
	struct kept_state state;
	int pidfd;
	const char *ending; /* why the run is ending; NULL while it is not */
	int err;
	struct failure failure;
};

static int print_failure(const struct failure *failure, int err)
{
	log_error("%s", failure->text[0] ? failure->text : strerror(-err));
	return failure__exit_code(err);
}

/* --- output ------------------------------------------------------------------------------------- */

static void stop(struct watch *watch, int err)
{
	if (!watch->err)
		watch->err = err;
	loop__stop(watch->loop);
}

/* Reports; an error ends the run. False when the run is over. */
static bool show(struct watch *watch, const char *final_reason)
{
	const struct report_notes notes = {
		.textfile_errors = watch->outputs.exporter.errors,
		.state_errors = watch->state.errors,
	};
	const struct report *report;
	int err;

	report_builder__note(watch->builder, &notes);
	err = report_builder__build(watch->builder, watch->session, clock__monotonic_ns(),
				    clock__realtime_ns(), final_reason, &report);

	if (!err)
		err = outputs__write(&watch->outputs, report);
	if (!err)
		return true;
	/* The reader of a pipe may leave at any time: `gleakd --json | head -1` is no failure. */
	stop(watch, err == -EPIPE ? 0 : err);
	return false;
}

static void log_census(const struct target *target)
{
	const struct census_result *census = target__census(target);

	log_debug("census slots=%zu alive=%zu changed=%zu stacks=%zu wall_ms=%.1f cpu_ms=%.1f",
		  census->slots, census->alive, census->changed, census->stacks_read,
		  (double)(census->finished_ns - census->started_ns) / NSEC_PER_MSEC,
		  (double)census->cpu_ns / NSEC_PER_MSEC);
}

static void log_sites(const struct target *target)
{
	for (int e = 0; e < PROBE_EVENT_COUNT; e++) {
		const struct probe_site *site = &target__plan(target)->sites[e];

		if (site->present)
			log_debug("site %s %s+0x%x 0x%llx %s",
				  probe_event__name((enum probe_event)e), site->function,
				  site->func_offset, (unsigned long long)site->address,
				  probe_class__name(site->class));
		else if (site->reason[0])
			log_debug("site %s none: %s", probe_event__name((enum probe_event)e),
				  site->reason);
	}
}

/* --- the run ------------------------------------------------------------------------------------ */

static const char *ended_reason(const struct target *target)
{
	return target__state(target) == TARGET_EXECUTED ? "target executed another program" :
							  "target exited";
}

/* The run is over: the last word after what is still in the ring. */
static void finish(struct watch *watch)
{
	int err;

	session__drain(watch->session);
	err = kept_state__save(&watch->state, watch->session, &watch->failure);
	if (show(watch, watch->ending) || err)
		stop(watch, err);
}

/* A slice of census; reports when it is complete. True while there is more. */
static bool census_slice(void *ctx)
{
	struct watch *watch = ctx;
	int more = session__census_step(watch->session, SESSION_SLICE_NS, &watch->failure);

	if (more > 0)
		return true;
	if (more < 0) {
		stop(watch, more);
		return false;
	}
	log_census(watch->target);
	if (!session__live(watch->session) && !watch->ending)
		watch->ending = ended_reason(watch->target);
	if (target__state(watch->target) == TARGET_UNREADABLE) {
		stop(watch, failure__set(&watch->failure, -EPROTO, "process %d: %s",
					 watch->options->pid, target__trouble(watch->target)));
		return false;
	}
	if (watch->ending) {
		finish(watch);
		return false;
	}
	kept_state__save_due(&watch->state, watch->session);
	show(watch, "");
	return false;
}

static void begin_census(struct watch *watch)
{
	int err = session__census_start(watch->session, &watch->failure);

	/* The census before is still under way: a huge target and a short interval. */
	if (err == -EBUSY)
		return;
	if (err)
		stop(watch, err);
	else
		loop__set_work(watch->loop, census_slice, watch);
}

/* End with one more look; a second request ends at once. */
static void end(struct watch *watch, const char *reason)
{
	bool again = watch->ending;

	watch->ending = reason;
	if (again || !session__live(watch->session))
		finish(watch);
	else
		begin_census(watch);
}

static void on_interval(void *ctx)
{
	struct watch *watch = ctx;

	if (!watch->ending)
		begin_census(watch);
}

static void on_ring(void *ctx)
{
	struct watch *watch = ctx;

	session__drain(watch->session);
}

static void on_save_due(void *ctx)
{
	struct watch *watch = ctx;

	watch->state.due = true;
}

static void on_govern(void *ctx)
{
	struct watch *watch = ctx;

	session__govern(watch->session, clock__monotonic_ns());
}

static void on_duration(void *ctx)
{
	end(ctx, "duration over");
}

static void on_signal(void *ctx, int signal)
{
	struct watch *watch = ctx;

	if (signal == SIGWINCH) {
		outputs__resize(&watch->outputs);
		return;
	}
	end(ctx, signal == SIGINT ? "interrupted" : "terminated");
}

static void on_target_end(void *ctx)
{
	struct watch *watch = ctx;

	loop__remove_fd(watch->loop, watch->pidfd);
	session__live(watch->session);
	watch->ending = ended_reason(watch->target);
	finish(watch);
}

static int add_signals(struct watch *watch)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGWINCH);
	return loop__add_signals(watch->loop, &signals, on_signal, watch);
}

static int add_sources(struct watch *watch)
{
	const struct options *options = watch->options;
	int ring_fd = session__ring_fd(watch->session);
	int err = 0;

	watch->pidfd = process__pidfd(options->pid);
	if (watch->pidfd >= 0)
		err = loop__add_fd(watch->loop, watch->pidfd, on_target_end, watch);
	if (!err && ring_fd >= 0)
		err = loop__add_fd(watch->loop, ring_fd, on_ring, watch);
	if (!err && ring_fd >= 0)
		err = loop__add_timer(watch->loop, SESSION_DRAIN_NS, SESSION_DRAIN_NS, on_ring,
				      watch);
	if (!err && ring_fd >= 0)
		err = loop__add_timer(watch->loop, SESSION_GOVERN_FIRST_NS, SESSION_GOVERN_NS,
				      on_govern, watch);
	if (!err && !options->once)
		err = loop__add_timer(watch->loop, options->interval_ns, options->interval_ns,
				      on_interval, watch);
	if (!err && options->duration_ns)
		err = loop__add_timer(watch->loop, options->duration_ns, 0, on_duration, watch);
	if (!err && options->state && !options->once)
		err = loop__add_timer(watch->loop, KEPT_STATE_INTERVAL_NS, KEPT_STATE_INTERVAL_NS,
				      on_save_due, watch);
	return err;
}

static enum probe_mode wanted_mode(const struct options *options)
{
	/* One look needs no probes. */
	if (options->once)
		return PROBE_MODE_CENSUS;
	switch (options->mode) {
	case MODE_CENSUS:
		return PROBE_MODE_CENSUS;
	case MODE_LIFECYCLE:
		return PROBE_MODE_LIFECYCLE;
	case MODE_AUTO:
	case MODE_FULL:
		break;
	}
	return PROBE_MODE_FULL;
}

/* Files of options, which may be pipes: while SIGINT still ends the program. */
static int read_files(struct watch *watch)
{
	const struct options *options = watch->options;
	int err;

	err = outputs__read_files(&watch->outputs, options, &watch->failure);
	if (!err && options->state)
		err = kept_state__open(&watch->state, options->state, &watch->failure);
	return err;
}

static int open_session(struct watch *watch)
{
	struct session_options session = {
		.proc_root = PROC_ROOT,
		.mode = wanted_mode(watch->options),
		.ring_bytes = watch->options->ring_bytes,
		/* Who chooses a mode gets it, whatever it costs. */
		.max_overhead =
			watch->options->mode == MODE_AUTO ? watch->options->max_overhead : 0,
		.patient = true,
		.list_goroutines = watch->options->goroutines,
		.list_system = watch->options->all,
		.state = watch->state.file,
	};
	int err = session__new(&session, &watch->session, &watch->failure);

	if (!err)
		err = session__add(watch->session, watch->options->pid, &watch->target,
				   &watch->failure);
	return err;
}

static int bring_up(struct watch *watch)
{
	int err = read_files(watch);

	if (!err)
		err = loop__new(&watch->loop);
	/* Signals first: from here on every end is an orderly one. */
	if (!err)
		err = add_signals(watch);
	if (!err)
		err = open_session(watch);
	if (!err)
		err = report_builder__new(watch->options->min_age_ns, &watch->builder);
	if (!err)
		report_builder__set_allow(watch->builder, watch->outputs.allow);
	if (!err)
		err = outputs__open(&watch->outputs);
	if (!err)
		err = add_sources(watch);
	return err;
}

static void take_down(struct watch *watch)
{
	outputs__close(&watch->outputs);
	report_builder__free(watch->builder);
	session__free(watch->session);
	loop__free(watch->loop);
	kept_state__close(&watch->state);
	if (watch->pidfd >= 0)
		close(watch->pidfd);
}

int command__watch(const struct options *options)
{
	struct watch watch = {.options = options, .pidfd = -1};
	int err;

	signal(SIGPIPE, SIG_IGN);
	err = bring_up(&watch);
	if (!err) {
		log_sites(watch.target);
		if (options->once)
			watch.ending = "once";
		begin_census(&watch);
		err = loop__run(watch.loop);
	}
	if (!err)
		err = watch.err;
	if (!err && watch.outputs.allow && options->verbose)
		findings__tell_unused(watch.outputs.allow, options->allow);
	take_down(&watch);
	if (err)
		return print_failure(&watch.failure, err);
	return watch.outputs.found ? (int)options->error_exitcode : 0;
}
