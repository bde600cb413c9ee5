// SPDX-License-Identifier: Apache-2.0
/* The view of sites: one pass over all goroutines, then a verdict per site. */
#include <stdlib.h>
#include <string.h>

#include "track/site_numbers.h"
#include "track/tracker_internal.h"
#include "track/verdict.h"

/* Fewer members than the growth test needs are not worth a histogram. */
#define MIN_AGES_MEMBERS 8
/* The trend is that of the last quarter of the watch, or of this long. */
#define TREND_MIN_NS (300 * NSEC_PER_SEC)
#define MAIN_GOID    1
/* A park that begins this soon after the birth is the first, or as good as that. */
#define FIRST_PARK_NS (500 * NSEC_PER_MSEC)

/* What is the same for all sites of one call. */
struct view {
	struct tracker *tracker;
	const struct tracker_policy *policy;
	uint64_t now; /* ticks */
	struct ages connections;
	struct opinion opinion;
	struct site_evidence numbers;
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

static bool is_origin(const struct site *site)
{
	return !site->key.place && !site->key.wait_reason;
}

static void passes_begin(struct view *view)
{
	struct site_table *sites = view->tracker->sites;

	for (uint32_t i = 0; i < site_table__end(sites); i++) {
		struct site *site = site_table__at(sites, i);

		site->pass = (struct site_pass){0};
		/* Without memory the site is judged on what else is known. */
		if (wants_ages(site)) {
			site->pass.ages = calloc(1, sizeof(*site->pass.ages));
			site->pass.born = calloc(1, sizeof(*site->pass.born));
			site->pass.woken = calloc(1, sizeof(*site->pass.woken));
		}
		if (is_origin(site) && !site->system && site->history)
			site->pass.alive = calloc(1, sizeof(*site->pass.alive));
	}
}

static void passes_end(struct view *view)
{
	struct site_table *sites = view->tracker->sites;

	for (uint32_t i = 0; i < site_table__end(sites); i++) {
		struct site_pass *pass = &site_table__at(sites, i)->pass;

		free(pass->ages);
		free(pass->born);
		free(pass->woken);
		free(pass->alive);
		pass->ages = pass->born = pass->woken = pass->alive = NULL;
	}
}

static void pass_parked(const struct view *view, const struct goroutine *g, struct site_pass *pass)
{
	uint64_t since = goroutine__since(g), age = ticks__age_ns(since, view->now);

	pass->oldest_park_ns = max_of(pass->oldest_park_ns, age);
	pass->settled += age >= view->policy->min_age_ns;
	pass->long_parked += age >= max_of(view->policy->min_age_ns, VERDICT_LONG_PARK_NS);
	if (since <= view->tracker->parks_ticks)
		pass->before++;
	else if (pass->ages)
		ages__add(pass->ages, age);
}

/* Whether it has parked again after what it began its life with: a first wait says nothing of it. */
static bool has_woken(const struct goroutine *g)
{
	uint64_t since = goroutine__since(g), born = goroutine__born(g);

	return !(g->flags & GOROUTINE_PARKED) || ticks__age_ns(born, since) >= FIRST_PARK_NS;
}

static void pass_life(struct view *view, struct site *site, const struct goroutine *g)
{
	struct site *origin = site_table__at(view->tracker->sites, site->origin);
	uint64_t born = goroutine__born(g), age = ticks__age_ns(born, view->now);
	size_t step = SITE_AGE_STEPS - 1;

	site->pass.oldest_age_ns = max_of(site->pass.oldest_age_ns, age);
	while (age < tracker__age_step_ns(step))
		step--;
	site->pass.age_steps[step]++;
	site->pass.aged += age >= view->policy->min_age_ns;
	if (born <= view->tracker->watch_ticks)
		return;
	if (site->wait_class == WAIT_IO)
		ages__add(&view->connections, age);
	if (site->pass.born)
		ages__add(site->pass.born, age);
	if (site->pass.woken && has_woken(g))
		ages__add(site->pass.woken, age);
	if (origin->pass.alive)
		ages__add(origin->pass.alive, age);
}

static void pass_all(struct view *view)
{
	struct tracker *tracker = view->tracker;
	struct goroutine *g;
	uint32_t handle = 0;

	while ((g = goroutine_table__next(tracker->goroutines, &handle))) {
		struct site *site = site_table__at(tracker->sites, goroutine__site(g));

		site->pass.has_main |= goroutine__goid(g) == MAIN_GOID;
		if (g->flags & GOROUTINE_PARKED)
			pass_parked(view, g, &site->pass);
		pass_life(view, site, g);
	}
}

static uint64_t resolution_ns(const struct tracker *tracker, bool events)
{
	return events ? 0 : ticks__age_ns(0, tracker->interval_ticks);
}

/* Time since @ticks, where 0 means that it never was. */
static uint64_t since_ns(const struct view *view, uint64_t ticks)
{
	return ticks ? ticks__age_ns(ticks, view->now) : UINT64_MAX;
}

static void collect(const struct view *view, const struct site *site, bool other,
		    struct evidence *e)
{
	const struct tracker *tracker = view->tracker;
	const struct site *origin = site_table__at(tracker->sites, site->origin);
	uint64_t parks_watched = ticks__age_ns(tracker->parks_ticks, view->now);
	uint64_t lives_watched = ticks__age_ns(tracker->watch_ticks, view->now);
	bool parks_told = tracker->parks_told || tracker->parks_now;
	uint64_t trend_ns = max_of(TREND_MIN_NS, lives_watched / 4);

