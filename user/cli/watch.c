// SPDX-License-Identifier: Apache-2.0
#include "cli/watch.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/heap_looks.h"
#include "cli/rounds.h"
#include "host/exe_claim.h"

struct watch;

/* A process that was named. */
struct watched {
	struct watch *watch;
	struct target *target; /* the first of its runtimes */
	int pidfd; /* readable when the process ends; -1: the kernel gave none, or it has ended */
	bool ended;
	uint64_t mapped_code; /* when it was last searched for runtimes */
};

/* What is open is looked at once in so many intervals: five looks tell what grows. */
#define LOOK_INTERVALS	  3
#define LOOK_MIN_PAUSE_NS (3 * NSEC_PER_SEC)
/* Censuses and reports wait for it. */
#define LONG_LOOK_NS (2 * NSEC_PER_SEC)

struct watch {
	struct rounds rounds;
	struct heap_looks *looks;	 /* NULL: none are made */
	const struct watch_extra *extra; /* NULL: nothing */
	size_t n;
	struct watched watched[OPTION_LIST_MAX];
};

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

static enum report_end end_of(const struct target *target)
{
	return target__state(target) == TARGET_EXECUTED ? REPORT_TARGET_EXECUTED :
							  REPORT_TARGET_EXITED;
}

static int on_complete(void *ctx, enum report_end *ret_end)
{
	struct watch *watch = ctx;
	const struct session *session = watch->rounds.session;

	for (size_t i = 0; i < session__n_targets(session); i++) {
		const struct target *target = session__target(session, i);

		if (target__state(target) == TARGET_UNREADABLE)
			return failure__set(&watch->rounds.failure, -EPROTO, "process %d: %s",
					    target__pid(target), target__trouble(target));
		if (target__state(target) == TARGET_LIVE)
			log_census(target);
	}
	if (!session__live(watch->rounds.session))
		*ret_end = end_of(watch->watched[0].target);
	if (watch->extra && watch->extra->complete)
		return watch->extra->complete(watch->extra->ctx, &watch->rounds);
	return watch->looks ?
		       heap_looks__round(watch->looks, &watch->rounds, clock__monotonic_ns()) :
		       0;
}

static void on_second(void *ctx, uint64_t now_ns)
{
	struct watch *watch = ctx;
	const struct watch_extra *extra = watch->extra;
	int err = extra && extra->second ? extra->second(extra->ctx, &watch->rounds, now_ns) : 0;

	if (err)
		rounds__fail(&watch->rounds, err);
}

static int on_report(void *ctx, const struct report *report)
{
	struct watch *watch = ctx;
	const struct watch_extra *extra = watch->extra;

	return extra && extra->reported ? extra->reported(extra->ctx, &watch->rounds, report) : 0;
}

static void set_origin(struct watch *watch, pid_t pid)
{
	struct session *session = watch->rounds.session;
	struct process_origin origin = {0};

	/* Without it, it belongs nowhere. */
	(void)!cgroup__read(PROC_ROOT, pid, &origin);
	for (size_t i = 0; i < session__n_targets(session); i++) {
		struct target *target = session__target(session, i);

		if (target__pid(target) != pid)
			continue;
		exe_claim__find(PROC_ROOT, pid, target__process(target)->uid, &origin);
		target__set_origin(target, &origin);
	}
}

/* Libraries are loaded at any time, and with them runtimes. */
static void on_begin(void *ctx, uint64_t now_ns __maybe_unused)
{
	struct watch *watch = ctx;

	for (size_t i = 0; i < watch->n; i++) {
		struct watched *watched = &watch->watched[i];
		pid_t pid = target__pid(watched->target);
		struct failure failure;
		uint64_t code;
		bool later;
		int n;

		if (target__state(watched->target) != TARGET_LIVE ||
		    process__mapped_code(PROC_ROOT, pid, &code) || code == watched->mapped_code)
			continue;
		n = session__add_runtimes(watch->rounds.session, pid, NULL, &later, &failure);
		watched->mapped_code = later ? 0 : code;
		if (n > 0)
			set_origin(watch, pid);
		if (n > 0)
			log_info("process %d: %d more Go %s", pid, n,
				 n == 1 ? "runtime" : "runtimes");
	}
}

static const struct rounds_ops watch_ops = {
	.second = on_second,
	.begin = on_begin,
	.complete = on_complete,
	.reported = on_report,
};

