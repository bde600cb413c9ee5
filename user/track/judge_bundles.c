// SPDX-License-Identifier: Apache-2.0
/* One leak at several places: sites whose goroutines were created together (bundles.h). */
#include <errno.h>

#include "track/bundles.h"
#include "track/judge_internal.h"
#include "track/verdict_limits.h"

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

	if (site->goroutines < JUDGE_MIN_MEMBERS || site->system || judge__is_origin(site))
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
		judge__site(judge, i, &judgement, &trend);
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

void judge__find_bundles(const struct judge *judge)
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
