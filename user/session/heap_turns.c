// SPDX-License-Identifier: Apache-2.0
#include "session/heap_turns.h"

#include "session/target_heap.h"
#include "session/target_samples.h"

/* What a scan could confirm: goroutines that wait on channels or locks, for long enough. */
static bool waits_for_long(const struct site_view *site, uint64_t min_age_ns)
{
	return !site->system && wait_class__facts(site->wait_class)->can_leak &&
	       site->oldest_park_ns >= min_age_ns;
}

static bool is_worth_it(const struct heap_turns *turns, const struct target *target)
{
	size_t n;
	const struct site_view *sites = tracker__sites(target__tracker(target), &n);

	for (size_t i = 0; i < n; i++) {
		if (sites[i].system || sites[i].other)
			continue;
		if (verdict__is_suspect(sites[i].verdict))
			return true;
		if (!turns->only_suspects && waits_for_long(&sites[i], turns->confirm.min_age_ns))
			return true;
	}
	return false;
}

/* The first scan at once; then by what the last one left to be done. */
static bool is_due(const struct heap_turns *turns, const struct target *target, uint64_t now_ns)
{
	const struct target_heap_figures *figures = target_heap__figures(target);
	uint64_t pause_ns;

	if (target__state(target) != TARGET_LIVE || !target__census(target)->alive ||
	    target__census_under_way(target) || target_heap__held_off(target, now_ns))
		return false;
	if (target_samples__places_wanted(target))
		return true;
	if (!figures)
		return is_worth_it(turns, target);
	pause_ns = figures->to_confirm || figures->doubt != HEAP_SCAN_SURE ?
			   turns->confirm.interval_ns :
			   max_of(HEAP_TURNS_IDLE_NS, turns->confirm.interval_ns);
	return now_ns - figures->last_ended_ns >= pause_ns && is_worth_it(turns, target);
}

static struct target *find_due(struct heap_turns *turns, const struct session *session,
			       uint64_t now_ns)
{
	size_t n = session__n_targets(session);

	for (size_t i = 0; i < n; i++) {
		size_t index = (turns->next + i) % n;
		struct target *target = session__target(session, index);

		if (!is_due(turns, target, now_ns))
			continue;
		turns->next = index + 1;
		return target;
	}
	return NULL;
}

static void pause_after(struct heap_turns *turns, const struct target *target, uint64_t now_ns)
{
	const struct target_heap_figures *figures = target_heap__figures(target);
	double share = turns->max_share > 0 ? turns->max_share : HEAP_TURNS_SHARE;
	uint64_t cpu_ns = figures ? figures->last_cpu_ns : 0;

	turns->pause_end_ns = now_ns + (uint64_t)((double)cpu_ns / share);
}

/*
 * The one whose scan is under way. One that is not watched any more has been freed, and another may be
 * where it was, but that one is not being scanned.
 */
static struct target *current(const struct heap_turns *turns, const struct session *session)
{
	for (size_t i = 0; i < session__n_targets(session); i++) {
		struct target *target = session__target(session, i);

		if (target == turns->current)
			return target_heap__is_scanning(target) ? target : NULL;
	}
	return NULL;
}

/* Whose heap cannot be read now is not tried again and again; the others have their turns. */
static void note_failure(struct heap_turns *turns, struct target *target, uint64_t now_ns)
{
	turns->failures++;
	target_heap__hold_off(target, now_ns + HEAP_TURNS_IDLE_NS);
}

static bool go_on(struct heap_turns *turns, struct session *session, uint64_t budget_ns,
		  uint64_t now_ns)
{
	struct target *target = current(turns, session);
	int more;

	/* A census that takes long is under way: the scan goes on afterwards. */
	if (target && target__census_under_way(target))
		return false;
	more = target ? target_heap__step(target, budget_ns, &turns->failure) : 0;

	if (more == 1)
		return true;
	turns->current = NULL;
	if (target)
		pause_after(turns, target, now_ns);
	if (more < 0)
		note_failure(turns, target, now_ns);
	return false;
}

bool heap_turns__step(struct heap_turns *turns, struct session *session, uint64_t budget_ns,
		      uint64_t now_ns)
{
	struct target *target;

	if (turns->current)
		return go_on(turns, session, budget_ns, now_ns);
	if (now_ns < turns->pause_end_ns)
		return false;
	target = find_due(turns, session, now_ns);
	if (!target)
		return false;
	if (target_heap__start(target, &turns->confirm, turns->max_heap_bytes, &turns->failure)) {
		note_failure(turns, target, now_ns);
		/* The next one is asked right away. */
		return true;
	}
	turns->current = target;
	return true;
}
