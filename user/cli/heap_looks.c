// SPDX-License-Identifier: Apache-2.0
#include "cli/heap_looks.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/patience.h"
#include "heap/view/counters.h"
#include "host/self_usage.h"
#include "session/heap/target_heap.h"
#include "session/resources/target_resources.h"

/* A look is followed by a pause of so many times as long as it has taken, if that is longer. */
#define PAUSE_LOOKS 20
/* A heap that takes too long to read, or changes meanwhile, so many times is not looked at any more. */
#define MAX_TRIES 3
/* The search for what leaks may end first, if it does so soon: else it begins anew. */
#define PATIENCE_NS (5 * NSEC_PER_SEC)

/*
 * Nanoseconds of a processor that a look takes, before there was one: of 0.2 GB with 110,000 goroutines it was
 * a second, of 1.6 GB in 15 million objects four.
 */
#define NS_PER_BYTE	 3
#define NS_PER_GOROUTINE 2000
/* Scans come first, and may use all that reading heaps may take; this part of it is left to looks. */
#define LEAST_PART 0.25
/* On top of it: what is read but once, as the program's debug information. */
#define ONCE_NS (0.2 * NSEC_PER_SEC)

/* Of one target. */
struct looked {
	const struct target *target;
	struct runtime_id id;
	uint64_t due_ns;
	uint64_t cost_ns;   /* processor time of the last one */
	unsigned int tries; /* one after the other that took too long, or met a change */
	bool gave_up;
};

struct heap_looks {
	struct heap_looks_options options;
	struct looked *looked; /* by the place in the session */
	size_t n;
	uint64_t began_ns; /* the first round */
	uint64_t used_ns;  /* processor time of all looks */
};

int heap_looks__new(const struct heap_looks_options *options, struct heap_looks **ret_looks)
{
	struct heap_looks *looks = calloc(1, sizeof(*looks));

	if (!looks)
		return -ENOMEM;
	looks->options = *options;
	*ret_looks = looks;
	return 0;
}

void heap_looks__free(struct heap_looks *looks)
{
	if (!looks)
		return;
	free(looks->looked);
	free(looks);
}

/* 0: its size is not known; the look will tell why. */
static uint64_t expected_ns(const struct looked *looked, struct target *target)
{
	const struct heap_runtime *runtime;
	struct heap_counters counters;
	struct failure failure;

	if (looked->cost_ns)
		return looked->cost_ns;
	if (target_heap__runtime(target, &runtime, &failure) ||
	    heap_counters__read(runtime, &counters))
		return 0;
	return counters.heap_bytes * NS_PER_BYTE +
	       (uint64_t)target__census(target)->alive * NS_PER_GOROUTINE;
}

/* Whether a look at @target still fits in what may be used since the beginning. */
static bool is_affordable(const struct heap_looks *looks, const struct looked *looked,
			  const struct rounds *rounds, struct target *target, uint64_t now_ns)
{
	double all = (double)(now_ns - looks->began_ns) * looks->options.max_share;
	double left = ONCE_NS + max_of(all - (double)rounds->heap.total_ns, all * LEAST_PART);

	return !looks->options.max_share ||
	       (double)(looks->used_ns + expected_ns(looked, target)) <= left;
}

static void on_open_tick(void *ctx)
{
	struct rounds *rounds = ctx;
	uint64_t again_ns = open_turns__tick(&rounds->opens);
	int err = again_ns ? loop__set_timer(rounds->loop, again_ns, 0, on_open_tick, rounds) : 0;

	if (err)
		rounds__fail(rounds, err);
}

/* Who opens what was found. */
static int watch_openings(struct rounds *rounds, struct target *target)
{
	bool first;
	int err = open_turns__looked(&rounds->opens, target, &first, &rounds->failure);

	if (!err && first)
		err = loop__add_fd(rounds->loop, open_turns__ring_fd(&rounds->opens), on_open_tick,
				   rounds);
	if (!err)
		on_open_tick(rounds);
	return err;
}

static int look_at(struct heap_looks *looks, struct looked *looked, struct rounds *rounds,
		   struct target *target, uint64_t now_ns)
{
	struct patience patience = {
		.rounds = rounds,
		.end_ns = now_ns + looks->options.max_ns,
		.seconds = !looks->options.many,
	};
	const struct target_view_options options = {
		.max_memory = looks->options.max_memory,
		.keep = true,
		.interrupted = patience__is_over,
		.ctx = &patience,
	};
	struct failure failure = {""};
	uint64_t cpu_ns = self_usage__cpu_ns();
	int err = target_resources__take(target, &options, &failure);
	uint64_t end_ns = clock__monotonic_ns(), pause_ns = looks->options.pause_ns;

