// SPDX-License-Identifier: Apache-2.0
#include "report/alloc_sites.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"
#include "report/alloc_held.h"
#include "report/alloc_places.h"

#define NAME_MAX_TEXT 512

/* What is added up for a site, beside what is reported. */
struct sums {
	double in_use_variance, alloc_variance; /* of bytes */
	double grown;				/* bytes in use since the first look */
	struct alloc_evidence evidence;
	double stack_weight;	     /* of the bucket whose stack is shown */
	struct heap_allocation what; /* that was allocated there */
};

struct alloc_sites {
	struct report_allocations report;
	struct alloc_places places;
	struct sums *sums; /* of each site */
	size_t n_sums, sums_capacity;
	uint64_t changed_ns; /* of the samples that they were built of */
	uint64_t read_ns;    /* when those were read; 0: there are none */
};

/* What building takes. */
struct build {
	struct target *target;
	struct alloc_sites *sites;
	const struct target_samples *samples;
	struct index *first_by_address; /* of buckets of the first look; NULL: there was only one */
	struct alloc_held held;
	struct alloc_evidence none; /* of what has no past: when it was looked at */
	struct site_frames frames;
	uint64_t pcs[PROFILE_MAX_STACK];
};

/* --- one site ----------------------------------------------------------------------------------- */

/* @none: the evidence of a site that has no bucket yet. */
static int site_of(struct alloc_sites *sites, const struct site_frames *frames,
		   const struct alloc_evidence *none, size_t *ret_i)
{
	int err = alloc_places__of(&sites->places, frames, ret_i);

	if (err || *ret_i < sites->n_sums)
		return err;
	if (!array__reserve(sites->sums, sites->sums_capacity, sites->n_sums + 1))
		return -ENOMEM;
	sites->sums[sites->n_sums++] = (struct sums){.stack_weight = -1, .evidence = *none};
	return 0;
}

/* The stack of most of it stands for the others, and so does the type. */
static int offer_stack(struct build *build, size_t i, const struct heap_sample_bucket *bucket,
		       double weight)
{
	struct heap_paths *paths = target_view__paths(build->target);
	struct alloc_sites *sites = build->sites;

	if (weight <= sites->sums[i].stack_weight)
		return 0;
	if (alloc_places__keep_stack(&sites->places, i, &build->frames))
		return -ENOMEM;
	sites->sums[i].stack_weight = weight;
	if (paths && bucket->n_pcs)
		sites->sums[i].what =
			heap_allocated__of(heap_paths__allocated(paths),
					   heap_samples__stack(build->samples->last, bucket),
					   bucket->n_pcs, bucket->size);
	return 0;
}

/* As src/runtime/pprof/protomem.go has it, which cuts off as well. */
static uint64_t scaled(uint64_t n, double scale)
{
	double value = (double)n * scale;

	return value < (double)INT64_MAX ? (uint64_t)value : INT64_MAX;
}

static uint64_t add(uint64_t sum, uint64_t n)
{
	return n > INT64_MAX - min_of(sum, (uint64_t)INT64_MAX) ? INT64_MAX : sum + n;
}

static void add_bucket(struct alloc_sites *sites, size_t i, const struct heap_sample_bucket *bucket,
		       double grown)
{
	struct report_alloc_site *site = &sites->places.all[i];
	struct sums *sums = &sites->sums[i];
	uint64_t rate = sites->report.rate, size = bucket->size;
	double scale = heap_sample__scale(size, rate), square = (double)size * (double)size;

	site->in_use_objects = add(site->in_use_objects, scaled(bucket->live, scale));
	site->in_use_bytes = add(site->in_use_bytes, scaled(bucket->live, scale * (double)size));
	site->alloc_objects = add(site->alloc_objects, scaled(bucket->allocs, scale));
	site->alloc_bytes = add(site->alloc_bytes, scaled(bucket->allocs, scale * (double)size));
	sums->in_use_variance += heap_sample__variance(bucket->live, size, rate) * square;
	sums->alloc_variance += heap_sample__variance(bucket->allocs, size, rate) * square;
	sums->grown += grown * scale * (double)size;
}

/* --- what it is --------------------------------------------------------------------------------- */

