// SPDX-License-Identifier: Apache-2.0
#include "report/alloc_groups.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"
#include "heap/samples/samples.h"
#include "naming/site_frames.h"
#include "session/allocs/target_allocs.h"
#include "session/allocs/target_samples.h"

#define MAX_GROUPS (1u << 17)

/* What is added up for a group, beside what is reported. */
struct sums {
	uint64_t key;
	struct alloc_share share;
	uint32_t stack;	    /* of the entry with the most bytes */
	double stack_bytes; /* of that */
	uint64_t start_pc, creation_pc;
	uint32_t labels;
	struct heap_allocation what;
};

struct alloc_groups {
	struct report_alloc_groups report;
	struct report_alloc_group *all;
	struct sums *sums;
	size_t n, capacity, sums_capacity;
	struct index *by_key;
	struct index *members; /* goroutines of groups: hash of both */
	struct member {
		uint32_t group, goroutine;
	} * member;
	size_t n_members, members_capacity;
};

/* How many objects there were for each that was followed. */
static double followed_scale(const struct alloc_flow_entry *entry)
{
	double followed = entry->followed - entry->lost;

	if (followed < 1)
		return 1;
	return fmax(entry->objects / followed, 1);
}

struct alloc_share alloc_share__of(const struct alloc_flow_entry *entry,
				   const struct alloc_figures *figures)
{
	double bytes = (double)entry->bytes, scale = 1;
	struct alloc_share share = {0};

	if (figures->source == ALLOC_SOURCE_SAMPLE_HITS) {
		scale = heap_sample__scale(entry->bytes, figures->rate);
		share.chance = heap_sample__variance(entry->hits, entry->bytes, figures->rate) *
			       bytes * bytes;
	}
	share.objects = entry->objects * scale;
	share.bytes = share.objects * bytes;
	alloc_errors__add(&share.errors, figures->weights, entry, scale * bytes);
	share.samples = entry->live;
	if (figures->source == ALLOC_SOURCE_SAMPLE_HITS) {
		share.in_use_objects = entry->live * scale;
		share.in_use_variance =
			heap_sample__variance(entry->live, entry->bytes, figures->rate);
	} else {
		scale = followed_scale(entry);
		share.in_use_objects = entry->live_weight * scale;
		/* As heap_sample__variance() has it. */
		share.in_use_variance = entry->live_squares * scale * scale - share.in_use_objects;
	}
	share.in_use_bytes = share.in_use_objects * bytes;
	share.old_bytes = entry->old_weight * scale * bytes;
	share.in_use_variance = fmax(share.in_use_variance, 0) * bytes * bytes;
	return share;
}

void alloc_share__add(struct alloc_share *sum, const struct alloc_share *share)
{
	sum->objects += share->objects;
	sum->bytes += share->bytes;
	sum->chance += share->chance;
	alloc_errors__merge(&sum->errors, &share->errors);
	sum->in_use_objects += share->in_use_objects;
	sum->in_use_bytes += share->in_use_bytes;
	sum->in_use_variance += share->in_use_variance;
	sum->samples += share->samples;
	sum->old_bytes += share->old_bytes;
}

double alloc_share__relative_error(const struct alloc_share *share)
{
	double variance = share->chance + alloc_errors__variance(&share->errors);

	return share->bytes > 0 ? sqrt(variance) / share->bytes : 0;
}

/* --- groups ---------------------------------------------------------------------------------------- */

static uint64_t key_of_type(const struct target *target, const struct alloc_flow_entry *entry)
{
	const struct heap_allocation what = target_allocs__what(target, entry);

	/* No address has so many bits. */
	return what.type | (uint64_t)what.as << 56;
}

static uint64_t key_of(struct target *target, enum report_alloc_by by,
		       const struct alloc_flow_entry *entry,
		       const struct alloc_flow_goroutine *goroutine)
{
	switch (by) {
	case REPORT_ALLOC_BY_GOROUTINE:
		return goroutine->goid;
	case REPORT_ALLOC_BY_CREATION:
		return goroutine->goid ? site_frames__creation(target__symbolizer(target),
							       goroutine->creation_pc) :
					 0;
	case REPORT_ALLOC_BY_LABEL:
		return entry->labels;
	default:
		return key_of_type(target, entry);
	}
}

