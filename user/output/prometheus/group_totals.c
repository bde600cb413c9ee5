// SPDX-License-Identifier: Apache-2.0
#include "output/prometheus/group_totals.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "output/prometheus/exposition.h"
#include "output/shorten.h"

#define MAX_NAME 128 /* columns */

/* A runtime of a process as the last report had it. */
struct member {
	pid_t pid;
	uint64_t start_time, runtime;
	char *group;
	struct group_counts last;
};

/* A group that has members, and what those counted that have ended. */
struct ended_group {
	char *name;
	struct group_counts counts;
};

struct group_totals {
	struct member *members; /* by pid, then start time, then runtime */
	size_t n_members;
	struct ended_group *groups; /* by name */
	size_t n_groups;
	struct group_counts all_ended;
};

/* --- counts ----------------------------------------------------------------------------------- */

static double counted_seconds(double seconds)
{
	return isfinite(seconds) && seconds > 0 ? seconds : 0;
}

struct group_counts group_counts__of(const struct report_target *target)
{
	struct group_counts counts = {
		.n =
			{
				[GROUP_CREATED] = target->totals.created,
				[GROUP_EXITED] = target->totals.exited,
				[GROUP_LOST] = target->totals.lost,
				[GROUP_REPAIRED] = target->totals.repaired,
				[GROUP_UNREADABLE] = target->unreadable,
				[GROUP_REFUSED] = target->totals.refused,
				[GROUP_MODE_CHANGES] = target->mode_changes,
				[GROUP_REMOTE_READS] = target->remote_reads,
				[GROUP_REMOTE_BYTES] = target->remote_bytes,
				[GROUP_PROBE_NS] = target->probe_ns,
				[GROUP_GC_CYCLES] = target->counters.gc_cycles,
				[GROUP_GC_PAUSE_NS] = target->counters.pause_ns,
				[GROUP_ALLOCATED_BYTES] = target->counters.total_bytes,
				[GROUP_ALLOCATED_OBJECTS] = target->counters.total_objects,
				[GROUP_OVER_10MS] =
					target->scheduling ? target->scheduling->view.over_10ms : 0,
			},
		.lifetime_seconds = counted_seconds(target->totals.lifetime_seconds),
	};

	memcpy(&counts.n[GROUP_HITS], target->probe_hits, sizeof(target->probe_hits));
	memcpy(&counts.n[GROUP_LIFETIMES], target->totals.lifetimes,
	       sizeof(target->totals.lifetimes));
	return counts;
}

void group_counts__add(struct group_counts *counts, const struct group_counts *more)
{
	for (size_t i = 0; i < GROUP_COUNTERS; i++) {
		if (__builtin_add_overflow(counts->n[i], more->n[i], &counts->n[i]))
			counts->n[i] = UINT64_MAX;
	}
	counts->lifetime_seconds += more->lifetime_seconds;
}

/* What @before counted where @now begins again: the process was not watched for a while. */
static struct group_counts begun_again(const struct group_counts *before,
				       const struct group_counts *now)
{
	struct group_counts lost = {0};

	for (size_t i = 0; i < GROUP_COUNTERS; i++)
		lost.n[i] = now->n[i] < before->n[i] ? before->n[i] : 0;
	if (now->lifetime_seconds < before->lifetime_seconds)
		lost.lifetime_seconds = before->lifetime_seconds;
	return lost;
}

/* --- names ------------------------------------------------------------------------------------ */

static const char *raw_name(const struct report_target *target)
{
	const char *name = report__text(target->group);

	if (!*name)
		name = text__base_name(report__text(target->exe));
	if (!*name)
		name = report__text(target->comm);
	return *name ? name : "unknown";
}

char *group_name(const struct report_target *target)
{
	return exposition__claimed(target->claims.group, raw_name(target), MAX_NAME);
}

/* --- members ---------------------------------------------------------------------------------- */

static int compare_members(const void *a, const void *b)
{
	const struct member *one = a, *other = b;

	if (one->pid != other->pid)
		return one->pid < other->pid ? -1 : 1;
	if (one->start_time != other->start_time)
		return one->start_time < other->start_time ? -1 : 1;
	if (one->runtime != other->runtime)
		return one->runtime < other->runtime ? -1 : 1;
	return strcmp(one->group, other->group);
}

static int compare_groups(const void *a, const void *b)
{
	return strcmp(((const struct ended_group *)a)->name, ((const struct ended_group *)b)->name);
}

static void free_members(struct member *members, size_t n)
{
	for (size_t i = 0; members && i < n; i++)
		free(members[i].group);
	free(members);
}

