// SPDX-License-Identifier: Apache-2.0
#include "session/follower.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "host/process_events.h"

struct follower {
	struct follower_options options;
	struct session *session;
	struct discovery *discovery;
	struct process_events *events; /* NULL: only sweeps */
	struct failure no_events;
	bool paused;
	uint64_t swept_ns;  /* when /proc was looked through for the first time; 0: not yet */
	bool settled;	    /* every process that was there then has been looked at */
	size_t n_unclaimed; /* processes of the follower before, not found again yet */
	pid_t unclaimed[SESSION_MAX_TARGETS];
};

/* --- what discovery asks for --------------------------------------------------------------------- */

/* Whether the follower before had @pid, and it is the same program still. */
static bool claim(struct follower *follower, pid_t pid)
{
	struct target *target = session__find(follower->session, pid);

	for (size_t i = 0; target && i < follower->n_unclaimed; i++) {
		if (follower->unclaimed[i] != pid)
			continue;
		follower->unclaimed[i] = follower->unclaimed[--follower->n_unclaimed];
		return target__check_alive(target);
	}
	return false;
}

static void set_origin(struct follower *follower, pid_t pid, const struct process_origin *origin)
{
	for (size_t i = 0; i < session__n_targets(follower->session); i++) {
		struct target *target = session__target(follower->session, i);

		if (target__pid(target) == pid)
			target__set_origin(target, origin);
	}
}

/* All runtimes of @pid that are not watched yet; 1 when some may be another time. */
static int add_runtimes(struct follower *follower, pid_t pid, const struct process_origin *origin,
			struct failure *failure)
{
	bool later;
	int n = session__add_runtimes(follower->session, pid,
				      discovery__image(follower->discovery, pid), &later, failure);

	if (n < 0 && n != -EEXIST)
		return n;
	set_origin(follower, pid, origin);
	return later;
}

static int on_attach(void *ctx, pid_t pid, const struct process_origin *origin,
		     struct failure *failure)
{
	struct follower *follower = ctx;

	bool claimed = claim(follower, pid);

	if (follower->paused && claimed) {
		set_origin(follower, pid, origin);
		return 1;
	}
	if (follower->paused)
		return failure__set(failure, -ENOSPC, "gleakd's memory limit is reached");
	/* A target whose end was not told yet, under a pid that is in use again. */
	if (!claimed)
		session__remove(follower->session, pid);
	return add_runtimes(follower, pid, origin, failure);
}

static int on_refresh(void *ctx, pid_t pid)
{
	struct follower *follower = ctx;
	const struct target *target = session__find(follower->session, pid);
	struct process_origin origin;
	struct failure failure;

	if (!target || follower->paused)
		return 1;
	origin = *target__origin(target);
	return add_runtimes(follower, pid, &origin, &failure) != 0;
}

static void on_detach(void *ctx, pid_t pid)
{
	struct follower *follower = ctx;

	session__remove(follower->session, pid);
}

static void on_changed(void *ctx, pid_t pid, enum discovery_state state, const char *reason)
{
	static const char *const words[DISCOVERY_STATES] = {
		[DISCOVERY_ATTACHED] = "watched",
		[DISCOVERY_UNSUPPORTED] = "cannot be watched",
		[DISCOVERY_FAILED] = "not watched for now",
		[DISCOVERY_PAUSED] = "not watched for want of room",
	};
	const struct follower *follower = ctx;
	const struct target *target = session__find(follower->session, pid);
	const char *comm = target ? target__process(target)->comm : "";

	if (state == DISCOVERY_FAILED)
		log_warn("pid %d %s: %s", pid, words[state], reason);
	else
		log_info("pid %d%s%s %s%s%s", pid, *comm ? " " : "", comm, words[state],
			 *reason ? ": " : "", reason);
}

static const struct discovery_ops discovery_ops = {
	.attach = on_attach,
	.refresh = on_refresh,
	.detach = on_detach,
	.changed = on_changed,
};

/* --- which processes ----------------------------------------------------------------------------- */

static int new_discovery(struct follower *follower, struct failure *failure)
{
	const struct follower_options *options = &follower->options;
	const struct discovery_options discovery = {
		.proc_root = options->proc_root,
		.self = getpid(),
		.min_age_ns = options->min_process_age_ns,
		.max_targets = options->max_targets,
		.files = session__files(follower->session),
		.select = {.exclude = {options->exclude, options->n_exclude},
			   .only = {options->only, options->n_only}},
	};

	return discovery__new(&discovery, &discovery_ops, follower, &follower->discovery, failure);
}

/* --- its life ------------------------------------------------------------------------------------- */

