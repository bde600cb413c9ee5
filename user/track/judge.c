// SPDX-License-Identifier: Apache-2.0
/* Judging: one pass over all goroutines, then a verdict per site, then the views that tell it. */
#include <errno.h>
#include <stdlib.h>

#include "track/bundles.h"
#include "track/first_look.h"
#include "track/site_past.h"
#include "track/site_views.h"
#include "track/tracker_internal.h"
#include "track/verdict.h"
#include "track/verdict_limits.h"

/* With fewer members than the growth test needs a site gets no histograms. */
#define MIN_AGES_MEMBERS 8
#define MAIN_GOID	 1

/* What is the same for all sites of one judgement. */
struct judge {
	struct tracker *tracker;
	const struct tracker_policy *policy;
	uint64_t now; /* ticks */
	bool again;   /* the same moment as the last time */
	struct age_histogram connections, awake_connections;
};

static const uint64_t age_steps_seconds[SITE_AGE_STEPS] = {0, 10, 60, 300, 900, 3600, 21600, 86400};

uint64_t tracker__age_step_ns(size_t step)
{
	return age_steps_seconds[step] * NSEC_PER_SEC;
}

static bool wants_ages(const struct site *site)
{
	return site->goroutines >= MIN_AGES_MEMBERS && !site->system &&
	       site->wait_class != WAIT_IO && site->wait_class != WAIT_NONE;
}

/* Whatever they waited for before: they run, or are in a system call or in C. */
static bool wants_runs(const struct site *site)
{
	return site->goroutines - site->parked >= MIN_AGES_MEMBERS && !site->system;
}

static bool is_origin(const struct site *site)
{
	return !site->key.place && !site->key.wait_reason;
}

/* A moment that is judged again is judged from the alarm that stood before it. */
static void begin_from_alarm_before(const struct judge *judge, struct site *site)
{
	if (judge->again)
		site->alarm = site->alarm_before;
	else
		site->alarm_before = site->alarm;
}

static void passes_begin(struct judge *judge)
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
		if (is_origin(site) && !site->system && site->history)
			site->pass.cohorts = site_cohorts__new(site->history);
	}
}

static void calls_begin(struct judge *judge)
{
	size_t n = 0;
	struct call_stat *stats =
		judge->tracker->callers ? callers__stats(judge->tracker->callers, &n) : NULL;

	for (size_t i = 0; i < n; i++)
		stats[i].stayed = 0;
}

static void passes_end(struct judge *judge)
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

static void pass_all(struct judge *judge)
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

static uint64_t resolution_ns(const struct tracker *tracker, bool events)
{
	return events ? 0 : ticks__age_ns(0, tracker->interval_ticks);
}

/* Time since @ticks, where 0 means that it never was. */
static uint64_t since_ns(const struct judge *judge, uint64_t ticks)
{
	return ticks ? ticks__age_ns(ticks, judge->now) : UINT64_MAX;
}

/* Some may have gone since the heap was looked at. */
static struct site_proof proof_now(const struct site *site)
{
	struct site_proof proof = site->proof;

	proof.goroutines = min_of(proof.goroutines, site->goroutines);
	return proof.goroutines ? proof :
				  (struct site_proof){.holder = proof.holder, .path = proof.path};
}

/* Of all that its go statement created, or of those that came by the call which the site is for. */
static const struct length_histogram *ended_lives(const struct tracker *tracker,
						  const struct site *site)
{
	const struct site *origin = site_table__at(tracker->sites, site->origin);
	const struct call_stat *stat = NULL;

	if (site->key.call_pc)
		stat = callers__stat(tracker->callers, site_key__hash(&origin->key),
				     site->key.call_pc);
	return stat ? &stat->lengths : &origin->ended_lives;
}

static void collect(const struct judge *judge, const struct site *site, bool other,
		    struct evidence *e)
{
	const struct tracker *tracker = judge->tracker;
	uint64_t parks_watched = ticks__age_ns(tracker->parks_ticks, judge->now);
	uint64_t lives_watched = ticks__age_ns(tracker->watch_ticks, judge->now);
	bool parks_told = tracker->parks_told || tracker->parks_now;
	uint64_t trend_ns = max_of(GROWING_TREND_NS, lives_watched / GROWING_TREND_PART);

