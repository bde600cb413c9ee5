// SPDX-License-Identifier: Apache-2.0
#include "session/heap/heap_turns.h"

#include "host/self_usage.h"
#include "session/heap/target_heap.h"
#include "session/heap/target_places.h"

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

/* Who has what the members of a site under suspicion wait on decides how long it may rise. */
static bool is_unexplained(const struct site_view *site)
{
	return !site->system && !site->other && verdict__is_suspect(site->verdict) &&
	       wait_class__facts(site->wait_class)->can_leak && !site->proof.holder &&
	       !site->proof.goroutines;
}

static bool has_unexplained(const struct target *target)
{
	size_t n;
	const struct site_view *sites = tracker__sites(target__tracker(target), &n);

	for (size_t i = 0; i < n; i++)
		if (is_unexplained(&sites[i]))
			return true;
	return false;
}

/* How long after a scan the next one is due. */
static uint64_t pause_ns(const struct heap_turns *turns, const struct target *target,
			 const struct target_heap_figures *figures)
{
	if (figures->to_confirm || figures->doubt != HEAP_SCAN_SURE)
		return turns->confirm.interval_ns;
	return max_of(has_unexplained(target) ? turns->confirm.min_age_ns : HEAP_TURNS_IDLE_NS,
		      turns->confirm.interval_ns);
}

/* The first scan at once; then by what the last one left to be done. */
static bool is_due(void *ctx, struct target *target, uint64_t now_ns)
{
	const struct heap_turns *turns = ctx;
	const struct target_heap_figures *figures = target_heap__figures(target);

	if (target__state(target) != TARGET_LIVE || !target__census(target)->alive ||
	    target__census_under_way(target) || target_heap__held_off(target, now_ns))
		return false;
	if (target_places__are_wanted(target))
		return true;
	if (!figures)
		return is_worth_it(turns, target);
	return now_ns - figures->last_ended_ns >= pause_ns(turns, target, figures) &&
	       is_worth_it(turns, target);
}

/* What a broker has used is not known while it is started anew. */
static void add_used(struct heap_turns *turns, uint64_t begin_ns)
{
	uint64_t now_ns = self_usage__cpu_ns(), used_ns = now_ns - min_of(now_ns, begin_ns);

	turns->used_ns += used_ns;
	turns->total_ns += used_ns;
}

static int start(void *ctx, struct target *target)
{
	struct heap_turns *turns = ctx;
	uint64_t begin_ns = self_usage__cpu_ns();
	int err =
		target_heap__start(target, &turns->confirm, turns->max_heap_bytes, &turns->failure);

	turns->used_ns = 0;
	add_used(turns, begin_ns);
	return err;
}

/* A census that takes long is under way: the scan goes on afterwards. */
static bool may_go_on(const struct target *target)
{
	return !target__census_under_way(target);
}

static int step(void *ctx, struct target *target, uint64_t budget_ns)
{
	struct heap_turns *turns = ctx;
	uint64_t begin_ns = self_usage__cpu_ns();
	int more = target_heap__step(target, budget_ns, &turns->failure);

	add_used(turns, begin_ns);
	return more;
}

/* Whose heap cannot be read now is not tried again and again; the others have their turns. */
static uint64_t ended(void *ctx, struct target *target, int err, uint64_t now_ns)
{
	struct heap_turns *turns = ctx;

	if (err) {
		turns->failures++;
		target_heap__hold_off(target, now_ns + HEAP_TURNS_IDLE_NS);
	}
	return turns->used_ns;
}

bool heap_turns__step(struct heap_turns *turns, const struct session *session, uint64_t budget_ns,
		      uint64_t now_ns)
{
	static const struct turns_ops ops = {
		.is_due = is_due,
		.start = start,
		.is_under_way = target_heap__is_scanning,
		.may_go_on = may_go_on,
		.step = step,
		.ended = ended,
	};

	turns->turns.share = turns->max_share > 0 ? turns->max_share : HEAP_TURNS_SHARE;
	return turns__step(&turns->turns, &ops, turns, session__turns(session), budget_ns, now_ns);
}
