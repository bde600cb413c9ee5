// SPDX-License-Identifier: Apache-2.0
#include "output/prometheus/metrics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "output/prometheus/exposition.h"

#define MAX_EXE	    200 /* columns */
#define MAX_VERSION 60
#define MAX_MODULE  120
#define MAX_UNIT    120
#define MAX_ID	    128 /* 64 hex digits of a container's, and who claims it */

/* A process under the name of its group. */
struct member {
	char *group;
	const struct report_target *target;
};

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static double positive(double value)
{
	return isfinite(value) && value > 0 ? value : 0;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* --- members ---------------------------------------------------------------------------------- */

static int compare_members(const void *a, const void *b)
{
	const struct member *one = a, *other = b;
	int order = strcmp(one->group, other->group);

	return order ? order : compare_u64((uintptr_t)one->target, (uintptr_t)other->target);
}

static void free_members(struct member *members, size_t n)
{
	for (size_t i = 0; members && i < n; i++)
		free(members[i].group);
	free(members);
}

static struct member *members_of(const struct report *report)
{
	struct member *members = calloc(report->n_targets + 1, sizeof(*members));

	for (size_t i = 0; members && i < report->n_targets; i++) {
		members[i].target = &report->targets[i];
		members[i].group = group_name(members[i].target);
		if (!members[i].group) {
			free_members(members, i);
			return NULL;
		}
	}
	if (members)
		qsort(members, report->n_targets, sizeof(*members), compare_members);
	return members;
}

/* --- groups ----------------------------------------------------------------------------------- */

static void release_info(struct metrics_info *info)
{
	free(info->exe);
	free(info->library);
	free(info->go_version);
	free(info->module);
	free(info->module_version);
	free(info->vcs_revision);
	free(info->unit);
	free(info->container_id);
	free(info->pod_uid);
}

static void release_group(struct metrics_group *group)
{
	for (size_t i = 0; i < group->n_infos; i++)
		release_info(&group->infos[i]);
	free(group->name);
}

static bool known_info(const struct metrics_group *group, const struct metrics_info *info)
{
	for (size_t i = 0; i < group->n_infos; i++) {
		const struct metrics_info *known = &group->infos[i];

		if (!strcmp(known->exe, info->exe) && !strcmp(known->library, info->library) &&
		    !strcmp(known->unit, info->unit) &&
		    !strcmp(known->go_version, info->go_version) &&
		    !strcmp(known->module, info->module) &&
		    !strcmp(known->module_version, info->module_version) &&
		    !strcmp(known->vcs_revision, info->vcs_revision) &&
		    !strcmp(known->container_id, info->container_id) &&
		    !strcmp(known->pod_uid, info->pod_uid))
			return true;
	}
	return false;
}

static int add_info(struct metrics_group *group, const struct report_target *target)
{
	const struct report_claims *claims = &target->claims;
	struct metrics_info info = {
		.exe = exposition__claimed(claims->exe, report__text(target->exe), MAX_EXE),
		.library = exposition__clean(report__text(target->library), MAX_EXE),
		.go_version = exposition__clean(report__text(target->go_version), MAX_VERSION),
		.module = exposition__clean(report__text(target->module), MAX_MODULE),
		.module_version =
			exposition__clean(report__text(target->module_version), MAX_VERSION),
		.vcs_revision = exposition__clean(report__text(target->vcs_revision), MAX_VERSION),
		.unit = exposition__claimed(claims->unit, report__text(target->unit), MAX_UNIT),
		.container_id = exposition__claimed(claims->container_id,
						    report__text(target->container_id), MAX_ID),
		.pod_uid =
			exposition__claimed(claims->pod_uid, report__text(target->pod_uid), MAX_ID),
	};

	if (!info.exe || !info.library || !info.go_version || !info.module ||
	    !info.module_version || !info.vcs_revision || !info.unit || !info.container_id ||
	    !info.pod_uid) {
		release_info(&info);
		return -ENOMEM;
	}
	if (known_info(group, &info)) {
		release_info(&info);
	} else if (group->n_infos == METRICS_MAX_INFOS) {
		group->infos_omitted++;
		release_info(&info);
	} else {
		group->infos[group->n_infos++] = info;
	}
	return 0;
}

/* Where goroutines are counted that are flagged with @verdict; NULL: it flags nothing. */
static uint64_t *count_of(struct metrics_group *group, enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_LEAKING:
		return &group->leaking;
	case VERDICT_STUCK:
		return &group->stuck;
	case VERDICT_SUSPECTED:
	case VERDICT_GROWING:
	case VERDICT_IDLE:
	case VERDICT_ACTIVE:
		break;
	}
	return NULL;
}