	*e = (struct evidence){
		.wait_class = site->wait_class,
		.nature = site->nature,
		.exempt = other || site->system,
		.has_main = site->pass.has_main,
		.goroutines = site->goroutines,
		.parked = site->parked,
		.lived_min_age = site->pass.lived_min_age,
		.parked_min_age = site->pass.parked_min_age,
		.parked_long = site->pass.parked_long,
		.parked_before = site->pass.parked_before,
		.came = site->pass.came,
		.came_first_ns = site->pass.came_first_ns,
		.came_last_ns = site->pass.came_last_ns,
		.oldest_park_ns = site->pass.oldest_park_ns,
		.quiet_ns = since_ns(judge, site->left_ticks),
		.companions = site->pass.companions,
		.first_look = site->first_look,
		.moved_ns = since_ns(judge, site->first_look.moved_ticks),
		.open_files = tracker->files.count ? tracker->files.samples[0].goroutines : 0,
		.park_ages = site->pass.park_ages,
		.life_ages = site->pass.life_ages,
		.woken_life_ages = site->pass.woken_life_ages,
		.run_ages = site->pass.run_ages,
		.ended_runs = &site->ended_runs,
		.running = site->goroutines - site->parked,
		.running_min_age = site->pass.running_min_age,
		.in_syscall = site->key.place && !site->key.wait_reason,
		.ended_parks = &site->ended_parks,
		.ended_lives = ended_lives(tracker, site),
		.connections = &judge->connections,
		.awake_connections = &judge->awake_connections,
		.accepted = &tracker->accepted,
		.sockets = tracker->sockets_known ? &tracker->sockets : NULL,
		.files = &tracker->files,
		.now = judge->now,
		.objects = site->objects,
		.proof = proof_now(site),
		.min_age_ns = judge->policy->min_age_ns,
		.watched_ns = tracker->n_censuses ? parks_watched : 0,
		.lives_watched_ns = tracker->n_censuses ? lives_watched : 0,
		.parks_resolution_ns = resolution_ns(tracker, parks_told),
		.lives_resolution_ns = resolution_ns(tracker, tracker->options.expect_events),
		.inexact = tracker->inexact || tracker->inexact_now,
		.alarm_age_ns = since_ns(judge, site->alarm.ticks),
		.alarm_growth_ns = site->alarm.growth_ns,
		.alarm_goroutines = site->alarm.goroutines,
		.alarm_still_here = site->pass.of_alarm,
	};
	if (site->history) {
		uint64_t window = trend_ns >> TICK_SHIFT;

		history__trend(site->history, judge->now - min_of(window, judge->now), &e->trend);
	}
}

static void judge_site(const struct judge *judge, uint32_t index, struct judgement *ret_judgement,
		       struct trend *ret_trend)
{
	struct site *site = site_table__at(judge->tracker->sites, index);
	struct evidence evidence;

	collect(judge, site, index == SITE_OTHER, &evidence);
	verdict__of(&evidence, ret_judgement);
	*ret_trend = evidence.trend;
	judge->tracker->wants_sockets |= ret_judgement->asks_who_opened;
	if (ret_judgement->alarm) {
		site->alarm.ticks = judge->now;
		site->alarm.growth_ns = ret_judgement->growth_ns;
		site->alarm.goroutines = site->pass.lived_min_age;
	}
}

static void fill_evidence(const struct judge *judge, const struct site *site,
			  const struct judgement *judgement, const struct site_past *past,
			  struct site_evidence *evidence)
{
	uint64_t watched = ticks__age_ns(judge->tracker->watch_ticks, judge->now);

	evidence->observed_ns = min_of(watched, ticks__age_ns(site->first_ticks, judge->now));
	evidence->arrivals = past->arrivals;
	evidence->departures = past->departures;
	evidence->stay_ns = judgement->stay_ns;
	evidence->stayed = judgement->stayed;
	evidence->left = judgement->left;
	for (size_t i = 0; i < SITE_AGE_STEPS; i++)
		evidence->ages[i] = site->pass.age_steps[i];
}

