// SPDX-License-Identifier: Apache-2.0
/* The view of sites: one pass over all goroutines, then a verdict per site. */
#include <stdlib.h>
#include <string.h>

#include "track/tracker_internal.h"
#include "track/verdict.h"

/* Fewer members than the growth test needs are not worth a histogram. */
#define MIN_AGES_MEMBERS 8
/* The trend is that of the last quarter of the watch, or of this long. */
#define TREND_MIN_NS (300 * NSEC_PER_SEC)
#define MAIN_GOID    1

/* What is the same for all sites of one call. */
struct view {
	struct tracker *tracker;
	const struct tracker_policy *policy;
	uint64_t now; /* ticks */
	struct ages connections;
	struct opinion opinion;
};

static bool wants_ages(const struct site *site)
{
	return site->parked >= MIN_AGES_MEMBERS && !site->system && site->wait_class != WAIT_IO &&
	       site->wait_class != WAIT_NONE;
}

static void passes_begin(struct view *view)
{
	struct site_table *sites = view->tracker->sites;

	for (uint32_t i = 0; i < site_table__end(sites); i++) {
		struct site *site = site_table__at(sites, i);

		site->pass = (struct site_pass){0};
		/* Without memory the site is judged on what else is known. */
		if (wants_ages(site))
			site->pass.ages = calloc(1, sizeof(*site->pass.ages));
	}
}

static void passes_end(struct view *view)
{
	struct site_table *sites = view->tracker->sites;

	for (uint32_t i = 0; i < site_table__end(sites); i++) {
		struct site *site = site_table__at(sites, i);

		free(site->pass.ages);
		site->pass.ages = NULL;
	}
}

static void pass_parked(const struct view *view, const struct goroutine *g, struct site_pass *pass)
{
	uint64_t since = goroutine__since(g), age = ticks__age_ns(since, view->now);

	pass->oldest_park_ns = max_of(pass->oldest_park_ns, age);
	pass->settled += age >= view->policy->min_age_ns;
	pass->long_parked += age >= max_of(view->policy->min_age_ns, VERDICT_LONG_PARK_NS);
	if (since <= view->tracker->watch_ticks)
		pass->before++;
	else if (pass->ages)
		ages__add(pass->ages, age);
}

static void pass_all(struct view *view)
{
	struct tracker *tracker = view->tracker;
	struct goroutine *g;
	uint32_t handle = 0;

	while ((g = goroutine_table__next(tracker->goroutines, &handle))) {
		struct site *site = site_table__at(tracker->sites, goroutine__site(g));
		uint64_t born = goroutine__born(g), age = ticks__age_ns(born, view->now);

		site->pass.oldest_age_ns = max_of(site->pass.oldest_age_ns, age);
		site->pass.has_main |= goroutine__goid(g) == MAIN_GOID;
		if (g->flags & GOROUTINE_PARKED)
			pass_parked(view, g, &site->pass);
		if (site->wait_class == WAIT_IO && born > tracker->watch_ticks)
			ages__add(&view->connections, age);
	}
}

static uint64_t resolution_ns(const struct tracker *tracker)
{
	bool events = tracker->parks_told || tracker->parks_now;

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
	uint64_t watched = ticks__age_ns(tracker->watch_ticks, view->now);
	uint64_t trend_ns = max_of(TREND_MIN_NS, watched / 4);

	*e = (struct evidence){
		.wait_class = site->wait_class,
		.exempt = other || site->system,
		.has_main = site->pass.has_main,
		.goroutines = site->goroutines,
		.parked = site->parked,
		.settled = site->pass.settled,
		.long_parked = site->pass.long_parked,
		.before = site->pass.before,
		.oldest_park_ns = site->pass.oldest_park_ns,
		.ages = site->pass.ages,
		.leavers = &site->leavers,
		.quiet_ns = since_ns(view, site->left_ticks),
		.connections = &view->connections,
		.min_age_ns = view->policy->min_age_ns,
		.watched_ns = tracker->n_censuses ? watched : 0,
		.resolution_ns = resolution_ns(tracker),
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
		site->alarm.goroutines = site->goroutines;
	}
}

static void fill(struct view *view, uint32_t index, struct site_view *out)
{
	const struct site *site = site_table__at(view->tracker->sites, index);
	double growth;

	judge(view, index, &growth);
	*out = (struct site_view){
		.index = index,
		.creation_pc = site->key.creation_pc,
		.start_pc = site->key.start_pc,
		.stack_id = site->key.stack_id,
		.wait_reason = site->key.wait_reason,
		.wait_class = site->wait_class,
		.system = site->system,
		.other = index == SITE_OTHER,
		.goroutines = site->goroutines,
		.parked = site->parked,
		.created = site->created,
		.exited = site->exited,
		.oldest_park_ns = site->pass.oldest_park_ns,
		.oldest_age_ns = site->pass.oldest_age_ns,
		.growth_per_minute = growth,
		.verdict = view->opinion.verdict,
		.n_why = view->opinion.n_why,
	};
	memcpy(out->why, view->opinion.why, sizeof(out->why));
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
