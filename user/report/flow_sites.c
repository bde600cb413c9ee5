// SPDX-License-Identifier: Apache-2.0
#include "report/flow_sites.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "report/alloc_groups.h"
#include "report/alloc_held.h"
#include "session/allocs/target_allocs.h"
#include "session/heap/target_view.h"

#define NO_SITE UINT32_MAX

/* What is added up for a site, beside what is reported. */
struct sums {
	struct alloc_share share;
	double most; /* bytes of the entry with the most, whose stack and type are shown */
	struct heap_allocation what;
	struct alloc_evidence evidence;
};

struct flow_sites {
	struct report_allocations report;
	struct alloc_places places;
	struct sums *sums; /* of each */
	size_t n_sums, sums_capacity;
};

struct build {
	struct target *target;
	struct flow_sites *sites;
	const struct alloc_figures *figures;
	struct followed_past past;
	bool followed;
	struct alloc_held held;
	struct alloc_evidence none, whole; /* of what has no past; the heap */
	uint32_t *of_stack;		   /* sites by number of stack; NO_SITE: not known yet */
	size_t n_stacks;
	int err; /* that a callback met */
	struct site_frames frames;
};

/* --- one site ----------------------------------------------------------------------------------- */

static int site_of(struct build *build, size_t *ret_i)
{
	struct flow_sites *sites = build->sites;
	int err = alloc_places__of(&sites->places, &build->frames, ret_i);

	if (err || *ret_i < sites->n_sums)
		return err;
	if (!array__reserve(sites->sums, sites->sums_capacity, sites->n_sums + 1))
		return -ENOMEM;
	sites->sums[sites->n_sums++] = (struct sums){.most = -1, .evidence = build->none};
	return 0;
}

static void resolve(struct build *build, uint32_t stack)
{
	site_frames__resolve(target__symbolizer(build->target),
			     target_allocs__stacks(build->target), 0, 0, stack, &build->frames);
}

static int site_of_stack(struct build *build, uint32_t stack, size_t *ret_i)
{
	bool known = stack < build->n_stacks;
	int err;

	if (known && build->of_stack[stack] != NO_SITE) {
		*ret_i = build->of_stack[stack];
		return 0;
	}
	resolve(build, stack);
	err = site_of(build, ret_i);
	if (!err && known)
		build->of_stack[stack] = (uint32_t)*ret_i;
	return err;
}

static int take_entry(struct build *build, const struct alloc_flow_entry *entry)
{
	struct alloc_share share = alloc_share__of(entry, build->figures);
	struct sums *sums;
	size_t i;
	int err = site_of_stack(build, entry->stack, &i);

	if (err == -ENOSPC) {
		build->sites->report.refused += entry->hits;
		return 0;
	}
	if (err)
		return err;
	sums = &build->sites->sums[i];
	alloc_share__add(&sums->share, &share);
	if (share.bytes <= sums->most)
		return 0;
	sums->most = share.bytes;
	sums->what = target_allocs__what(build->target, entry);
	/* The stack of most of it stands for the others. */
	resolve(build, entry->stack);
	return alloc_places__keep_stack(&build->sites->places, i, &build->frames);
}

/* --- what became of them ------------------------------------------------------------------------- */

/* What one object that was followed stands for at this site, on average of those that are alive. */
static double bytes_per_sample(const struct sums *sums)
{
	return sums->share.samples > 0 ? sums->share.old_bytes / sums->share.samples : 0;
}

static bool on_bucket(void *ctx, uint64_t bucket, const struct alloc_past *past)
{
	struct build *build = ctx;
	struct sums *sums;
	double bytes;
	size_t i;

	build->err = site_of_stack(build, alloc_follow__stack(bucket), &i);
	if (build->err == -ENOSPC)
		build->err = 0;
	else if (!build->err) {
		sums = &build->sites->sums[i];
		bytes = bytes_per_sample(sums);
		alloc_evidence__add(&sums->evidence, past, bytes);
		alloc_evidence__add(&build->whole, past, bytes);
	}
	return !build->err;
}

/* Where they hang, if a scan has found that out. */
static int add_held(struct build *build)
{
	const struct object_places *places = target_allocs__places(build->target);
	int err = 0;

	for (size_t at = 0; at < places->n && !err;) {
		uint64_t bucket = places->all[at].bucket;
		size_t i;

		err = site_of_stack(build, alloc_follow__stack(bucket), &i);
		if (!err)
			err = alloc_held__add(&build->held, places, bucket, i,
					      bytes_per_sample(&build->sites->sums[i]));
		if (err == -ENOSPC)
			err = 0;
		while (at < places->n && places->all[at].bucket == bucket)
			at++;
	}
	return err ? err :
		     alloc_held__name(&build->held, target_view__paths(build->target),
				      &build->sites->places);
}

static int judge_all(struct build *build)
{
	struct flow_sites *sites = build->sites;

	if (!build->followed || !build->past.history)
		return 0;
	alloc_history__each(build->past.history, on_bucket, build);
	for (size_t i = 0; i < sites->n_sums && !build->err; i++) {
		struct alloc_evidence *evidence = &sites->sums[i].evidence;
		struct report_alloc_site *site = &sites->places.all[i];

		alloc_evidence__of_heap(evidence, build->past.heap_bytes, &build->whole);
		site->judgement = alloc_judge__of(evidence);
		site->growth_per_minute = site->judgement.bytes_per_minute;
		sites->report.growth_known |= site->judgement.verdict != ALLOC_NOT_JUDGED;
	}
	return build->err;
}

