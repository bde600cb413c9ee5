// SPDX-License-Identifier: Apache-2.0
#include "cli/rounds.h"

#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "base/held.h"
#include "base/log.h"
#include "cli/findings.h"
#include "cli/privileges.h"
#include "cli/report_pipe.h"
#include "cli/round_limits.h"
#include "cli/rounds_exit.h"

static void stop(struct rounds *rounds, int err)
{
	if (!rounds->err)
		rounds->err = err;
	loop__stop(rounds->loop);
}

/* --- a round ------------------------------------------------------------------------------------- */

/* An error ends the run. */
static void report(struct rounds *rounds, enum report_end end)
{
	struct report_notes notes = {
		.cycle_ns = rounds->round_ns,
		.interval_stretch = rounds->stretch,
		.textfile_errors = rounds->outputs.exporter.errors,
		.state_errors = rounds->state.errors,
		.reports_left_out = report_pipe__left_out(),
		.held = held__take(),
	};
	const struct report *report;
	int err;

	held__by(HELD_BY_REPORT);
	if (rounds->ops->note)
		rounds->ops->note(rounds->ctx, &notes);
	report_builder__note(rounds->builder, &notes);
	evidence__forget_report(rounds->evidence);
	err = report_builder__build(rounds->builder, rounds->session, clock__monotonic_ns(),
				    clock__realtime_ns(), end, &report);
	if (!err)
		evidence__note(rounds->evidence, rounds->session, report);
	if (!err)
		err = outputs__write(&rounds->outputs, report);
	if (!err && rounds->ops->reported)
		err = rounds->ops->reported(rounds->ctx, report);
	/* The reader of a pipe may leave at any time: `gleakd --json | head -1` is no failure. */
	if (err)
		stop(rounds, err == -EPIPE ? 0 : err);
	else if (outputs__is_futile(&rounds->outputs))
		rounds__finish(rounds, REPORT_NOTHING_TO_EXPLAIN);
}

void rounds__fail(struct rounds *rounds, int err)
{
	stop(rounds, err);
}

void rounds__finish(struct rounds *rounds, enum report_end end)
{
	int err;

	if (rounds->finished)
		return;
	rounds->finished = true;
	rounds->end = end;
	session__drain(rounds->session);
	err = state_autosave__save_last(&rounds->state, rounds->session, &rounds->failure);
	report(rounds, end);
	evidence__finish(rounds->evidence, rounds);
	stop(rounds, err);
}

static void tell_ready(struct rounds *rounds)
{
	if (!rounds->told_ready)
		notify__ready(&rounds->notify);
	rounds->told_ready = true;
	notify__status(&rounds->notify, "watching %zu Go processes; the last round took %.2f s",
		       session__n_targets(rounds->session), report__seconds(rounds->round_ns));
}

/* All censuses are complete: the report. */
static void complete(struct rounds *rounds)
{
	enum report_end end = REPORT_GOES_ON;
	int err = rounds->ops->complete ? rounds->ops->complete(rounds->ctx, &end) : 0;

	rounds->under_way = false;
	if (err) {
		stop(rounds, err);
		return;
	}
	rounds->round_ns = clock__monotonic_ns() - rounds->round_began_ns;
	if (rounds->end)
		end = rounds->end;
	else if (rounds->options->once && !end)
		end = REPORT_ONCE;
	if (end) {
		rounds__finish(rounds, end);
		return;
	}
	state_autosave__save_due(&rounds->state, rounds->session);
	report(rounds, REPORT_GOES_ON);
	tell_ready(rounds);
}

/* Whose census takes long is not waited for by the report on all others; it goes on meanwhile. */
static bool is_late(const struct rounds *rounds)
{
	return rounds->max_round_ns &&
	       clock__monotonic_ns() - rounds->round_began_ns >= rounds->max_round_ns;
}

static void census_slice(struct rounds *rounds)
{
	int more;

	held__by(HELD_BY_CENSUS);
	more = session__census_step(rounds->session, SESSION_SLICE_NS, &rounds->failure);

	if (more < 0)
		stop(rounds, more);
	else if (rounds->under_way && (!more || is_late(rounds)))
		complete(rounds);
}

static void begin(struct rounds *rounds);

/* One look is over before several scans could confirm anything. */
static bool reads_heap(const struct rounds *rounds)
{
	const struct options *options = rounds->options;

	return !options->no_heap && !options->once && !rounds->end;
}

static bool heap_slice(struct rounds *rounds, uint64_t now_ns)
{
	uint64_t failures = rounds->heap.failures;
	bool more;

	held__by(HELD_BY_HEAP);
	more = heap_turns__step(&rounds->heap, rounds->session, SESSION_SLICE_NS, now_ns);

	if (rounds->heap.failures != failures)
		log_debug("heap: %s", rounds->heap.failure.text);
	return more;
}