/* The type that the allocator was told; else that of most of it, as it hangs. */
static int name_types(struct build *build)
{
	struct heap_paths *paths = target_view__paths(build->target);
	struct alloc_sites *sites = build->sites;
	char text[NAME_MAX_TEXT];

	for (size_t i = 0; i < sites->places.n && paths; i++) {
		heap_allocated__name(heap_paths__allocated(paths), &sites->sums[i].what, text,
				     sizeof(text));
		if (!*text)
			continue;
		sites->places.all[i].type = strdup(text);
		if (!sites->places.all[i].type)
			return -ENOMEM;
	}
	return 0;
}

/* --- growth ------------------------------------------------------------------------------------- */

static int index_first(struct build *build)
{
	const struct heap_sample_bucket *all;
	size_t n;
	int err;

	if (build->samples->first == build->samples->last)
		return 0;
	all = heap_samples__buckets(build->samples->first, &n);
	err = index__new(max_of(n, (size_t)1), &build->first_by_address);
	for (size_t i = 0; i < n && !err; i++)
		err = index__add(build->first_by_address, hash__keyed_word(all[i].address),
				 (uint32_t)i);
	return err;
}

/* Samples in use that came since the first look; one that is new had none then. */
static double grown_since(const struct build *build, const struct heap_sample_bucket *bucket)
{
	struct index_search search;
	const struct heap_sample_bucket *all;
	size_t n;

	if (!build->first_by_address)
		return 0;
	all = heap_samples__buckets(build->samples->first, &n);
	search = index__search(build->first_by_address, hash__keyed_word(bucket->address));
	while (index__next(&search)) {
		if (all[search.number].address == bucket->address)
			return (double)bucket->live - (double)all[search.number].live;
	}
	return (double)bucket->live;
}

/* --- all of them -------------------------------------------------------------------------------- */

static int take_bucket(struct build *build, const struct heap_sample_bucket *bucket)
{
	const uint64_t *stack = heap_samples__stack(build->samples->last, bucket);
	double bytes =
		(double)bucket->size * heap_sample__scale(bucket->size, build->sites->report.rate);
	size_t i;
	int err;

	for (uint32_t k = 0; k < bucket->n_pcs; k++)
		build->pcs[k] = target__module_pc(build->target, stack[k]);
	site_frames__of_calls(target__symbolizer(build->target), build->pcs, bucket->n_pcs,
			      &build->frames);
	err = site_of(build->sites, &build->frames, &build->none, &i);
	if (err == -ENOSPC) {
		build->sites->report.refused += bucket->live;
		return 0;
	}
	if (err)
		return err;
	add_bucket(build->sites, i, bucket, grown_since(build, bucket));
	if (build->samples->history) {
		struct alloc_past past;

		alloc_history__past(build->samples->history, bucket->address, &past);
		alloc_evidence__add(&build->sites->sums[i].evidence, &past, bytes);
	}
	err = alloc_held__add(&build->held, &build->samples->places, bucket->address, i, bytes);
	if (err)
		return err;
	/* What is in use counts a million times what only was: a terabyte of it counts less than that. */
	return offer_stack(build, i, bucket,
			   bytes * ((double)bucket->live + (double)bucket->allocs * 1e-6));
}

static void finish(struct build *build)
{
	struct alloc_sites *sites = build->sites;
	uint64_t between_ns = heap_samples__totals(build->samples->last)->finished_ns -
			      heap_samples__totals(build->samples->first)->finished_ns;
	double minutes = (double)between_ns / NSEC_PER_SEC / 60;

	/* Where they are read again and again, by what stayed over the periods that were judged. */
	if (build->samples->again)
		sites->report.growth_known =
			sites->places.n && alloc_judge__of(&sites->sums[0].evidence).verdict;
	else
		sites->report.growth_known = between_ns != 0;
	sites->report.watched = build->samples->again;
	for (size_t i = 0; i < sites->places.n; i++) {
		struct report_alloc_site *site = &sites->places.all[i];
		struct sums *sums = &sites->sums[i];

		site->judgement = alloc_judge__of(&sums->evidence);
		if (site->alloc_bytes)
			site->alloc_relative_error =
				sqrt(sums->alloc_variance) / (double)site->alloc_bytes;
		site->relative_error = site->in_use_bytes ? sqrt(sums->in_use_variance) /
								    (double)site->in_use_bytes :
							    site->alloc_relative_error;
		if (build->samples->again)
			site->growth_per_minute = site->judgement.bytes_per_minute;
		else if (between_ns)
			site->growth_per_minute = sums->grown / minutes;
	}
}