	cpu_ns = self_usage__cpu_ns() - min_of(self_usage__cpu_ns(), cpu_ns);
	looked->cost_ns = cpu_ns;
	looks->used_ns += cpu_ns;
	if (!err && !looks->options.max_share)
		pause_ns = max_of((end_ns - now_ns) * PAUSE_LOOKS, pause_ns);
	looked->due_ns = end_ns + pause_ns;
	if (err == -ENOMEM)
		return failure__set(&rounds->failure, err, "%s", failure.text);
	if (!err) {
		looked->tries = 0;
		return watch_openings(rounds, target);
	}
	if (err == -ESRCH || (err == -EINTR && rounds__end_is_pending()))
		return 0;
	if ((err == -EINTR || err == -EAGAIN) && ++looked->tries < MAX_TRIES)
		return 0;
	looked->gave_up = true;
	log_info("the heap of process %d is not looked at for who holds it and what is open: %s",
		 target__pid(target),
		 err == -EINTR ? "its heap takes longer to read than events can wait" :
				 failure.text);
	return 0;
}

/* --- whose turn it is ---------------------------------------------------------------------------- */

static bool is_of(const struct looked *looked, const struct target *target)
{
	struct runtime_id id = target__id(target);

	return looked->target == target && runtime_id__same(&looked->id, &id);
}

/* Of those that are watched now, at their places in the session; what was known of others is forgotten. */
static int follow_targets(struct heap_looks *looks, struct session *session)
{
	size_t n = session__n_targets(session);
	struct looked *now = calloc(n + 1, sizeof(*now));

	if (!now)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct target *target = session__target(session, i);
		size_t at = i;

		if (i >= looks->n || !is_of(&looks->looked[i], target))
			for (at = 0; at < looks->n && !is_of(&looks->looked[at], target);)
				at++;
		now[i] = at < looks->n ? looks->looked[at] : (struct looked){0};
		now[i].target = target;
		now[i].id = target__id(target);
	}
	free(looks->looked);
	looks->looked = now;
	looks->n = n;
	return 0;
}

static bool is_due(const struct heap_looks *looks, const struct rounds *rounds,
		   const struct target *target, struct looked *looked, uint64_t now_ns)
{
	bool never = !looked->due_ns;

	if (never && looks->options.not_at_once) {
		looked->due_ns = now_ns + looks->options.pause_ns;
		return false;
	}
	if (target__state(target) != TARGET_LIVE || looked->gave_up || now_ns < looked->due_ns ||
	    (rounds->end && !never))
		return false;
	return !target_heap__is_scanning(target) || never || now_ns >= looked->due_ns + PATIENCE_NS;
}

/* If that can be afforded: else it is waited for. */
static int look_at_one(struct heap_looks *looks, struct rounds *rounds, uint64_t now_ns)
{
	size_t longest = looks->n;
	struct target *target;

	for (size_t i = 0; i < looks->n; i++) {
		if (is_due(looks, rounds, session__target(rounds->session, i), &looks->looked[i],
			   now_ns) &&
		    (longest == looks->n ||
		     looks->looked[i].due_ns < looks->looked[longest].due_ns))
			longest = i;
	}
	if (longest == looks->n || rounds->end)
		return 0;
	target = session__target(rounds->session, longest);
	return is_affordable(looks, &looks->looked[longest], rounds, target, now_ns) ?
		       look_at(looks, &looks->looked[longest], rounds, target, now_ns) :
		       0;
}

int heap_looks__round(struct heap_looks *looks, struct rounds *rounds, uint64_t now_ns)
{
	int err = follow_targets(looks, rounds->session);

	if (err)
		return failure__set(&rounds->failure, err, "out of memory");
	if (!looks->began_ns)
		looks->began_ns = now_ns;
	if (looks->options.many)
		return look_at_one(looks, rounds, now_ns);
	for (size_t i = 0; i < looks->n && !err; i++) {
		struct target *target = session__target(rounds->session, i);
		struct looked *looked = &looks->looked[i];

		if (is_due(looks, rounds, target, looked, now_ns) &&
		    is_affordable(looks, looked, rounds, target, now_ns))
			err = look_at(looks, looked, rounds, target, clock__monotonic_ns());
	}
	return err;
}
