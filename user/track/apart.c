// SPDX-License-Identifier: Apache-2.0
/*
 * Goroutines that a library starts are at one place whoever called it: those of the call that forgets to close,
 * and those of all the others, which leave. Where calls tell such goroutines apart, each has sites of its own,
 * with the past that its own goroutines have had.
 */
#include "track/tracker_internal.h"
#include "track/verdict_limits.h"

static struct site *origin_of(const struct tracker *tracker, const struct goroutine *g)
{
	return site_table__at(tracker->sites,
			      site_table__at(tracker->sites, goroutine__site(g))->origin);
}

void tracker__note_call(struct tracker *tracker, uint64_t goid, uint64_t call_pc)
{
	uint32_t handle;
	const struct goroutine *g = goroutine_table__find(tracker->goroutines, goid, &handle);
	struct site *origin;

	if (!g || goroutine__site(g) == SITE_OTHER)
		return;
	origin = origin_of(tracker, g);
	if (!tracker->callers && callers__new(&tracker->callers))
		return;
	if (callers__note(tracker->callers, goid, site_key__hash(&origin->key), call_pc))
		origin->called = true;
}

uint64_t tracker__comes_from(const struct tracker *tracker, uint64_t goid,
			     uint64_t *ret_creation_pc)
{
	uint32_t handle;
	const struct goroutine *g = goroutine_table__find(tracker->goroutines, goid, &handle);

	*ret_creation_pc =
		g ? site_table__at(tracker->sites, goroutine__site(g))->key.creation_pc : 0;
	return g && tracker->callers ? callers__of(tracker->callers, goid) : 0;
}

uint64_t tracker__call_of(const struct tracker *tracker, const struct goroutine *g)
{
	const struct site *origin = origin_of(tracker, g);

	return origin->apart ? callers__of(tracker->callers, goroutine__goid(g)) : 0;
}

/* Shorter ones tell nothing of who stays. */
void apart__park_ended(struct tracker *tracker, const struct goroutine *g, uint64_t length)
{
	const struct site *site = site_table__at(tracker->sites, goroutine__site(g));
	uint64_t call_pc;

	if (length < NSEC_PER_SEC || site->key.call_pc || !origin_of(tracker, g)->called)
		return;
	call_pc = callers__of(tracker->callers, goroutine__goid(g));
	if (call_pc)
		callers__park_ended(tracker->callers, site_key__hash(&site->key), call_pc, length);
}

/* Whether next to none of those leave that came by a call. */
static bool stay(const struct call_stat *stat, uint64_t min_age_ns)
{
	uint64_t left = length_histogram__at_least(&stat->lengths, min_age_ns);

	return stat->stayed >= APART_MIN && (double)left <= stat->stayed * GROWTH_MAX_LEFT_SHARE;
}

static bool tells_apart(const struct tracker *tracker, const struct site *origin,
			uint64_t min_age_ns)
{
	uint64_t name = site_key__hash(&origin->key);
	unsigned int staying = 0, leaving = 0;
	size_t n;
	const struct call_stat *stats = callers__stats(tracker->callers, &n);

	for (size_t i = 0; i < n; i++) {
		if (stats[i].site != name)
			continue;
		if (stay(&stats[i], min_age_ns))
			staying++;
		else if (stats[i].ended >= APART_MIN)
			leaving++;
	}
	return (staying && leaving) || (staying > 1 && origin->pass.suspect);
}

void apart__judge(struct tracker *tracker, uint64_t min_age_ns)
{
	for (uint32_t i = 1; tracker->callers && i < site_table__end(tracker->sites); i++) {
		struct site *site = site_table__at(tracker->sites, i);

		if (site->called && !site->apart)
			site->tells_apart = tells_apart(tracker, site, min_age_ns);
	}
}

/* The site of those of @from that came by @call_pc, with their past. */
static uint32_t part_of(struct tracker *tracker, uint32_t from, uint64_t call_pc)
{
	struct site_key key = site_table__at(tracker->sites, from)->key;
	uint64_t name = site_key__hash(&key);
	const struct call_stat *stat;
	const struct site *whole;
	struct site *part;
	uint32_t index;

	key.call_pc = call_pc;
	index = site_table__find(tracker->sites, &key);
	if (index != SITE_OTHER)
		return index;
	index = tracker__site_of(tracker, &key, site_table__at(tracker->sites, from)->stack_id);
	if (index == SITE_OTHER)
		return index;
	whole = site_table__at(tracker->sites, from);
	part = site_table__at(tracker->sites, index);
	stat = callers__stat(tracker->callers, name, call_pc);
	if (stat)
		part->ended_parks = stat->lengths;
	part->first_ticks = whole->first_ticks;
	part->left_ticks = whole->left_ticks;
	part->objects = whole->objects;
	return index;
}

/* As record__move(), to a part of the site that it is at: it has neither come nor left. */
static void cut(struct tracker *tracker, struct goroutine *g, uint32_t to)
{
	uint32_t from = goroutine__site(g);
	struct site *to_site = site_table__at(tracker->sites, to);
	struct site *from_site = site_table__at(tracker->sites, from);
	uint32_t departures = from_site->departures, arrivals = to_site->arrivals;

	record__move(tracker, g, to);
	from_site->departures = departures;
	to_site->arrivals = arrivals;
}

static void cut_all(struct tracker *tracker)
{
	struct goroutine *g;
	uint32_t handle = 0;

	while ((g = goroutine_table__next(tracker->goroutines, &handle))) {
		uint32_t from = goroutine__site(g), to;
		const struct site *site = site_table__at(tracker->sites, from);
		uint64_t call_pc;

		if (site->key.call_pc || site->origin == from)
			continue;
		call_pc = tracker__call_of(tracker, g);
		if (!call_pc)
			continue;
		to = part_of(tracker, from, call_pc);
		if (to != SITE_OTHER && to != from)
			cut(tracker, g, to);
	}
}

void apart__cut(struct tracker *tracker)
{
	bool any = false;

	for (uint32_t i = 1; tracker->callers && i < site_table__end(tracker->sites); i++) {
		struct site *site = site_table__at(tracker->sites, i);

		if (!site->tells_apart || site->apart)
			continue;
		site->apart = any = true;
	}
	if (any)
		cut_all(tracker);
}
