// SPDX-License-Identifier: Apache-2.0
/* A target's censuses: what they see goes to the tracker, and where it is asked for into a list. */
#include "session/goroutines/target_census.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "host/sockets.h"
#include "session/goroutines/target_scheduling.h"
#include "session/heap/target_heap.h"
#include "session/target_internal.h"
#include "session/target_still.h"

/* --- what a census sees --------------------------------------------------------------------------- */

static bool is_listing(const struct target *target)
{
	return target->options.list_goroutines || target->listing == LISTING_UNDER_WAY;
}

static uint32_t on_census_seen(void *ctx, const struct census_goroutine *g)
{
	struct target *target = ctx;
	bool parked = census_goroutine__is_parked(g);
	/* For a goroutine_list there are stacks of runnable ones, too; a site is where they block. */
	bool blocked = parked || g->in_syscall;
	struct tracker_sighting sighting = {
		.goid = g->goid,
		.creation_pc = places__creation(target->executable->places, g->creation_pc),
		.start_pc = places__start(target->executable->places, g->start_pc),
		.waitsince_ns = g->waitsince_ns,
		.read_at_ns = g->read_at_ns,
		.place = blocked ? places__park(target->executable->places, g->stack_id) : 0,
		.stack_id = blocked ? g->stack_id : STACK_ID_NONE,
		.wait_reason = parked ? g->wait_reason : 0,
		.parked = parked,
		.in_syscall = g->in_syscall,
	};

	target_scheduling__seen(target, g);
	if (is_listing(target)) {
		uint32_t handle = tracker__census_told(target->tracker, g->goid);

		goroutine_list__add(target->goroutine_list, g);
		if (handle)
			return handle;
	}
	return tracker__census_seen(target->tracker, &sighting);
}

static bool on_census_unchanged(void *ctx, uint32_t handle, uint64_t goid, uint64_t read_at_ns)
{
	struct target *target = ctx;

	bool known = tracker__census_unchanged(target->tracker, handle, goid, read_at_ns);

	if (known)
		target_scheduling__unchanged(target->scheduling, goid, read_at_ns);
	/* A goroutine_list wants to see each in full; the tracker knows by then that it has not run. */
	return known && !is_listing(target);
}

static const struct census_ops census_ops = {
	.seen = on_census_seen,
	.unchanged = on_census_unchanged,
};

/* --- beginning to end ----------------------------------------------------------------------------- */

static int build_list(struct target *target, size_t max)
{
	struct goroutine_list_source source = {
		.layout = go_binary__layout(target->executable->binary),
		.symbolizer = target->executable->symbolizer,
		.stacks = target->executable->stacks,
		.max = max,
		.system = target->options.list_system,
		.wants = target->options.list_wants,
		.wants_ctx = target->options.list_ctx,
	};

	return goroutine_list__new(&source, &target->goroutine_list);
}

int target_census__open(struct target *target)
{
	struct census_options options = {
		.stacks = true,
		.runnable_stacks = target->options.list_goroutines,
		.clock_offset =
			process__clock_offset(target->options.proc_root, target->process.id.pid),
	};
	int err = 0;

	if (target->options.list_goroutines)
		err = build_list(target, 0);
	if (err)
		return err;
	return census__new(target->modules, target->remote, target->executable->stacks, &options,
			   &census_ops, target, &target->census);
}

void target_census__close(struct target *target)
{
	census__free(target->census);
	goroutine_list__free(target->goroutine_list);
}

/*
 * A process that vanished between two reads, or executed another program, is no error of ours. One
 * that goes on with memory in which there is no Go runtime any more is not said to have ended.
 */
static int census_failed(struct target *target, int err, struct failure *failure)
{
	target->census_open = false;
	if (err != -ESRCH && err != -ESTALE && err != -EPROTO && err != -ETIMEDOUT)
		return failure__set(failure, err, "%s", target->trouble.text);
	if (!target__check_alive(target))
		return 0;
	if (err == -ESRCH)
		target->state = TARGET_EXITED;
	else if (remote__memory(target->remote) == REMOTE_MEMORY_UNKNOWN)
		target->state = TARGET_EXECUTED; /* the same file again */
	else
		target->state = TARGET_UNREADABLE;
	return 0;
}

