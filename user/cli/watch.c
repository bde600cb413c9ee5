// SPDX-License-Identifier: Apache-2.0
#include "cli/watch.h"

#include <errno.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/rounds.h"

/* One process that was named, from --pid to the report. */
struct watch {
	struct rounds rounds;
	struct target *target;
	int pidfd; /* readable when the process ends; -1: the kernel gave none */
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

static const char *ended_reason(const struct watch *watch)
{
	return target__state(watch->target) == TARGET_EXECUTED ? "target executed another program" :
								 "target exited";
}

static int on_complete(void *ctx, const char **ret_reason)
{
	struct watch *watch = ctx;

	log_census(watch->target);
	if (target__state(watch->target) == TARGET_UNREADABLE)
		return failure__set(&watch->rounds.failure, -EPROTO, "process %d: %s",
				    target__pid(watch->target), target__trouble(watch->target));
	if (!session__live(watch->rounds.session))
		*ret_reason = ended_reason(watch);
	return 0;
}

static const struct rounds_ops watch_ops = {
	.complete = on_complete,
};

static void on_exit_of_target(void *ctx)
{
	struct watch *watch = ctx;

	loop__remove_fd(watch->rounds.loop, watch->pidfd);
	session__live(watch->rounds.session);
	rounds__finish(&watch->rounds, ended_reason(watch));
}

static int add_target(struct watch *watch, pid_t pid)
{
	int err = session__add(watch->rounds.session, pid, &watch->target, &watch->rounds.failure);

	if (err)
		return err;
	log_sites(watch->target);
	watch->pidfd = process__pidfd(pid);
	return watch->pidfd < 0 ?
		       0 :
		       loop__add_fd(watch->rounds.loop, watch->pidfd, on_exit_of_target, watch);
}

int command__watch(const struct options *options)
{
	struct watch watch = {
		.rounds =
			{
				.options = options,
				.ops = &watch_ops,
				.ctx = &watch,
				.first_second_ns = SESSION_GOVERN_FIRST_NS,
			},
		.pidfd = -1,
	};
	const struct session_options session = {
		.patient = true,
		.list_goroutines = options->goroutines,
		.list_system = options->all,
	};
	int err = rounds__open(&watch.rounds, &session);

	if (!err)
		err = add_target(&watch, options->pid);
	if (!err)
		err = rounds__run(&watch.rounds);
	err = rounds__close(&watch.rounds, err);
	if (watch.pidfd >= 0)
		close(watch.pidfd);
	return err;
}