/* Where memory is allocated: of what is left of the share that reading heaps may take. */
static bool sample_slice(struct rounds *rounds, uint64_t now_ns)
{
	held__by(HELD_BY_HEAP);
	return sample_turns__step(&rounds->samples, rounds->session, SESSION_SLICE_NS, now_ns);
}

/* Called by the loop while nothing else is due; true while there is more to do. */
static bool work(void *ctx)
{
	struct rounds *rounds = ctx;
	bool was_under_way = rounds->under_way, more;
	uint64_t now_ns;

	held__by(HELD_BY_PROCESSES);
	/* A run that is ending takes a last look at its targets and needs no others. */
	more = !rounds->end && rounds->ops->work && rounds->ops->work(rounds->ctx);
	now_ns = clock__monotonic_ns();
	notify__watchdog(&rounds->notify, now_ns);
	if (rounds->under_way || session__census_under_way(rounds->session))
		census_slice(rounds);
	else if (!rounds->began && (!rounds->ops->ready || rounds->ops->ready(rounds->ctx, now_ns)))
		begin(rounds);
	/* Also right behind a round: where rounds are short that may be the only time. */
	if (rounds->began && !rounds->under_way && reads_heap(rounds)) {
		more |= heap_slice(rounds, now_ns);
		more |= sample_slice(rounds, now_ns);
	}
	if (!rounds->under_way && !rounds->end)
		more |= evidence__step(rounds->evidence, rounds, now_ns);
	/* What waited for the end of the round. */
	more |= was_under_way && !rounds->under_way;
	rounds->busy = more || rounds->under_way || session__census_under_way(rounds->session);
	return rounds->busy;
}

static void on_interval(void *ctx)
{
	struct rounds *rounds = ctx;

	/* A round may take longer than an interval: then this one is left out. */
	if (!rounds->under_way && !rounds->end)
		begin(rounds);
}

static void set_timer(struct rounds *rounds, uint64_t first_ns)
{
	uint64_t interval_ns = rounds->options->interval_ns * rounds->stretch;
	int err = loop__set_timer(rounds->loop, first_ns, interval_ns, on_interval, rounds);

	if (err)
		stop(rounds, err);
	rounds->interval_ns = interval_ns;
}

void rounds__hurry(struct rounds *rounds)
{
	if (rounds->began && !rounds->under_way && !rounds->options->once)
		set_timer(rounds, 1);
}

/* Sets the timer of rounds unless it has this interval already. */
static void keep_interval(struct rounds *rounds)
{
	uint64_t interval_ns = rounds->options->interval_ns * rounds->stretch;

	if (!rounds->options->once && interval_ns != rounds->interval_ns)
		set_timer(rounds, interval_ns);
}

static void begin(struct rounds *rounds)
{
	uint64_t now_ns = clock__monotonic_ns();
	int err;

	held__by(HELD_BY_CENSUS);
	rounds->began = true;
	alloc_turns__settle(&rounds->allocs);
	if (rounds->ops->begin)
		rounds->ops->begin(rounds->ctx, now_ns);
	keep_interval(rounds);
	rounds->round_began_ns = now_ns;
	err = session__census_start(rounds->session, &rounds->failure);
	if (err) {
		stop(rounds, err);
		return;
	}
	if (rounds->ops->begun)
		rounds->ops->begun(rounds->ctx);
	rounds->under_way = true;
	loop__set_work(rounds->loop, work, rounds);
}

/* --- what the loop calls ------------------------------------------------------------------------- */

/*
 * timeout(1) and others signal a process and its group: the worker is told by them and by the broker, and
 * that is one request.
 */
#define SAME_REQUEST_NS (100 * NSEC_PER_MSEC)

/* End with one more round; a second request ends at once. */
static void end_with(struct rounds *rounds, enum report_end end)
{
	uint64_t now_ns = clock__monotonic_ns();
	bool again = rounds->end;

	if (again && now_ns - rounds->end_asked_ns < SAME_REQUEST_NS)
		return;
	rounds->end_asked_ns = now_ns;
	rounds->end = end;
	notify__stopping(&rounds->notify);
	if (again)
		rounds__finish(rounds, end);
	else if (!rounds->under_way)
		begin(rounds);
}

static void on_alloc_tick(void *ctx)
{
	struct rounds *rounds = ctx;
	uint64_t again_ns = alloc_turns__tick(&rounds->allocs, rounds->busy || rounds->under_way);
	int err = again_ns ? loop__set_timer(rounds->loop, again_ns, 0, on_alloc_tick, rounds) : 0;

	if (err)
		stop(rounds, err);
}

