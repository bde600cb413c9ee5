// SPDX-License-Identifier: Apache-2.0
#include "report/flow_sites.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"
#include "naming/site_frames.h"
#include "report/alloc_groups.h"
#include "session/target_allocs.h"

#define MAX_SITES (1u << 17)
#define NO_SITE	  UINT32_MAX

/* What is added up for a site, beside what is reported. */
struct sums {
	uint64_t place;
	double objects, bytes, variance;
	double most; /* bytes of the entry with the most, whose stack and type are shown */
	uint64_t type;
};

struct flow_sites {
	struct report_allocations report;
	struct report_alloc_site *all;
	struct sums *sums;
	struct report_frame **stacks; /* owned */
	size_t n, capacity, sums_capacity, stacks_capacity;
	struct index *by_place;
};

struct build {
	struct target *target;
	struct flow_sites *sites;
	const struct alloc_figures *figures;
	uint32_t *of_stack; /* sites by number of stack; NO_SITE: not known yet */
	size_t n_stacks;
	struct site_frames frames;
};

/* --- one site ----------------------------------------------------------------------------------- */

static int add_site(struct flow_sites *sites, const struct site_frames *frames)
{
	struct report_alloc_site site = {.allocated_at = frames->blocked_at};
	size_t i = sites->n;
	int err;

	if (!array__reserve(sites->all, sites->capacity, i + 1) ||
	    !array__reserve(sites->sums, sites->sums_capacity, i + 1) ||
	    !array__reserve(sites->stacks, sites->stacks_capacity, i + 1))
		return -ENOMEM;
	err = index__add(sites->by_place, hash__keyed_word(frames->place), (uint32_t)i);
	if (err)
		return err;
	snprintf(site.id, sizeof(site.id), "%08x", (uint32_t)(frames->place ^ frames->place >> 32));
	sites->all[i] = site;
	sites->sums[i] = (struct sums){.place = frames->place, .most = -1};
	sites->stacks[i] = NULL;
	sites->n++;
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
	struct index_search search;
	int err;

	if (known && build->of_stack[stack] != NO_SITE) {
		*ret_i = build->of_stack[stack];
		return 0;
	}
	resolve(build, stack);
	*ret_i = build->sites->n;
	search = index__search(build->sites->by_place, hash__keyed_word(build->frames.place));
	while (index__next(&search)) {
		if (build->sites->sums[search.number].place == build->frames.place)
			*ret_i = search.number;
	}
	err = *ret_i < build->sites->n ? 0 : add_site(build->sites, &build->frames);
	if (!err && known)
		build->of_stack[stack] = (uint32_t)*ret_i;
	return err;
}

/* The stack of most of it stands for the others. */
static int keep_stack(struct build *build, size_t i, uint32_t stack)
{
	struct flow_sites *sites = build->sites;
	struct report_frame *copy;

	resolve(build, stack);
	copy = malloc((build->frames.n_stack + 1) * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, build->frames.stack, build->frames.n_stack * sizeof(*copy));
	free(sites->stacks[i]);
	sites->stacks[i] = copy;
	sites->all[i].n_stack = build->frames.n_stack;
	return 0;
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
	sums->objects += share.objects;
	sums->bytes += share.bytes;
	sums->variance += share.variance;
	if (share.bytes <= sums->most)
		return 0;
	sums->most = share.bytes;
	sums->type = entry->type;
	return keep_stack(build, i, entry->stack);
}

/* --- all of them -------------------------------------------------------------------------------- */

static int finish(struct build *build)
{
	struct flow_sites *sites = build->sites;

	for (size_t i = 0; i < sites->n; i++) {
		const char *type = target_allocs__type(build->target, sites->sums[i].type);
		struct report_alloc_site *site = &sites->all[i];
		const struct sums *sums = &sites->sums[i];

		site->alloc_objects = (uint64_t)llround(sums->objects);
		site->alloc_bytes = (uint64_t)llround(sums->bytes);
		if (sums->bytes > 0)
			site->relative_error = sqrt(sums->variance) / sums->bytes;
		site->stack = sites->stacks[i];
		site->type = type ? strdup(type) : NULL;
		if (type && !site->type)
			return -ENOMEM;
	}
	return 0;
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
	for (size_t i = 0; i < n && !err; i++)
		err = take_entry(build, &entries[i]);
	return err ? err : finish(build);
}

/* What is equal is in the same order in each report. */
static int compare(const void *a, const void *b, void *ctx)
{
	const struct report_alloc_site *x = a, *y = b;
	const enum report_alloc_order *order = ctx;
	bool by_objects = *order == REPORT_BY_IN_USE_OBJECTS || *order == REPORT_BY_ALLOC_OBJECTS;

	if (by_objects && x->alloc_objects != y->alloc_objects)
		return x->alloc_objects < y->alloc_objects ? 1 : -1;
	if (x->alloc_bytes != y->alloc_bytes)
		return x->alloc_bytes < y->alloc_bytes ? 1 : -1;
	return strcmp(x->id, y->id);
}

static int make(struct build *build)
{
	struct flow_sites *sites = build->sites;
	int err = index__new(MAX_SITES, &sites->by_place);

	if (err || !build->figures->windows)
		return err;
	sites->report.source = build->figures->source;
	sites->report.seconds = (double)build->figures->watched_ns / NSEC_PER_SEC;
	sites->report.refused = build->figures->refused;
	return take_all(build);
}

int flow_sites__build(struct target *target, enum report_alloc_order order,
		      const struct alloc_figures *figures, struct flow_sites **ret_sites)
{
	struct flow_sites *sites = calloc(1, sizeof(*sites));
	struct build *build = calloc(1, sizeof(*build));
	int err = -ENOMEM;

	if (sites && build) {
		*build = (struct build){.target = target, .sites = sites, .figures = figures};
		err = make(build);
		free(build->of_stack);
	}
	free(build);
	if (err) {
		flow_sites__free(sites);
		return err;
	}
	if (sites->n)
		qsort_r(sites->all, sites->n, sizeof(sites->all[0]), compare, &order);
	sites->report.missing = figures->windows  ? "" :
				*figures->missing ? figures->missing :
				*figures->ended	  ? figures->ended :
						    "no window of time was open yet";
	sites->report.sites = sites->all;
	sites->report.n_sites = sites->n;
	*ret_sites = sites;
	return 0;
}

void flow_sites__free(struct flow_sites *sites)
{
	if (!sites)
		return;
	for (size_t i = 0; i < sites->n; i++) {
		free(sites->stacks[i]);
		free(sites->all[i].type);
	}
	free(sites->stacks);
	free(sites->all);
	free(sites->sums);
	index__free(sites->by_place);
	free(sites);
}

const struct report_allocations *flow_sites__report(const struct flow_sites *sites)
{
	return &sites->report;
}