static void fill_view(const struct site *site, uint32_t index, bool traced,
		      const struct judgement *judgement, struct site_view *view)
{
	*view = (struct site_view){
		.index = index,
		.creation_pc = site->key.creation_pc,
		.start_pc = site->key.start_pc,
		.place = site->key.place,
		.call_pc = site->key.call_pc,
		.apart = site->key.call_pc != 0,
		.stack_id = site->stack_id,
		.wait_reason = site->key.wait_reason,
		.wait_class = site->wait_class,
		.nature = site->nature,
		.system = site->system,
		.other = index == SITE_OTHER,
		.goroutines = site->goroutines,
		.parked = site->parked,
		.created = site->created,
		.exited = site->exited,
		.running = site->pass.running_min_age,
		.in_syscall = site->key.place && !site->key.wait_reason,
		.oldest_park_ns = site->pass.oldest_park_ns,
		.oldest_age_ns = site->pass.oldest_age_ns,
		.waited_ns = traced ? site->wait_ns + site->pass.waiting_ns : site->waited_ns,
		.parks = traced ? site->waits : site->parks,
		.verdict = judgement->verdict,
		.confidence = judgement->confidence,
		.bundle = site->pass.bundle,
		.due_ns = judgement->due_ns,
		.proof = proof_now(site),
	};
	if (!view->call_pc)
		view->call_pc = call_counts__first(&site->pass.calls, &view->called);
	else
		view->called = site->goroutines;
	view->call_known = site->pass.calls.known;
}

static int judge_and_show(const struct judge *judge, uint32_t index)
{
	struct site_table *sites = judge->tracker->sites;
	const struct site *site = site_table__at(sites, index);
	struct judgement judgement;
	struct site_past past;
	struct site_view view;
	struct trend trend;

	judge_site(judge, index, &judgement, &trend);
	site_table__at(sites, site->origin)->pass.suspect |= verdict__is_suspect(judgement.verdict);
	site_past__fill(site, site_table__at(sites, site->origin), judge->now, &past);
	fill_view(site, index, judge->tracker->waits != NULL, &judgement, &view);
	view.growth_per_minute = trend.per_minute;
	fill_evidence(judge, site, &judgement, &past, &view.evidence);
	return site_views__add(&judge->tracker->views, &view, &judgement, &past);
}

/* --- one leak at several places ------------------------------------------------------------------- */

/* The sites that may be parts of one leak, by slot. */
struct suspects {
	struct bundles *bundles;
	uint32_t sites[BUNDLES_MAX_SITES];
	struct judgement_sum {
		enum verdict verdict;
		double confidence;
	} judged[BUNDLES_MAX_SITES];
	bool any; /* of them is more than growing */
};

static bool may_be_a_part(const struct judgement *judgement, const struct trend *trend)
{
	return verdict__is_suspect(judgement->verdict) ||
	       (trend->steady && trend->per_minute > 0 && trend->rise >= GROWING_MIN_RISE);
}

/* Most sites do not rise: that is seen without judging them. */
static bool is_worth_judging(const struct site *site)
{
	struct trend trend = {0};

	if (site->goroutines < MIN_AGES_MEMBERS || site->system || is_origin(site))
		return false;
	if (site->alarm.ticks || site->first_look.arrived || site->proof.goroutines)
		return true;
	if (site->history)
		history__trend(site->history, 0, &trend);
	return trend.last >= trend.first + GROWING_MIN_RISE;
}

/* What rises, or is suspected; of the first ones that there are when there are very many. */
static int collect_suspects(const struct judge *judge, struct suspects *suspects)
{
	struct site_table *sites = judge->tracker->sites;

	for (uint32_t i = 0; i < site_table__end(sites); i++) {
		struct site *site = site_table__at(sites, i);
		struct judgement judgement;
		struct trend trend;
		int slot;

		if (i == SITE_OTHER || !is_worth_judging(site))
			continue;
		judge_site(judge, i, &judgement, &trend);
		if (!may_be_a_part(&judgement, &trend))
			continue;
		slot = bundles__add_site(suspects->bundles);
		if (slot < 0)
			return slot == -ENOSPC ? 0 : slot;
		suspects->sites[slot] = i;
		suspects->judged[slot] =
			(struct judgement_sum){judgement.verdict, judgement.confidence};
		suspects->any |= judgement.verdict >= VERDICT_SUSPECTED;
		site->pass.slot = (uint8_t)(slot + 1);
	}
	return 0;
}