static void free_groups(struct ended_group *groups, size_t n)
{
	for (size_t i = 0; groups && i < n; i++)
		free(groups[i].name);
	free(groups);
}

static struct member *members_of(const struct report *report)
{
	struct member *members = calloc(report->n_targets + 1, sizeof(*members));

	for (size_t i = 0; members && i < report->n_targets; i++) {
		const struct report_target *target = &report->targets[i];

		members[i].pid = target->pid;
		members[i].start_time = target->start_time_seconds;
		members[i].runtime = target->runtime;
		members[i].last = group_counts__of(target);
		members[i].group = group_name(target);
		if (!members[i].group) {
			free_members(members, i);
			return NULL;
		}
	}
	if (members)
		qsort(members, report->n_targets, sizeof(*members), compare_members);
	return members;
}

static struct ended_group *find_group(struct ended_group *groups, size_t n, const char *name)
{
	struct ended_group key = {.name = (char *)name};

	return n ? bsearch(&key, groups, n, sizeof(*groups), compare_groups) : NULL;
}

/* The groups of @members, with what @old knows about them. NULL without memory. */
static struct ended_group *groups_of(const struct member *members, size_t n,
				     const struct group_totals *old, size_t *ret_n)
{
	struct ended_group *groups = calloc(n + 1, sizeof(*groups));
	size_t kept = 0;

	for (size_t i = 0; groups && i < n; i++) {
		groups[i].name = strdup(members[i].group);
		if (!groups[i].name) {
			free_groups(groups, i);
			return NULL;
		}
	}
	if (!groups)
		return NULL;
	qsort(groups, n, sizeof(*groups), compare_groups);
	for (size_t i = 0; i < n; i++) {
		const struct ended_group *before;

		if (kept && !strcmp(groups[kept - 1].name, groups[i].name)) {
			free(groups[i].name);
			continue;
		}
		groups[kept] = groups[i];
		before = find_group(old->groups, old->n_groups, groups[kept].name);
		if (before)
			groups[kept].counts = before->counts;
		kept++;
	}
	*ret_n = kept;
	return groups;
}

static void keep(struct group_totals *totals, const char *group_name,
		 const struct group_counts *counts)
{
	struct ended_group *group = find_group(totals->groups, totals->n_groups, group_name);

	group_counts__add(&totals->all_ended, counts);
	if (group)
		group_counts__add(&group->counts, counts);
}

/* Both lists are in order: whom @members lacks has ended. */
static void keep_ended(struct group_totals *totals, const struct member *members, size_t n)
{
	size_t now = 0;

	for (size_t i = 0; i < totals->n_members; i++) {
		const struct member *before = &totals->members[i];

		while (now < n && compare_members(&members[now], before) < 0)
			now++;
		if (now < n && compare_members(&members[now], before) == 0) {
			struct group_counts lost = begun_again(&before->last, &members[now].last);

			keep(totals, before->group, &lost);
			now++;
		} else {
			keep(totals, before->group, &before->last);
		}
	}
}

/* --- interface -------------------------------------------------------------------------------- */

int group_totals__new(struct group_totals **ret_totals)
{
	struct group_totals *totals = calloc(1, sizeof(*totals));

	if (!totals)
		return -ENOMEM;
	*ret_totals = totals;
	return 0;
}

void group_totals__free(struct group_totals *totals)
{
	if (!totals)
		return;
	free_members(totals->members, totals->n_members);
	free_groups(totals->groups, totals->n_groups);
	free(totals);
}

int group_totals__update(struct group_totals *totals, const struct report *report)
{
	struct member *members = members_of(report);
	struct ended_group *groups;
	size_t n_groups;

	if (!members)
		return -ENOMEM;
	groups = groups_of(members, report->n_targets, totals, &n_groups);
	if (!groups) {
		free_members(members, report->n_targets);
		return -ENOMEM;
	}
	free_groups(totals->groups, totals->n_groups);
	totals->groups = groups;
	totals->n_groups = n_groups;
	keep_ended(totals, members, report->n_targets);
	free_members(totals->members, totals->n_members);
	totals->members = members;
	totals->n_members = report->n_targets;
	return 0;
}

const struct group_counts *group_totals__ended(const struct group_totals *totals, const char *name)
{
	static const struct group_counts none;
	const struct ended_group *group;

	group = totals ? find_group(totals->groups, totals->n_groups, name) : NULL;
	return group ? &group->counts : &none;
}

const struct group_counts *group_totals__all_ended(const struct group_totals *totals)
{
	static const struct group_counts none;

	return totals ? &totals->all_ended : &none;
}
