// SPDX-License-Identifier: Apache-2.0
/* What one pass over all goroutines finds out of the members of each site (struct site_pass). */
#include <stdlib.h>

#include "track/judge_internal.h"
#include "track/verdict_limits.h"

#define MAIN_GOID 1

static bool wants_ages(const struct site *site)
{
	return site->goroutines >= JUDGE_MIN_MEMBERS && !site->system &&
	       site->wait_class != WAIT_IO && site->wait_class != WAIT_NONE;
}

/* Whatever they waited for before: they run, or are in a system call or in C. */
static bool wants_runs(const struct site *site)
{
	return site->goroutines - site->parked >= JUDGE_MIN_MEMBERS && !site->system;
}

/* A moment that is judged again is judged from the alarm that stood before it. */
static void begin_from_alarm_before(const struct judge *judge, struct site *site)
{
	if (judge->again)
		site->alarm = site->alarm_before;
	else
		site->alarm_before = site->alarm;
}

static void calls_begin(struct judge *judge)
{
	size_t n = 0;
	struct call_stat *stats =
		judge->tracker->callers ? callers__stats(judge->tracker->callers, &n) : NULL;

	for (size_t i = 0; i < n; i++)
		stats[i].stayed = 0;
}

void judge__begin_passes(struct judge *judge)
{
	struct site_table *sites = judge->tracker->sites;

	for (uint32_t i = 0; i < site_table__end(sites); i++) {
		struct site *site = site_table__at(sites, i);

		site->pass = (struct site_pass){0};
		begin_from_alarm_before(judge, site);
		/* Without memory the site is judged on what else is known. */
		if (wants_ages(site)) {
			site->pass.park_ages = calloc(1, sizeof(*site->pass.park_ages));
			site->pass.life_ages = calloc(1, sizeof(*site->pass.life_ages));
			site->pass.woken_life_ages = calloc(1, sizeof(*site->pass.woken_life_ages));
		}
		if (wants_runs(site))
			site->pass.run_ages = calloc(1, sizeof(*site->pass.run_ages));
		if (judge__is_origin(site) && !site->system && site->history)
			site->pass.cohorts = site_cohorts__new(site->history);
	}
	calls_begin(judge);
}

/* What the park of one member adds to its site's pass. */
static void pass_parked(const struct judge *judge, const struct goroutine *g,
			struct site_pass *pass)
{
	uint64_t since = goroutine__parked_since(g), age = ticks__age_ns(since, judge->now);

	pass->oldest_park_ns = max_of(pass->oldest_park_ns, age);
	pass->parked_min_age += age >= judge->policy->min_age_ns;
	pass->parked_long += age >= max_of(judge->policy->min_age_ns, STUCK_SEND_NS);
	if (since <= judge->tracker->parks_ticks) {
		pass->parked_before++;
		return;
	}
	if (pass->park_ages)
		age_histogram__add(pass->park_ages, age);
	/* One that was there and only waits again is no more than there were. */
	if (age < judge->policy->min_age_ns ||
	    goroutine__existed_since(g) <= judge->tracker->parks_ticks)
		return;
	pass->came_first_ns = max_of(pass->came_first_ns, age);
	pass->came_last_ns = pass->came ? min_of(pass->came_last_ns, age) : age;
	pass->came++;
}

/* What the time since the last park of a member that is not parked adds to its site's pass. */
static void pass_running(const struct judge *judge, const struct goroutine *g,
			 struct site_pass *pass)
{
	uint64_t since = goroutine__parked_since(g), age = ticks__age_ns(since, judge->now);

	pass->running_min_age += age >= judge->policy->min_age_ns;
	if (since > judge->tracker->parks_ticks && pass->run_ages)
		age_histogram__add(pass->run_ages, age);
}

/*
 * Whether @g is known to have woken up after its first park: it runs, or its park is a later one.
 */