static void collect_births(const struct judge *judge, bool exact, struct bundles *bundles)
{
	const struct tracker *tracker = judge->tracker;
	const struct goroutine *g;
	uint32_t handle = 0;

	while ((g = goroutine_table__next(tracker->goroutines, &handle))) {
		uint8_t slot = site_table__at(tracker->sites, goroutine__site(g))->pass.slot;

		/* Those from before the watch began at nobody knows when. */
		if (!slot || (exact && goroutine__existed_since(g) <= tracker->watch_ticks))
			continue;
		bundles__add_birth(bundles, slot - 1u, goroutine__goid(g),
				   goroutine__existed_since(g));
	}
}

static void note_bundles(const struct judge *judge, const struct suspects *suspects)
{
	struct site_table *sites = judge->tracker->sites;
	size_t n = bundles__count(suspects->bundles);
	double leaking[BUNDLES_MAX_SITES] = {0};
	size_t members[BUNDLES_MAX_SITES] = {0};

	for (size_t i = 0; i < n; i++) {
		size_t bundle = bundles__of(suspects->bundles, i);

		members[bundle]++;
		if (suspects->judged[i].verdict == VERDICT_LEAKING)
			leaking[bundle] = max_of(leaking[bundle], suspects->judged[i].confidence);
	}
	for (size_t i = 0; i < n; i++) {
		size_t bundle = bundles__of(suspects->bundles, i);
		struct site_pass *pass = &site_table__at(sites, suspects->sites[i])->pass;

		if (members[bundle] < 2)
			continue;
		pass->bundle = suspects->sites[bundle] + 1;
		pass->companions = leaking[bundle];
	}
}

/* Without memory each site is judged by itself. */
static void find_bundles(const struct judge *judge)
{
	const struct tracker *tracker = judge->tracker;
	bool exact =
		tracker->options.expect_events && tracker->events_since <= tracker->watch_ticks;
	struct suspects suspects = {.bundles = bundles__new(exact)};

	if (suspects.bundles && !collect_suspects(judge, &suspects) && suspects.any &&
	    bundles__count(suspects.bundles) > 1) {
		collect_births(judge, exact, suspects.bundles);
		bundles__find(suspects.bundles);
		note_bundles(judge, &suspects);
	}
	bundles__free(suspects.bundles);
}

/* --- all of it ------------------------------------------------------------------------------------- */

/* A gleakd that goes on where another ended knows more of the past than a first look can tell. */
static int look_first(const struct judge *judge)
{
	struct tracker *tracker = judge->tracker;
	int err = 0;

	if (tracker->looked_first || !tracker->n_censuses)
		return 0;
	if (!tracker->restored)
		err = first_look__take(tracker, judge->now);
	if (!err)
		tracker__settle_waits(tracker);
	tracker->looked_first = !err;
	return err;
}

int tracker__judge(struct tracker *tracker, const struct tracker_policy *policy, uint64_t now_ns)
{
	struct judge judge = {.tracker = tracker, .policy = policy, .now = ticks__of(now_ns)};
	int err;

	site_views__clear(&tracker->views);
	err = look_first(&judge);
	if (err)
		return err;
	judge.again = tracker->judged_ticks == judge.now;
	tracker->judged_ticks = judge.now;
	tracker->wants_sockets = false;
	passes_begin(&judge);
	calls_begin(&judge);
	pass_all(&judge);
	find_bundles(&judge);
	for (uint32_t i = 0; i < site_table__end(tracker->sites) && !err; i++) {
		const struct site *site = site_table__at(tracker->sites, i);

		if (site->goroutines || site->created || site->exited || site->waits)
			err = judge_and_show(&judge, i);
	}
	if (!err)
		apart__judge(tracker, policy->min_age_ns);
	passes_end(&judge);
	if (err)
		site_views__clear(&tracker->views);
	site_views__sort(&tracker->views);
	return err;
}

const struct site_view *tracker__sites(const struct tracker *tracker, size_t *ret_n)
{
	*ret_n = tracker->views.n;
	return tracker->views.views;
}