static void forget_pidfd(struct watched *watched)
{
	if (watched->pidfd < 0)
		return;
	loop__remove_fd(watched->watch->rounds.loop, watched->pidfd);
	close(watched->pidfd);
	watched->pidfd = -1;
}

/* Processes that have not ended. */
static size_t left(const struct watch *watch)
{
	size_t n = 0;

	for (size_t i = 0; i < watch->n; i++)
		n += !watch->watched[i].ended &&
		     target__state(watch->watched[i].target) == TARGET_LIVE;
	return n;
}

static void on_exit_of_target(void *ctx)
{
	struct watched *watched = ctx;
	struct rounds *rounds = &watched->watch->rounds;
	/* One whose census is under way is live until that is over. */
	size_t live = session__live(rounds->session), n;

	forget_pidfd(watched);
	watched->ended = true;
	n = left(watched->watch);
	if (n)
		log_info("process %d has ended; %zu more %s watched", target__pid(watched->target),
			 n, n == 1 ? "is" : "are");
	else if (!live)
		rounds__finish(rounds, end_of(watched->target));
}

static int add_target(struct watch *watch, pid_t pid)
{
	struct watched *watched = &watch->watched[watch->n];
	/* Before the search: what is mapped after it is searched for in the first round. */
	int unknown = process__mapped_code(PROC_ROOT, pid, &watched->mapped_code);
	bool later;
	int n = session__add_runtimes(watch->rounds.session, pid, NULL, &later,
				      &watch->rounds.failure);

	if (n < 0)
		return n;
	watch->n++;
	if (unknown || later)
		watched->mapped_code = 0;
	watched->watch = watch;
	watched->target = session__find(watch->rounds.session, pid);
	log_sites(watched->target);
	set_origin(watch, pid);
	watched->pidfd = process__pidfd(pid);
	return watched->pidfd < 0 ?
		       0 :
		       loop__add_fd(watch->rounds.loop, watched->pidfd, on_exit_of_target, watched);
}

/* For what is open, unless somebody else looks at heaps, or nobody is to. */
static int open_looks(struct watch *watch)
{
	const struct options *options = watch->rounds.options;
	const struct heap_looks_options looks = {
		.max_memory = options->max_memory,
		.pause_ns =
			max_of(options->interval_ns * LOOK_INTERVALS, (uint64_t)LOOK_MIN_PAUSE_NS),
		.max_ns = LONG_LOOK_NS,
		.max_share = HEAP_TURNS_SHARE,
		.not_at_once = true,
	};

	if ((watch->extra && watch->extra->complete) || options->once || options->no_heap ||
	    options->goroutines)
		return 0;
	return heap_looks__new(&looks, &watch->looks) ?
		       failure__set(&watch->rounds.failure, -ENOMEM, "out of memory") :
		       0;
}

/* From the processes to the last report. */
static int run(struct watch *watch, const struct named *named)
{
	const struct watch_extra *extra = watch->extra;
	struct rounds *rounds = &watch->rounds;
	int err = extra && extra->open ? extra->open(extra->ctx, rounds) : 0;

	if (!err)
		err = open_looks(watch);
	if (!err)
		rounds__drop_privileges(rounds);
	for (size_t i = 0; i < named->n && !err; i++)
		err = add_target(watch, named->pids[i]);
	if (!err && extra && extra->begin)
		err = extra->begin(extra->ctx, rounds);
	if (!err)
		err = rounds__run(rounds);
	if (!err && extra && extra->finish)
		err = extra->finish(extra->ctx, rounds);
	return err;
}

int watch__run(const struct options *options, const struct named *named,
	       const struct watch_extra *extra)
{
	struct watch watch = {
		.extra = extra,
		.rounds =
			{
				.options = options,
				.ops = &watch_ops,
				.ctx = &watch,
				.first_second_ns = SESSION_GOVERN_FIRST_NS,
			},
	};
	const struct session_options session = {
		.patient = true,
		.list_goroutines = options->goroutines,
		.list_system = options->all,
	};
	int err = rounds__open(&watch.rounds, &session);

	if (!err)
		err = run(&watch, named);
	if (extra && extra->close)
		extra->close(extra->ctx);
	for (size_t i = 0; i < watch.n; i++)
		forget_pidfd(&watch.watched[i]);
	heap_looks__free(watch.looks);
	return rounds__close(&watch.rounds, err);
}

int command__watch(const struct options *options, const struct named *named)
{
	return watch__run(options, named, NULL);
}