static void add_site_counts(struct metrics_group *group, const struct report_site *site)
{
	const struct site_view *view = &site->view;
	uint64_t *count = count_of(group, view->verdict);

	if (!count)
		return;
	if (site->suppressed) {
		count = &group->suppressed;
	} else {
		group->oldest_ns = max_of(group->oldest_ns, view->oldest_age_ns);
		group->oldest_ns = max_of(group->oldest_ns, view->oldest_park_ns);
	}
	*count = add(*count, view->goroutines);
}

static void add_growing_place(struct metrics_memory *memory, const struct report_alloc_site *site)
{
	for (size_t i = 0; i < memory->n_growing; i++) {
		struct metrics_growing *known = &memory->growing[i];

		if (strcmp(known->site->id, site->id) != 0)
			continue;
		known->in_use_bytes = add(known->in_use_bytes, site->in_use_bytes);
		return;
	}
	if (memory->n_growing == METRICS_MAX_GROWING)
		memory->growing_omitted++;
	else
		memory->growing[memory->n_growing++] =
			(struct metrics_growing){site, site->in_use_bytes};
}

/* Those that grow fastest come first in each. */
static void add_growing(struct metrics_memory *memory, const struct report_allocations *allocations)
{
	if (!allocations || !allocations->n_sites ||
	    allocations->sites[0].judgement.verdict == ALLOC_NOT_JUDGED)
		return;
	memory->judged++;
	for (size_t i = 0; i < allocations->n_sites; i++) {
		if (report__memory_flagged(&allocations->sites[i]))
			add_growing_place(memory, &allocations->sites[i]);
	}
}

static void add_open(struct metrics_memory *memory, const struct resource_lines *lines)
{
	memory->looked_at += lines != NULL;
	for (size_t i = 0; lines && i < lines->n; i++) {
		const struct resource_place *place = &lines->all[i].place;

		memory->open[place->kind] = add(memory->open[place->kind], place->outstanding);
	}
}

static void add_memory(struct metrics_memory *memory, const struct report_target *target)
{
	const struct heap_counters *counters = &target->counters;

	memory->runtimes++;
	memory->with_cycles += target->counters_known;
	memory->with_stacks += target->counters_known && counters->counted;
	memory->with_live += target->counters_known && counters->marked;
	memory->stack_bytes = add(memory->stack_bytes, counters->stack_bytes);
	memory->live_bytes = add(memory->live_bytes, counters->live_bytes);
	memory->with_goal += target->counters_known && counters->has_goal;
	memory->with_pauses += target->counters_known && counters->timed;
	memory->with_released += target->counters_known && counters->returned;
	memory->with_assists += target->counters_known && counters->assisted;
	memory->goal_bytes = add(memory->goal_bytes, counters->goal_bytes);
	memory->released_bytes = add(memory->released_bytes, counters->released_bytes);
	memory->assist_ns = add(memory->assist_ns, counters->assist_ns);
	memory->in_use_bytes = add(memory->in_use_bytes, counters->heap_bytes);
	/* A process that has several runtimes is one process. */
	memory->with_resident += target->resident_bytes || target->another;
	if (!target->another)
		memory->resident_bytes = add(memory->resident_bytes, target->resident_bytes);
	add_growing(memory, target->allocations);
	add_open(memory, target->resources);
	memory->scanned += target->heap_scanned;
	for (size_t i = 0; i < target->n_sites; i++) {
		const struct site_proof *proof = &target->sites[i].view.proof;

		memory->confirmed = add(memory->confirmed, proof->goroutines);
		memory->retained_heap_bytes = add(memory->retained_heap_bytes, proof->heap_bytes);
		memory->retained_stack_bytes =
			add(memory->retained_stack_bytes, proof->stack_bytes);
	}
}