static void choose_watched(struct rounds *rounds, uint64_t now_ns)
{
	int err;

	if (!alloc_turns__second(&rounds->allocs, rounds->session, now_ns))
		return;
	err = loop__add_fd(rounds->loop, alloc_turns__ring_fd(&rounds->allocs), on_alloc_tick,
			   rounds);
	if (err)
		stop(rounds, err);
	else
		on_alloc_tick(rounds);
}

static void keep_budgets(struct rounds *rounds, uint64_t now_ns)
{
	log__tell_suppressed(now_ns);
	session__govern(rounds->session, now_ns);
	rounds->kept_ns = now_ns;
}

bool rounds__meanwhile(struct rounds *rounds)
{
	uint64_t now_ns = clock__monotonic_ns();

	notify__watchdog(&rounds->notify, now_ns);
	session__drain(rounds->session);
	(void)alloc_turns__tick(&rounds->allocs, true);
	(void)open_turns__tick(&rounds->opens);
	if (now_ns - rounds->kept_ns < SESSION_GOVERN_NS)
		return false;
	keep_budgets(rounds, now_ns);
	return true;
}

static void on_second(void *ctx)
{
	struct rounds *rounds = ctx;
	uint64_t now_ns = clock__monotonic_ns();

	notify__watchdog(&rounds->notify, now_ns);
	held__by(HELD_BY_PROCESSES);
	if (rounds->ops->second)
		rounds->ops->second(rounds->ctx, now_ns);
	held__by(HELD_BY_PROBES);
	keep_budgets(rounds, now_ns);
	if (rounds->began && !rounds->under_way && !rounds->end)
		choose_watched(rounds, now_ns);
	loop__set_work(rounds->loop, work, rounds);
}

static void on_ring(void *ctx)
{
	struct rounds *rounds = ctx;

	held__by(HELD_BY_EVENTS);
	session__drain(rounds->session);
}

static void on_save_due(void *ctx)
{
	struct rounds *rounds = ctx;

	rounds->state.due = true;
}

static void on_duration(void *ctx)
{
	end_with(ctx, REPORT_DURATION_OVER);
}

static void on_signal(void *ctx, int signal)
{
	struct rounds *rounds = ctx;

	if (signal == SIGWINCH)
		outputs__resize(&rounds->outputs);
	else if (signal == SIGHUP && rounds->ops->hangup)
		rounds->ops->hangup(rounds->ctx);
	else
		end_with(rounds, signal == SIGINT ? REPORT_INTERRUPTED : REPORT_TERMINATED);
}

static int add_signals(struct rounds *rounds)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGWINCH);
	return loop__add_signals(rounds->loop, &signals, on_signal, rounds);
}

static int add_ring(struct rounds *rounds)
{
	int fd = session__ring_fd(rounds->session);
	int err = 0;

	if (fd >= 0)
		err = loop__add_fd(rounds->loop, fd, on_ring, rounds);
	if (!err && fd >= 0)
		err = loop__add_timer(rounds->loop, SESSION_DRAIN_NS, SESSION_DRAIN_NS, on_ring,
				      rounds);
	return err;
}

static int add_timers(struct rounds *rounds)
{
	const struct options *options = rounds->options;
	int err = loop__add_timer(rounds->loop, rounds->first_second_ns, SESSION_GOVERN_NS,
				  on_second, rounds);

	if (!err && options->duration_ns)
		err = loop__add_timer(rounds->loop, options->duration_ns, 0, on_duration, rounds);
	if (!err && options->state && !options->once)
		err = loop__add_timer(rounds->loop, STATE_AUTOSAVE_INTERVAL_NS,
				      STATE_AUTOSAVE_INTERVAL_NS, on_save_due, rounds);
	return err;
}

/* --- beginning and end --------------------------------------------------------------------------- */

/* One look at each process needs no probes. */
static enum probe_mode wanted_mode(const struct options *options)
{
	if (options->once)
		return PROBE_MODE_CENSUS;
	return options->mode == MODE_AUTO ? PROBE_MODE_FULL : (enum probe_mode)options->mode;
}

static int open_session(struct rounds *rounds, const struct session_options *wanted)
{
	const struct options *options = rounds->options;
	struct session_options session = *wanted;

	session.proc_root = PROC_ROOT;
	session.mode = wanted_mode(options);
	session.ring_bytes = options->ring_bytes;
	session.max_overhead = options->max_overhead;
	session.state = rounds->state.file;
	return session__new(&session, &rounds->session, &rounds->failure);
}