static void on_event(void *ctx, const struct process_event *event)
{
	struct follower *follower = ctx;

	if (event->kind == PROCESS_EXECUTED)
		discovery__exec(follower->discovery, event->pid, event->time_ns);
	else
		discovery__exit(follower->discovery, event->pid, event->time_ns);
}

int follower__new(const struct follower_options *options, struct session *session,
		  struct follower **ret_follower, struct failure *failure)
{
	struct follower *follower = calloc(1, sizeof(*follower));
	int err;

	if (!follower)
		return failure__set(failure, -ENOMEM, "out of memory");
	follower->options = *options;
	follower->session = session;
	err = new_discovery(follower, failure);
	if (err) {
		follower__free(follower);
		return err;
	}
	/* Before the first sweep: a process that starts meanwhile is in one of the two. */
	if (options->sweeps_only ||
	    process_events__open(on_event, follower, &follower->events, &follower->no_events))
		follower->events = NULL;
	*ret_follower = follower;
	return 0;
}

void follower__free(struct follower *follower)
{
	if (!follower)
		return;
	process_events__free(follower->events);
	discovery__free(follower->discovery);
	free(follower);
}

const char *follower__no_events(const struct follower *follower)
{
	return follower->events ? NULL : follower->no_events.text;
}

int follower__fd(const struct follower *follower)
{
	return follower->events ? process_events__fd(follower->events) : -1;
}

void follower__consume(struct follower *follower)
{
	if (follower->events)
		process_events__consume(follower->events);
}

int follower__sweep(struct follower *follower)
{
	uint64_t now_ns = clock__monotonic_ns();

	follower__consume(follower);
	if (!follower->swept_ns)
		follower->swept_ns = now_ns;
	return discovery__sweep(follower->discovery, now_ns);
}

void follower__take_over(struct follower *follower)
{
	follower->n_unclaimed = 0;
	for (size_t i = 0; i < session__n_targets(follower->session); i++) {
		pid_t pid = target__pid(session__target(follower->session, i));
		size_t known = 0;

		while (known < follower->n_unclaimed && follower->unclaimed[known] != pid)
			known++;
		/* A process is claimed once, with all of its runtimes. */
		if (known == follower->n_unclaimed)
			follower->unclaimed[follower->n_unclaimed++] = pid;
	}
}

/*
 * After the first look through /proc and the age that the youngest process had to reach, all that were there then
 * have had their turn. What is due since is about others: on hosts that start processes all the time there may
 * always be something.
 */
static void settle(struct follower *follower, uint64_t now_ns)
{
	uint64_t all_ns = follower->swept_ns + follower->options.min_process_age_ns;

	if (follower->settled || !follower->swept_ns || now_ns < all_ns ||
	    discovery__next_ns(follower->discovery) <= all_ns)
		return;
	follower->settled = true;
	/* Targets of the follower before that this one did not find are not wanted any more. */
	while (follower->n_unclaimed)
		session__remove(follower->session, follower->unclaimed[--follower->n_unclaimed]);
}

bool follower__due(const struct follower *follower, uint64_t now_ns)
{
	return discovery__next_ns(follower->discovery) <= now_ns;
}

bool follower__step(struct follower *follower)
{
	uint64_t now_ns = clock__monotonic_ns();
	bool more = follower__due(follower, now_ns) && discovery__tick(follower->discovery, now_ns);

	settle(follower, now_ns);
	return more;
}

bool follower__settled(const struct follower *follower)
{
	return follower->settled;
}

void follower__check_targets(struct follower *follower)
{
	uint64_t now_ns = clock__monotonic_ns();

	for (size_t i = session__n_targets(follower->session); i-- > 0;) {
		struct target *target;

		/* Others of the same process went with the one before. */
		if (i >= session__n_targets(follower->session))
			continue;
		target = session__target(follower->session, i);
		if (target__check_alive(target))
			continue;
		if (target__state(target) == TARGET_UNREADABLE)
			log_warn("pid %d: %s", target__pid(target), target__trouble(target));
		if (target__state(target) == TARGET_EXITED)
			discovery__exit(follower->discovery, target__pid(target), now_ns);
		else
			discovery__exec(follower->discovery, target__pid(target), now_ns);
	}
}

void follower__pause(struct follower *follower, bool paused)
{
	follower->paused = paused;
}

void follower__limit_looks(struct follower *follower, double share)
{
	discovery__limit_looks(follower->discovery, share);
}

void follower__counts(const struct follower *follower, struct discovery_counts *ret_counts)
{
	discovery__counts(follower->discovery, ret_counts);
}

uint64_t follower__events_lost(const struct follower *follower)
{
	const struct process_events *events = follower->events;

	/* What made no sense was not told either. */
	return events ? process_events__lost(events) + process_events__malformed(events) : 0;
}