static int take_all(struct build *build)
{
	const struct heap_samples_totals *totals = heap_samples__totals(build->samples->last);
	const struct heap_sample_bucket *all;
	size_t n;
	int err = index_first(build);

	build->sites->report.source = ALLOC_SOURCE_SAMPLES;
	build->sites->report.in_use_known = true;
	build->sites->report.rate = totals->rate;
	build->sites->report.refused = totals->refused + totals->buckets.refused;
	all = heap_samples__buckets(build->samples->last, &n);
	for (size_t i = 0; i < n && !err; i++)
		err = take_bucket(build, &all[i]);
	if (!err)
		finish(build);
	if (!err)
		err = name_types(build);
	return err ? err :
		     alloc_held__name(&build->held, target_view__paths(build->target),
				      &build->sites->places);
}

/* --- from build to build ------------------------------------------------------------------------ */

/* Whether they would be the same if they were built now. */
static bool is_current(const struct alloc_sites *sites, const struct target *target)
{
	const struct target_samples *samples = target_samples__get(target);

	return sites && samples && sites->changed_ns == samples->changed_ns;
}

/*
 * From reading to reading. What else may have changed since is where they hang: then the rate is what it was.
 */
static double seconds_between(const struct alloc_sites *before, const struct alloc_sites *now)
{
	return before->read_ns && now->read_ns > before->read_ns ?
		       report__seconds(now->read_ns - before->read_ns) :
		       0;
}

static int build_sites(struct target *target, enum report_alloc_order order,
		       const struct alloc_sites *before, struct alloc_sites **ret_sites)
{
	const struct target_samples *samples = target_samples__get(target);
	struct alloc_sites *sites;
	struct build *build;
	int err;

	*ret_sites = NULL;
	if (!samples)
		return 0;
	sites = calloc(1, sizeof(*sites));
	build = calloc(1, sizeof(*build));
	err = sites && build ? alloc_places__init(&sites->places) : -ENOMEM;
	if (!err && samples->last) {
		*build = (struct build){.target = target, .sites = sites, .samples = samples};
		build->none.min_window_ns = samples->min_window_ns;
		if (samples->history)
			build->none.times = *alloc_history__times(samples->history);
		err = take_all(build);
		index__free(build->first_by_address);
		alloc_held__done(&build->held);
	}
	free(build);
	if (!err && samples->last)
		sites->read_ns = heap_samples__totals(samples->last)->finished_ns;
	if (!err && before)
		err = alloc_places__inherit(&sites->places, &before->places,
					    seconds_between(before, sites));
	if (err) {
		alloc_sites__free(sites);
		return err;
	}
	alloc_places__sort(&sites->places, order, samples->again);
	sites->changed_ns = samples->changed_ns;
	sites->report.missing = samples->missing.text;
	sites->report.sites = sites->places.all;
	sites->report.n_sites = sites->places.n;
	*ret_sites = sites;
	return 0;
}

/* Whoever looks but a few times has the places of his own scans. */
static void tell_places(struct target *target, const struct alloc_sites *made, uint64_t now_ns)
{
	struct target_samples *samples = target_samples__kept(target);

	if (!made || !samples->again)
		return;
	target_places__told(target, &samples->places);
	if (alloc_places__lack_holders(&made->places))
		target_places__want(target, now_ns);
}

/*
 * They last until the samples are read again. Frames are those of the target's symbolizer: one that is watched
 * anew has other samples.
 */
int alloc_sites__refresh(struct target *target, enum report_alloc_order order, uint64_t now_ns,
			 struct alloc_sites **sites)
{
	struct alloc_sites *made;
	int err;

	if (is_current(*sites, target))
		return 0;
	err = build_sites(target, order, *sites, &made);
	if (err)
		return err;
	alloc_sites__free(*sites);
	*sites = made;
	tell_places(target, made, now_ns);
	return 0;
}

void alloc_sites__free(struct alloc_sites *sites)
{
	if (!sites)
		return;
	alloc_places__done(&sites->places);
	free(sites->sums);
	free(sites);
}

void alloc_sites__suppress(struct alloc_sites *sites, struct allow_list *allow)
{
	if (sites)
		alloc_places__suppress(&sites->places, allow);
}

void alloc_sites__tell_due(struct alloc_sites *sites, uint64_t now_ns, uint64_t realtime_ns)
{
	if (sites)
		alloc_places__tell_due(&sites->places, now_ns, realtime_ns);
}

const struct report_allocations *alloc_sites__report(const struct alloc_sites *sites)
{
	return sites ? &sites->report : NULL;
}