static void follow(struct build *build)
{
	build->followed = target_allocs__past(build->target, &build->past);
	build->none.min_window_ns = build->past.min_window_ns;
	if (build->followed && build->past.history)
		build->none.times = *alloc_history__times(build->past.history);
	build->whole = build->none;
	build->sites->report.in_use_known = build->followed;
}

/* --- all of them -------------------------------------------------------------------------------- */

static double relative_error(const struct alloc_share *share, bool in_use_known)
{
	if (in_use_known && share->in_use_bytes > 0)
		return sqrt(share->in_use_variance) / share->in_use_bytes;
	return alloc_share__relative_error(share);
}

static int finish(struct build *build)
{
	struct flow_sites *sites = build->sites;

	for (size_t i = 0; i < sites->n_sums; i++) {
		char type[TARGET_ALLOCS_TYPE];
		struct report_alloc_site *site = &sites->places.all[i];
		const struct alloc_share *share = &sites->sums[i].share;

		site->alloc_objects = (uint64_t)llround(share->objects);
		site->alloc_bytes = (uint64_t)llround(share->bytes);
		site->in_use_objects = (uint64_t)llround(share->in_use_objects);
		site->in_use_bytes = (uint64_t)llround(share->in_use_bytes);
		site->relative_error = relative_error(share, build->followed);
		site->alloc_relative_error = alloc_share__relative_error(share);
		target_allocs__name_type(build->target, &sites->sums[i].what, type, sizeof(type));
		site->type = *type ? strdup(type) : NULL;
		if (*type && !site->type)
			return -ENOMEM;
	}
	return add_held(build);
}

static int take_all(struct build *build)
{
	size_t n;
	const struct alloc_flow_entry *entries =
		alloc_flow__entries(target_allocs__flow(build->target), &n);
	int err = 0;

	build->n_stacks = stack_table__count(target_allocs__stacks(build->target)) + 1;
	build->of_stack = malloc(build->n_stacks * sizeof(*build->of_stack));
	if (!build->of_stack)
		return -ENOMEM;
	for (size_t i = 0; i < build->n_stacks; i++)
		build->of_stack[i] = NO_SITE;
	follow(build);
	for (size_t i = 0; i < n && !err; i++)
		err = take_entry(build, &entries[i]);
	if (!err)
		err = finish(build);
	return err ? err : judge_all(build);
}

static int make(struct build *build)
{
	struct flow_sites *sites = build->sites;
	int err = alloc_places__init(&sites->places);

	if (err || !build->figures->windows)
		return err;
	sites->report.source = build->figures->source;
	sites->report.watched = build->figures->again;
	sites->report.seconds = (double)build->figures->watched_ns / NSEC_PER_SEC;
	sites->report.refused = build->figures->refused;
	sites->report.unseen_bytes = build->figures->unseen_bytes;
	return take_all(build);
}

static const char *what_is_missing(const struct alloc_figures *figures)
{
	if (figures->windows)
		return "";
	if (*figures->missing)
		return figures->missing;
	return *figures->ended ? figures->ended : "no window of time was open yet";
}

/* NULL, and *@ret_err says why. */
static struct flow_sites *build_sites(struct target *target, const struct alloc_figures *figures,
				      int *ret_err)
{
	struct flow_sites *sites = calloc(1, sizeof(*sites));
	struct build *build = calloc(1, sizeof(*build));

	*ret_err = -ENOMEM;
	if (sites && build) {
		*build = (struct build){.target = target, .sites = sites, .figures = figures};
		*ret_err = make(build);
		free(build->of_stack);
		alloc_held__done(&build->held);
	}
	free(build);
	if (!*ret_err)
		return sites;
	flow_sites__free(sites);
	return NULL;
}

int flow_sites__refresh(struct target *target, enum report_alloc_order order,
			const struct alloc_figures *figures, uint64_t now_ns,
			struct flow_sites **sites)
{
	struct flow_sites *before = *sites, *made;
	int err;

	made = build_sites(target, figures, &err);
	if (made && before)
		err = alloc_places__inherit(&made->places, &before->places,
					    made->report.seconds - before->report.seconds);
	if (err) {
		flow_sites__free(made);
		return err;
	}
	flow_sites__free(before);
	*sites = made;
	target_allocs__told(target);
	if (figures->again && alloc_places__lack_holders(&made->places))
		target_places__want(target, now_ns);
	alloc_places__sort(&made->places, order, figures->again);
	made->report.missing = what_is_missing(figures);
	made->report.sites = made->places.all;
	made->report.n_sites = made->places.n;
	return 0;
}

void flow_sites__free(struct flow_sites *sites)
{
	if (!sites)
		return;
	alloc_places__done(&sites->places);
	free(sites->sums);
	free(sites);
}

void flow_sites__suppress(struct flow_sites *sites, struct allow_list *allow)
{
	if (sites)
		alloc_places__suppress(&sites->places, allow);
}

void flow_sites__tell_due(struct flow_sites *sites, uint64_t now_ns, uint64_t realtime_ns)
{
	if (sites)
		alloc_places__tell_due(&sites->places, now_ns, realtime_ns);
}

const struct report_allocations *flow_sites__report(const struct flow_sites *sites)
{
	return &sites->report;
}