int rounds__new_builder(const struct options *options, const struct outputs *outputs,
			struct report_builder **ret_builder)
{
	int err = report_builder__new(options->min_age_ns, ret_builder);

	if (err)
		return err;
	report_builder__set_allow(*ret_builder, outputs->allow);
	report_builder__set_source(*ret_builder, outputs->source);
	report_builder__set_group(*ret_builder, options->group_by);
	report_builder__set_allocations(
		*ret_builder,
		&(struct report_alloc_choice){options->alloc_order, options->alloc_by});
	return 0;
}

static int bring_up(struct rounds *rounds, const struct session_options *session)
{
	const struct options *options = rounds->options;
	/* These files may be pipes: they are read while SIGINT still ends the program. */
	int err = outputs__read_files(&rounds->outputs, options, &rounds->failure);

	if (!err && options->state)
		err = state_autosave__open(&rounds->state, options->state, &rounds->failure);
	if (!err)
		err = evidence__open(options, &rounds->evidence, &rounds->failure);
	if (!err)
		err = loop__new(&rounds->loop);
	/* Before anything is attached: from here on every end is an orderly one. */
	if (!err)
		err = add_signals(rounds);
	if (!err)
		err = open_session(rounds, session);
	if (!err)
		err = rounds__new_builder(options, &rounds->outputs, &rounds->builder);
	if (!err)
		report_builder__set_evidence(rounds->builder, &evidence_ops, rounds->evidence);
	return err ? err : outputs__open(&rounds->outputs);
}

int rounds__open(struct rounds *rounds, const struct session_options *session)
{
	rounds->stretch = 1;
	round_limits__set(rounds, wanted_mode(rounds->options));
	notify__open(&rounds->notify);
	log__limit(true);
	return bring_up(rounds, session);
}

void rounds__drop_privileges(const struct rounds *rounds)
{
	privileges__drop(rounds->options,
			 rounds->probes || wanted_mode(rounds->options) != PROBE_MODE_CENSUS,
			 rounds->uprobe_multi);
}

/* Who looks on has seen the last report: there is no need for another. */
static void on_quit(void *ctx)
{
	rounds__finish(ctx, REPORT_INTERRUPTED);
}

int rounds__run(struct rounds *rounds)
{
	int err = add_ring(rounds);

	if (!err && rounds->outputs.top)
		err = top_screen__listen(rounds->outputs.top, rounds->loop, on_quit, rounds);

	if (!err)
		err = add_timers(rounds);
	if (err)
		return err;
	findings__tell_reach(rounds->options);
	loop__set_work(rounds->loop, work, rounds);
	err = loop__run(rounds->loop);
	return err ? err : rounds->err;
}

bool rounds__end_is_pending(void)
{
	sigset_t pending;

	return !sigpending(&pending) &&
	       (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

void rounds__reloading(struct rounds *rounds)
{
	notify__reloading(&rounds->notify, clock__monotonic_ns());
	rounds->told_ready = false;
}

void rounds__replace(struct rounds *rounds, const struct options *options,
		     const struct outputs *outputs, struct report_builder *builder)
{
	uint64_t textfile_errors = rounds->outputs.exporter.errors;
	struct failure failure = {""};

	/* The metrics file before this is removed; the round that follows writes the one after. */
	outputs__close(&rounds->outputs);
	rounds->outputs = *outputs;
	rounds->outputs.exporter.errors = textfile_errors;
	rounds->outputs.options = options;
	report_builder__free(rounds->builder);
	rounds->builder = builder;
	rounds->options = options;
	evidence__forget_report(rounds->evidence);
	if (evidence__use(&rounds->evidence, options, &failure))
		log_error("%s; none is kept from now on", failure.text);
	report_builder__set_evidence(builder, &evidence_ops, rounds->evidence);
	if (rounds->began)
		set_timer(rounds, 1);
}

int rounds__close(struct rounds *rounds, int err)
{
	int code;

	outputs__leave_top(&rounds->outputs);
	code = rounds_exit__code(rounds, err);
	if (!err && rounds->outputs.allow && rounds->options->verbose)
		findings__tell_unused(rounds->outputs.allow, rounds->options->allow);
	outputs__close(&rounds->outputs);
	evidence__close(rounds->evidence);
	report_builder__free(rounds->builder);
	session__free(rounds->session);
	alloc_turns__close(&rounds->allocs);
	open_turns__close(&rounds->opens);
	loop__free(rounds->loop);
	state_autosave__close(&rounds->state);
	log__tell_suppressed(UINT64_MAX);
	notify__close(&rounds->notify);
	return code;
}