	*e = (struct evidence){
		.wait_class = site->wait_class,
		.nature = site->nature,
		.exempt = other || site->system,
		.has_main = site->pass.has_main,
		.goroutines = site->goroutines,
		.parked = site->parked,
		.settled = site->pass.settled,
		.long_parked = site->pass.long_parked,
		.before = site->pass.before,
		.oldest_park_ns = site->pass.oldest_park_ns,
		.quiet_ns = since_ns(view, site->left_ticks),
		.ages = site->pass.ages,
		.aged = site->pass.aged,
		.born = site->pass.born,
		.woken = site->pass.woken,
		.leavers = &site->leavers,
		.lives = &origin->lives,
		.connections = &view->connections,
		.files = &tracker->files,
		.now = view->now,
		.objects = site->objects,
		.min_age_ns = view->policy->min_age_ns,
		.watched_ns = tracker->n_censuses ? parks_watched : 0,
		.lives_watched_ns = tracker->n_censuses ? lives_watched : 0,
		.parks_resolution_ns = resolution_ns(tracker, parks_told),
		.lives_resolution_ns = resolution_ns(tracker, tracker->options.expect_events),
		.inexact = tracker->inexact || tracker->inexact_now,
		.alarm_age_ns = since_ns(view, site->alarm.ticks),
		.alarm_growth_ns = site->alarm.growth_ns,
		.alarm_goroutines = site->alarm.goroutines,
	};
	if (site->history) {
		uint64_t window = trend_ns >> TICK_SHIFT;

		history__trend(site->history, view->now - min_of(window, view->now), &e->trend);
	}
}

static void judge(struct view *view, uint32_t index, double *ret_growth)
{
	struct site *site = site_table__at(view->tracker->sites, index);
	struct evidence evidence;

	collect(view, site, index == SITE_OTHER, &evidence);
	verdict__of(&evidence, &view->opinion);
	*ret_growth = evidence.trend.per_minute;
	site->pass.verdict = view->opinion.verdict;
	if (view->opinion.alarm) {
		site->alarm.ticks = view->now;
		site->alarm.growth_ns = view->opinion.growth_ns;
		site->alarm.goroutines = site->pass.aged;
	}
}

static void fill(struct view *view, uint32_t index, struct site_view *out)
{
	const struct site *site = site_table__at(view->tracker->sites, index);
	const struct opinion *opinion = &view->opinion;
	double growth;

	judge(view, index, &growth);
	*out = (struct site_view){
		.index = index,
		.creation_pc = site->key.creation_pc,
		.start_pc = site->key.start_pc,
		.place = site->key.place,
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
		.oldest_park_ns = site->pass.oldest_park_ns,
		.oldest_age_ns = site->pass.oldest_age_ns,
		.growth_per_minute = growth,
		.verdict = opinion->verdict,
		.suspect = opinion->verdict >= VERDICT_GROWING,
		.confidence = opinion->confidence,
		.n_why = opinion->n_why,
	};
	memcpy(out->why, opinion->why, sizeof(out->why));
	site_numbers__fill(view->tracker, site, opinion, view->now, &view->numbers);
	out->evidence = &view->numbers;
}

static int compare_sites(const void *a, const void *b, void *ctx)
{
	const struct site_table *sites = ctx;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct site *x = site_table__at(sites, i), *y = site_table__at(sites, j);

	if (x->pass.verdict != y->pass.verdict)
		return x->pass.verdict < y->pass.verdict ? 1 : -1;
	if (x->goroutines != y->goroutines)
		return x->goroutines < y->goroutines ? 1 : -1;
	return (i > j) - (i < j);
}

void tracker__sites(struct tracker *tracker, const struct tracker_policy *policy, uint64_t now_ns,
		    bool (*visit)(void *ctx, const struct site_view *site), void *ctx)
{
	struct view view = {.tracker = tracker, .policy = policy, .now = ticks__of(now_ns)};
	uint32_t *order = site_table__order(tracker->sites);
	struct site_view out;
	size_t n = 0;

	passes_begin(&view);
	pass_all(&view);
	for (uint32_t i = 0; i < site_table__end(tracker->sites); i++) {
		const struct site *site = site_table__at(tracker->sites, i);
		double growth;

		if (!site->goroutines && !site->created && !site->exited)
			continue;
		judge(&view, i, &growth);
		order[n++] = i;
	}
	qsort_r(order, n, sizeof(*order), compare_sites, tracker->sites);
	for (size_t i = 0; i < n; i++) {
		fill(&view, order[i], &out);
		if (!visit(ctx, &out))
			break;
	}
	passes_end(&view);
}