static int group_of(struct alloc_groups *groups, uint64_t key, size_t *ret_i)
{
	struct index_search search = index__search(groups->by_key, hash__keyed_word(key));
	int err;

	while (index__next(&search)) {
		*ret_i = search.number;
		if (groups->sums[search.number].key == key)
			return 0;
	}
	if (!array__reserve(groups->all, groups->capacity, groups->n + 1) ||
	    !array__reserve(groups->sums, groups->sums_capacity, groups->n + 1))
		return -ENOMEM;
	err = index__add(groups->by_key, hash__keyed_word(key), (uint32_t)groups->n);
	if (err)
		return err;
	groups->all[groups->n] = (struct report_alloc_group){.start_function = ""};
	groups->sums[groups->n] = (struct sums){.key = key, .stack_bytes = -1};
	*ret_i = groups->n++;
	return 0;
}

/* Each goroutine of a group counts once. */
static int count_goroutine(struct alloc_groups *groups, uint32_t group, uint32_t goroutine)
{
	uint64_t hash = hash__keyed_word((uint64_t)group << 32 | goroutine);
	struct index_search search = index__search(groups->members, hash);
	int err;

	while (index__next(&search)) {
		if (groups->member[search.number].group == group &&
		    groups->member[search.number].goroutine == goroutine)
			return 0;
	}
	if (!array__reserve(groups->member, groups->members_capacity, groups->n_members + 1))
		return -ENOMEM;
	err = index__add(groups->members, hash, (uint32_t)groups->n_members);
	if (err)
		return err;
	groups->member[groups->n_members++] = (struct member){group, goroutine};
	groups->all[group].goroutines++;
	return 0;
}

static int add_entry(struct alloc_groups *groups, struct target *target,
		     const struct alloc_flow_entry *entry,
		     const struct alloc_flow_goroutine *goroutine)
{
	struct alloc_share share = alloc_share__of(entry, &groups->report.figures);
	uint64_t key = key_of(target, groups->report.by, entry, goroutine);
	struct sums *sums;
	size_t i;
	int err = group_of(groups, key, &i);

	if (err == -ENOSPC) {
		groups->report.figures.refused += entry->hits;
		return 0;
	}
	if (err)
		return err;
	sums = &groups->sums[i];
	alloc_share__add(&sums->share, &share);
	sums->labels = entry->labels;
	if (groups->report.by == REPORT_ALLOC_BY_TYPE)
		sums->what = target_allocs__what(target, entry);
	if (share.bytes > sums->stack_bytes) {
		sums->stack = entry->stack;
		sums->stack_bytes = share.bytes;
		sums->start_pc = goroutine->start_pc;
		sums->creation_pc = goroutine->creation_pc;
		groups->all[i].goid = goroutine->goid;
	}
	err = goroutine->goid ? count_goroutine(groups, (uint32_t)i, entry->goroutine) : 0;
	return err == -ENOSPC ? 0 : err;
}

/* Which of the sampled objects the last look at the heap has found alive. */
static void note_live(struct alloc_groups *groups, struct target *target, struct alloc_flow *flow)
{
	const struct target_samples *samples = target_samples__get(target);
	const struct heap_sample_object *live;
	size_t n;

	groups->report.in_use_known = groups->report.figures.source != ALLOC_SOURCE_SAMPLE_HITS ||
				      (samples && samples->last);
	/* Objects that are followed have been counted. */
	if (groups->report.figures.source != ALLOC_SOURCE_SAMPLE_HITS ||
	    !groups->report.in_use_known)
		return;
	alloc_flow__live(flow);
	live = heap_samples__objects(samples->last, &n);
	for (size_t i = 0; i < n; i++)
		alloc_flow__is_alive(flow, live[i].address);
}

static int add_all(struct alloc_groups *groups, struct target *target)
{
	struct alloc_flow *flow = target_allocs__flow(target);
	const struct alloc_flow_goroutine *goroutines;
	const struct alloc_flow_entry *entries;
	size_t n, n_goroutines;
	int err = 0;

	note_live(groups, target, flow);
	entries = alloc_flow__entries(flow, &n);
	goroutines = alloc_flow__goroutines(flow, &n_goroutines);
	for (size_t i = 0; i < n && !err; i++)
		err = add_entry(groups, target, &entries[i], &goroutines[entries[i].goroutine]);
	return err;
}

/* --- names ----------------------------------------------------------------------------------------- */

static const char *name_of(const struct target *target, enum report_alloc_by by,
			   const struct sums *sums, char type[TARGET_ALLOCS_TYPE])
{
	if (by == REPORT_ALLOC_BY_LABEL)
		return target_allocs__labels(target, sums->labels);
	if (by != REPORT_ALLOC_BY_TYPE)
		return "";
	target_allocs__name_type(target, &sums->what, type, TARGET_ALLOCS_TYPE);
	return type;
}