static void add_scheduling(struct metrics_scheduling *sum, const struct report_target *target)
{
	const struct report_scheduling *scheduling = target->scheduling;

	sum->runtimes++;
	sum->with_threads += target->threads || target->another;
	if (!target->another)
		sum->threads = add(sum->threads, target->threads);
	if (!scheduling)
		return;
	sum->known++;
	sum->with_latencies += scheduling->view.latencies_known;
	sum->late = add(sum->late, scheduling->view.n_late + scheduling->view.more_late);
	sum->hogs = add(sum->hogs, scheduling->view.n_hogs);
	sum->in_calls = add(sum->in_calls, scheduling->view.in_calls);
	sum->locked = add(sum->locked, scheduling->view.locked);
	sum->stuck = add(sum->stuck, scheduling->view.n_stuck + scheduling->view.more_stuck);
}

static int add_process(struct metrics_group *group, const struct report_target *target)
{
	double overhead = positive(target->overhead);

	/* A process is one, however many runtimes it has. */
	group->processes += !target->another;
	group->dearer = max_of(group->dearer, positive(target->dearer));
	group->modes[target->mode] += !target->another;
	group->goroutines = add(group->goroutines, target->totals.alive);
	if (group->processes == 1 || overhead > group->overhead) {
		group->overhead = overhead;
		group->overhead_max = positive(target->overhead_max);
	}
	for (size_t i = 0; i < target->n_sites; i++)
		add_site_counts(group, &target->sites[i]);
	add_memory(&group->memory, target);
	add_scheduling(&group->scheduling, target);
	return add_info(group, target);
}

/* A process that ended has no goroutines any more, but what it has counted stays counted. */
static int add_member(struct metrics *metrics, struct metrics_group *group,
		      const struct report_target *target)
{
	struct group_counts counts = group_counts__of(target);

	group_counts__add(&group->counts, &counts);
	group_counts__add(&metrics->all, &counts);
	return target->exited_target ? 0 : add_process(group, target);
}

static int gather_groups(struct metrics *metrics, struct member *members, size_t n,
			 const struct group_totals *totals)
{
	metrics->groups = calloc(n + 1, sizeof(*metrics->groups));
	if (!metrics->groups)
		return -ENOMEM;
	metrics->all = *group_totals__all_ended(totals);
	for (size_t i = 0; i < n; i++) {
		struct metrics_group *group = &metrics->groups[metrics->n_groups];
		int err;

		if (i == 0 || strcmp(members[i - 1].group, members[i].group) != 0) {
			group->name = strdup(members[i].group);
			if (!group->name)
				return -ENOMEM;
			group->counts = *group_totals__ended(totals, group->name);
			metrics->n_groups++;
		} else {
			group--;
		}
		err = add_member(metrics, group, members[i].target);
		if (err)
			return err;
	}
	return 0;
}

static uint64_t suspects(const struct metrics_group *group)
{
	return add(group->leaking, group->stuck);
}

/* Those with leaks first, then the largest: both tend to stay the same from report to report. */
static int compare_importance(const void *a, const void *b)
{
	const struct metrics_group *one = a, *other = b;
	int order = compare_u64(suspects(other), suspects(one));

	if (!order)
		order = compare_u64(other->goroutines, one->goroutines);
	return order ? order : strcmp(one->name, other->name);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct metrics_group *)a)->name,
		      ((const struct metrics_group *)b)->name);
}

static void choose_groups(struct metrics *metrics, size_t max)
{
	if (metrics->n_groups <= max)
		return;
	qsort(metrics->groups, metrics->n_groups, sizeof(*metrics->groups), compare_importance);
	metrics->groups_omitted = metrics->n_groups - max;
	for (size_t i = max; i < metrics->n_groups; i++)
		release_group(&metrics->groups[i]);
	metrics->n_groups = max;
	qsort(metrics->groups, max, sizeof(*metrics->groups), compare_names);
}

/* --- sites ------------------------------------------------------------------------------------ */

static int compare_groups_of(const struct metrics_site *one, const struct metrics_site *other)
{
	/* They point into one array, which is in order. */
	return compare_u64((uintptr_t)one->group, (uintptr_t)other->group);
}

static int compare_identity(const void *a, const void *b)
{
	const struct metrics_site *one = a, *other = b;
	int order = compare_groups_of(one, other);

	if (!order)
		order = strcmp(one->site->id, other->site->id);
	return order ? order : compare_u64(other->verdict, one->verdict);
}

