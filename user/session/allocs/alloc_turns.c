// SPDX-License-Identifier: Apache-2.0
#include "session/allocs/alloc_turns.h"

#include <errno.h>

#include "base/log.h"
#include "session/allocs/allocs_private.h"
#include "session/allocs/target_samples.h"
#include "session/heap/target_heap.h"
#include "session/target_internal.h"

/* --- who ----------------------------------------------------------------------------------------- */

/* Nothing is known of whose samples have not been looked for yet. */
static bool has_no_samples(const struct target *target)
{
	const struct target_samples *samples = target_samples__get(target);

	return samples && samples->missing.text[0];
}

static bool is_larger(uint64_t live, uint64_t than)
{
	return live > than + than / ALLOC_TURNS_GROWN_PART && live - than > ALLOC_TURNS_GROWN_BYTES;
}

/* What the last collection has left; 0: not known. */
static uint64_t live_bytes(struct target *target, uint64_t now_ns)
{
	struct heap_counters counters;

	return target_heap__counters_lately(target, now_ns, &counters) && counters.marked ?
		       counters.live_bytes :
		       0;
}

/* Against the least that there was. */
static bool grows(struct target *target, uint64_t now_ns)
{
	uint64_t live = live_bytes(target, now_ns);

	if (live && (!target->least_live_bytes || live < target->least_live_bytes))
		target->least_live_bytes = live;
	return live && is_larger(live, target->least_live_bytes);
}

static bool is_wanted(const struct alloc_turns *turns, struct target *target, uint64_t now_ns)
{
	if (target->allocs || target->allocs_asked || target__state(target) != TARGET_LIVE ||
	    !target__census(target)->alive || !target__is_of_age(target, turns->min_process_age_ns))
		return false;
	return !turns->only_growing || (has_no_samples(target) && grows(target, now_ns));
}

/* It is to be seen growing for as long as it takes. */
static bool is_over(const struct alloc_turns *turns, struct target *target, uint64_t now_ns)
{
	const struct target_allocs *allocs = target->allocs;

	if (!turns->only_growing || !allocs || !allocs->began_ns ||
	    now_ns - allocs->began_ns < ALLOC_TURNS_GIVE_UP_NS)
		return false;
	return !grows(target, now_ns);
}

static bool is_watched(const struct target *target)
{
	return target->allocs && !target->allocs->missing.text[0];
}

/* --- watching ------------------------------------------------------------------------------------ */

static bool open_watch(struct alloc_turns *turns)
{
	if (turns->watch || turns->failed)
		return false;
	turns->failed = alloc_watch__new(&turns->options, &turns->watch, &turns->failure) != 0;
	if (turns->failed)
		log_info("allocations of programs that do not sample themselves are not watched: "
			 "%s",
			 turns->failure.text);
	return !turns->failed;
}

static void add(struct alloc_turns *turns, struct target *target)
{
	struct failure failure;

	if (alloc_watch__add(turns->watch, target, &failure))
		log_debug("allocations of process %d: %s", target__pid(target), failure.text);
	/* Of one that has samples nothing more is to be known, and what it lacks it will not get. */
	target->allocs_asked = true;
}

bool alloc_turns__second(struct alloc_turns *turns, struct session *session, uint64_t now_ns)
{
	bool opened = false;
	size_t n = 0;

	if (turns->watch)
		alloc_watch__second(turns->watch);
	for (size_t i = 0; turns->wanted && i < session__n_targets(session); i++) {
		struct target *target = session__target(session, i);

		if (is_over(turns, target, now_ns)) {
			alloc_watch__remove(turns->watch, target);
			target->allocs_asked = false;
		}
		n += is_watched(target);
	}
	for (size_t i = 0; turns->wanted && i < session__n_targets(session); i++) {
		struct target *target = session__target(session, i);

		if (n >= turns->max_targets || turns->failed || !is_wanted(turns, target, now_ns))
			continue;
		opened |= open_watch(turns);
		if (turns->watch)
			add(turns, target);
		n += is_watched(target);
	}
	return opened;
}

int alloc_turns__ring_fd(const struct alloc_turns *turns)
{
	return alloc_watch__ring_fd(turns->watch);
}

uint64_t alloc_turns__tick(struct alloc_turns *turns, bool busy)
{
	return turns->watch ? alloc_watch__rest(turns->watch, busy) : 0;
}

void alloc_turns__settle(struct alloc_turns *turns)
{
	if (turns->watch)
		alloc_watch__settle(turns->watch);
}

void alloc_turns__close(struct alloc_turns *turns)
{
	alloc_watch__free(turns->watch);
	turns->watch = NULL;
}
