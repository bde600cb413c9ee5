// SPDX-License-Identifier: Apache-2.0
/* Judging: one pass over all goroutines, then a verdict for each site, then the view that tells it. */
#include <errno.h>
#include <stdlib.h>

#include "track/first_look.h"
#include "track/judge_internal.h"
#include "track/site_past.h"
#include "track/site_views.h"
#include "track/verdict_limits.h"

static const uint64_t age_steps_seconds[SITE_AGE_STEPS] = {0, 10, 60, 300, 900, 3600, 21600, 86400};

uint64_t tracker__age_step_ns(size_t step)
{
	return age_steps_seconds[step] * NSEC_PER_SEC;
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

void judge__site(const struct judge *judge, uint32_t index, struct judgement *ret_judgement,
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

	judge__site(judge, index, &judgement, &trend);
	site_table__at(sites, site->origin)->pass.suspect |= verdict__is_suspect(judgement.verdict);
	site_past__fill(site, site_table__at(sites, site->origin), judge->now, &past);
	fill_view(site, index, judge->tracker->waits != NULL, &judgement, &view);
	view.growth_per_minute = trend.per_minute;
	fill_evidence(judge, site, &judgement, &past, &view.evidence);
	return site_views__add(&judge->tracker->views, &view, &judgement, &past);
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
	judge__begin_passes(&judge);
	judge__pass_all(&judge);
	judge__find_bundles(&judge);
	for (uint32_t i = 0; i < site_table__end(tracker->sites) && !err; i++) {
		const struct site *site = site_table__at(tracker->sites, i);

		if (site->goroutines || site->created || site->exited || site->waits)
			err = judge_and_show(&judge, i);
	}
	if (!err)
		apart__judge(tracker, policy->min_age_ns);
	judge__end_passes(&judge);
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