static int compare_size(const void *a, const void *b)
{
	const struct metrics_site *one = a, *other = b;
	int order = compare_u64(other->goroutines, one->goroutines);

	return order ? order : compare_identity(a, b);
}

static int compare_shown(const void *a, const void *b)
{
	int order = compare_groups_of(a, b);

	return order ? order : compare_size(a, b);
}

static struct metrics_group *find_group(const struct metrics *metrics, const char *name)
{
	struct metrics_group key = {.name = (char *)name};

	return bsearch(&key, metrics->groups, metrics->n_groups, sizeof(key), compare_names);
}

static size_t count_flagged(const struct member *members, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t s = 0; s < members[i].target->n_sites; s++)
			count += report__flagged(&members[i].target->sites[s]);
	}
	return count;
}

static int gather_sites(struct metrics *metrics, const struct member *members, size_t n)
{
	metrics->sites = calloc(count_flagged(members, n) + 1, sizeof(*metrics->sites));
	if (!metrics->sites)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct report_target *target = members[i].target;
		const struct metrics_group *group = find_group(metrics, members[i].group);

		if (!group || target->exited_target)
			continue;
		for (size_t s = 0; s < target->n_sites; s++) {
			const struct report_site *site = &target->sites[s];

			if (report__flagged(site))
				metrics->sites[metrics->n_sites++] = (struct metrics_site){
					.group = group,
					.site = site,
					.verdict = site->view.verdict,
					.goroutines = site->view.goroutines,
					.confidence = min_of(positive(site->view.confidence), 1.0),
				};
		}
	}
	return 0;
}

/* The same place in several processes of a group is one. */
static void merge_sites(struct metrics *metrics)
{
	struct metrics_site *sites = metrics->sites;
	size_t kept = 0;

	qsort(sites, metrics->n_sites, sizeof(*sites), compare_identity);
	for (size_t i = 0; i < metrics->n_sites; i++) {
		struct metrics_site *last = kept ? &sites[kept - 1] : NULL;

		if (last && compare_identity(last, &sites[i]) == 0) {
			last->goroutines = add(last->goroutines, sites[i].goroutines);
			last->confidence = max_of(last->confidence, sites[i].confidence);
		} else {
			sites[kept++] = sites[i];
		}
	}
	metrics->n_sites = kept;
}

/* The largest of all, but of no group more than its share. */
static void choose_sites(struct metrics *metrics, const struct metrics_limits *limits)
{
	struct metrics_site *sites = metrics->sites;
	size_t kept = 0;

	qsort(sites, metrics->n_sites, sizeof(*sites), compare_size);
	for (size_t i = 0; i < metrics->n_sites; i++) {
		/* The groups are ours to count in. */
		struct metrics_group *group = &metrics->groups[sites[i].group - metrics->groups];

		group->sites++;
		if (kept < limits->sites &&
		    group->sites - group->sites_omitted <= limits->group_sites)
			sites[kept++] = sites[i];
		else
			group->sites_omitted++;
	}
	metrics->n_sites = kept;
	qsort(sites, kept, sizeof(*sites), compare_shown);
}

/* --- interface -------------------------------------------------------------------------------- */

int metrics__gather(struct metrics *ret_metrics, const struct report *report,
		    const struct group_totals *totals, const struct metrics_limits *limits)
{
	struct member *members = members_of(report);
	struct metrics metrics = {0};
	int err;

	if (!members)
		return -ENOMEM;
	err = gather_groups(&metrics, members, report->n_targets, totals);
	if (!err) {
		choose_groups(&metrics, limits->groups);
		err = gather_sites(&metrics, members, report->n_targets);
	}
	free_members(members, report->n_targets);
	if (err) {
		metrics__release(&metrics);
		return err;
	}
	merge_sites(&metrics);
	choose_sites(&metrics, limits);
	*ret_metrics = metrics;
	return 0;
}

void metrics__release(struct metrics *metrics)
{
	for (size_t i = 0; i < metrics->n_groups; i++)
		release_group(&metrics->groups[i]);
	free(metrics->groups);
	free(metrics->sites);
	*metrics = (struct metrics){0};
}