static int name_group(struct alloc_groups *groups, struct target *target, size_t i,
		      struct site_frames *frames)
{
	const enum report_alloc_by by = groups->report.by;
	struct report_alloc_group *group = &groups->all[i];
	const struct sums *sums = &groups->sums[i];
	char type[TARGET_ALLOCS_TYPE];
	const char *name = name_of(target, by, sums, type);
	bool of_goroutines = by == REPORT_ALLOC_BY_GOROUTINE || by == REPORT_ALLOC_BY_CREATION;

	site_frames__resolve(target__symbolizer(target), target_allocs__stacks(target),
			     sums->creation_pc, sums->start_pc, sums->stack, frames);
	group->allocated_at = frames->blocked_at;
	/* The first goroutine comes from no `go` statement. */
	if (of_goroutines && strncmp(frames->created_by.function, "runtime.", 8) != 0)
		group->created_by = frames->created_by;
	if (of_goroutines)
		group->start_function = frames->start_function;
	if (by != REPORT_ALLOC_BY_GOROUTINE)
		group->goid = 0;
	group->unknown = by == REPORT_ALLOC_BY_LABEL && sums->labels == ALLOC_LABELS_UNKNOWN;
	if (!*name)
		return 0;
	group->name = strdup(name);
	return group->name ? 0 : -ENOMEM;
}

static void fill(struct alloc_groups *groups, size_t i)
{
	double seconds = (double)groups->report.figures.watched_ns / NSEC_PER_SEC;
	struct report_alloc_group *group = &groups->all[i];
	const struct alloc_share *share = &groups->sums[i].share;

	group->alloc_bytes = (uint64_t)share->bytes;
	group->alloc_objects = (uint64_t)share->objects;
	group->in_use_bytes = (uint64_t)share->in_use_bytes;
	group->in_use_objects = (uint64_t)share->in_use_objects;
	group->relative_error = alloc_share__relative_error(share);
	group->bytes_per_second = seconds > 0 ? share->bytes / seconds : 0;
}

static int compare(const void *a, const void *b)
{
	const struct report_alloc_group *x = a, *y = b;

	if (x->alloc_bytes != y->alloc_bytes)
		return x->alloc_bytes < y->alloc_bytes ? 1 : -1;
	return (x->goid > y->goid) - (x->goid < y->goid);
}

static int finish(struct alloc_groups *groups, struct target *target)
{
	struct site_frames *frames = malloc(sizeof(*frames));
	int err = frames ? 0 : -ENOMEM;

	for (size_t i = 0; i < groups->n && !err; i++) {
		err = name_group(groups, target, i, frames);
		fill(groups, i);
	}
	free(frames);
	if (groups->n)
		qsort(groups->all, groups->n, sizeof(groups->all[0]), compare);
	groups->report.groups = groups->all;
	groups->report.n_groups = groups->n;
	return err;
}

/* --- its life -------------------------------------------------------------------------------------- */

static bool is_by_flow(enum report_alloc_by by)
{
	return by == REPORT_ALLOC_BY_GOROUTINE || by == REPORT_ALLOC_BY_CREATION ||
	       by == REPORT_ALLOC_BY_LABEL || by == REPORT_ALLOC_BY_TYPE;
}

int alloc_groups__build(struct target *target, enum report_alloc_by by,
			struct alloc_groups **ret_groups)
{
	struct alloc_figures figures;
	struct alloc_groups *groups;
	int err;

	*ret_groups = NULL;
	if (!is_by_flow(by) || !target_allocs__figures(target, &figures))
		return 0;
	groups = calloc(1, sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	groups->report = (struct report_alloc_groups){.by = by, .figures = figures};
	err = index__new(MAX_GROUPS, &groups->by_key);
	if (!err)
		err = index__new(1u << 20, &groups->members);
	if (!err && !*figures.missing)
		err = add_all(groups, target);
	if (!err)
		err = finish(groups, target);
	if (err) {
		alloc_groups__free(groups);
		return err;
	}
	*ret_groups = groups;
	return 0;
}

void alloc_groups__free(struct alloc_groups *groups)
{
	if (!groups)
		return;
	for (size_t i = 0; i < groups->n; i++)
		free(groups->all[i].name);
	free(groups->all);
	free(groups->sums);
	free(groups->member);
	index__free(groups->by_key);
	index__free(groups->members);
	free(groups);
}

const struct report_alloc_groups *alloc_groups__report(const struct alloc_groups *groups)
{
	return groups ? &groups->report : NULL;
}