static bool has_woken(const struct goroutine *g)
{
	uint64_t before = ticks__age_ns(goroutine__existed_since(g), goroutine__parked_since(g));

	return !(g->flags & GOROUTINE_PARKED) || before >= GROWTH_FIRST_PARK_NS;
}

static void pass_connection(struct judge *judge, const struct goroutine *g, uint64_t age)
{
	uint64_t wait = ticks__age_ns(goroutine__parked_since(g), judge->now);

	age_histogram__add(&judge->connections, age);
	if (!(g->flags & GOROUTINE_PARKED) || wait < judge->policy->min_age_ns)
		age_histogram__add(&judge->awake_connections, age);
}

/* Which call led to it. */
static void pass_call(struct judge *judge, struct site *site, const struct goroutine *g,
		      uint64_t age)
{
	const struct tracker *tracker = judge->tracker;
	const struct site *origin = site_table__at(tracker->sites, site->origin);
	struct call_stat *stat;
	uint64_t call_pc;

	call_pc = origin->called ? callers__of(tracker->callers, goroutine__goid(g)) : 0;
	if (!call_pc)
		return;
	call_counts__add(&site->pass.calls, call_pc);
	stat = callers__stat(tracker->callers, site_key__hash(&origin->key), call_pc);
	if (stat)
		stat->stayed += age >= judge->policy->min_age_ns;
}

/* What the life of one member adds to its site's pass, and to that of its site's origin. */
static void pass_life(struct judge *judge, struct site *site, const struct goroutine *g)
{
	struct site *origin = site_table__at(judge->tracker->sites, site->origin);
	uint64_t existed = goroutine__existed_since(g), age = ticks__age_ns(existed, judge->now);
	size_t step = SITE_AGE_STEPS - 1;

	site->pass.oldest_age_ns = max_of(site->pass.oldest_age_ns, age);
	while (age < tracker__age_step_ns(step))
		step--;
	site->pass.age_steps[step]++;
	site->pass.lived_min_age += age >= judge->policy->min_age_ns;
	pass_call(judge, site, g, age);
	site->pass.of_alarm += ticks__age_ns(existed, site->alarm.ticks) >=
			       max_of(judge->policy->min_age_ns, (uint64_t)1);
	if (existed <= judge->tracker->watch_ticks)
		return;
	if (site->wait_class == WAIT_IO)
		pass_connection(judge, g, age);
	if (site->pass.life_ages)
		age_histogram__add(site->pass.life_ages, age);
	if (site->pass.woken_life_ages && has_woken(g))
		age_histogram__add(site->pass.woken_life_ages, age);
	if (origin->pass.cohorts)
		site_cohorts__add(origin->pass.cohorts, existed);
}

void judge__pass_all(struct judge *judge)
{
	struct tracker *tracker = judge->tracker;
	struct goroutine *g;
	uint32_t handle = 0;

	while ((g = goroutine_table__next(tracker->goroutines, &handle))) {
		struct site *site = site_table__at(tracker->sites, goroutine__site(g));

		site->pass.has_main |= goroutine__goid(g) == MAIN_GOID;
		if (g->flags & GOROUTINE_PARKED) {
			pass_parked(judge, g, &site->pass);
			site->pass.waiting_ns += waits__of(tracker, handle, g, judge->now);
		} else {
			pass_running(judge, g, &site->pass);
		}
		pass_life(judge, site, g);
	}
}

void judge__end_passes(const struct judge *judge)
{
	struct site_table *sites = judge->tracker->sites;

	for (uint32_t i = 0; i < site_table__end(sites); i++) {
		struct site_pass *pass = &site_table__at(sites, i)->pass;

		free(pass->park_ages);
		free(pass->life_ages);
		free(pass->woken_life_ages);
		free(pass->run_ages);
		free(pass->cohorts);
		pass->park_ages = pass->life_ages = pass->woken_life_ages = NULL;
		pass->run_ages = NULL;
		pass->cohorts = NULL;
	}
}