int target__census_start(struct target *target, struct failure *failure)
{
	uint64_t started_ns;
	int err;

	if (target->state != TARGET_LIVE)
		return 0;
	if (target_still__census(target, clock__monotonic_ns()))
		return 0;
	if (target_modules__refresh(target))
		target_probes__add_modules(target);
	/* Taken before anything is read: whatever is created later may be missing. */
	started_ns = clock__monotonic_ns();
	err = census__start(target->census, &target->trouble);
	if (err)
		return census_failed(target, err, failure);
	tracker__census_begin(target->tracker, started_ns);
	target_scheduling__begin(target->scheduling);
	target_heap__note_collections(target, started_ns);
	if (target->listing == LISTING_WANTED)
		target->listing = LISTING_UNDER_WAY;
	if (is_listing(target))
		goroutine_list__clear(target->goroutine_list);
	target->census_open = true;
	return 0;
}

int target__census_step(struct target *target, uint64_t budget_ns, struct failure *failure)
{
	int more;

	if (target->state != TARGET_LIVE || !target->census_open ||
	    !census__running(target->census))
		return 0;
	more = census__step(target->census, budget_ns, &target->trouble);
	if (more < 0)
		return census_failed(target, more, failure);
	if (!more && is_listing(target)) {
		int err = goroutine_list__complete(target->goroutine_list, target->remote);

		target->listing = LISTING_DONE;
		if (err)
			return failure__set(failure, err, "no memory for a list of %zu goroutines",
					    census__result(target->census)->alive);
	}
	return more;
}

bool target__census_complete(const struct target *target)
{
	return target->census_open && !census__running(target->census);
}

/* Who opened the connections, where that matters: to find out takes a call for each open file. */
static void note_sockets(struct target *target, uint64_t now_ns)
{
	struct process_sockets sockets;
	struct tracker_sockets told;

	if (!tracker__wants_sockets(target->tracker))
		return;
	if (process__sockets(target->options.proc_root, target->process.id.pid, &sockets)) {
		tracker__note_sockets(target->tracker, NULL, now_ns);
		return;
	}
	told = (struct tracker_sockets){
		.accepted = sockets.accepted - sockets.hung_up,
		.hung_up = sockets.hung_up,
		.dialled = sockets.dialled,
		.with_itself = sockets.with_itself,
		.to_peer = sockets.to_peer,
	};
	snprintf(told.peer, sizeof(told.peer), "%s", sockets.peer);
	tracker__note_sockets(target->tracker, &told, now_ns);
}

void target__census_finish(struct target *target)
{
	uint64_t now_ns = clock__monotonic_ns();
	bool still = target->still.now;

	if (still)
		target_scheduling__rested(target, now_ns);
	else
		target_scheduling__look(target);
	if (!still || !target->files_known)
		target->files_known = !process__count_files(target->options.proc_root,
							    target->process.id.pid, &target->files);
	if (target->files_known)
		tracker__note_files(target->tracker, target->files, now_ns);
	note_sockets(target, now_ns);
	tracker__census_end(target->tracker, now_ns);
	target_execution__note(target);
	target_scheduling__finish(target, now_ns);
	target_probes__note_census(target);
	target->census_open = false;
}

/* --- lists of goroutines --------------------------------------------------------------------------- */

const struct goroutine_list *target__goroutine_list(const struct target *target)
{
	return target->options.list_goroutines ? target->goroutine_list : NULL;
}

int target__list_once(struct target *target, size_t max)
{
	if (target->goroutine_list)
		return 0;
	target->listing = LISTING_WANTED;
	return build_list(target, max);
}

const struct goroutine_list *target__listed_once(const struct target *target)
{
	return target->listing == LISTING_DONE ? target->goroutine_list : NULL;
}

void target__forget_list(struct target *target)
{
	if (target->options.list_goroutines)
		return;
	goroutine_list__free(target->goroutine_list);
	target->goroutine_list = NULL;
	target->listing = LISTING_NEVER;
}
