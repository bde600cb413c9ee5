/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PROMETHEUS_GROUP_TOTALS_H
#define GLEAKD_OUTPUT_PROMETHEUS_GROUP_TOTALS_H

/*
 * Counters of groups of processes. A process that ends takes its counts with it; a sum over the
 * processes that are left would go down, which Prometheus takes for a restart from zero and answers
 * with a burst in every rate(). So what ended processes had counted is kept, for as long as their
 * group has a process at all, and for all groups together until gleakd ends.
 */
#include "output/report.h"

enum group_counter {
	GROUP_CREATED,
	GROUP_EXITED,
	GROUP_LOST,
	GROUP_REPAIRED,
	GROUP_UNREADABLE,
	GROUP_REFUSED,
	GROUP_MODE_CHANGES,
	GROUP_REMOTE_READS,
	GROUP_REMOTE_BYTES,
	GROUP_PROBE_NS,
	GROUP_GC_CYCLES,
	GROUP_GC_PAUSE_NS,
	GROUP_ALLOCATED_BYTES,
	GROUP_ALLOCATED_OBJECTS,
	GROUP_OVER_10MS,
	GROUP_HITS,
	GROUP_LIFETIMES = GROUP_HITS + PROBE_EVENT_COUNT,
	GROUP_COUNTERS = GROUP_LIFETIMES + TRACKER_LIFETIMES,
};

struct group_counts {
	uint64_t n[GROUP_COUNTERS];
	double lifetime_seconds;
};

/* group_counts__of - what @target has counted. */
struct group_counts group_counts__of(const struct report_target *target);

/* group_counts__add - @more on top; the integers stop at their largest value. */
void group_counts__add(struct group_counts *counts, const struct group_counts *more);

/*
 * group_name - the group of @target as it is exported, to free(): never empty, printable, valid
 * UTF-8 and of a bounded length, so that two groups with different names stay two, and two of the
 * same name that different people claim. NULL without memory.
 */
char *group_name(const struct report_target *target) __must_check;

struct group_totals;

int group_totals__new(struct group_totals **ret_totals) __must_check;
void group_totals__free(struct group_totals *totals);

/*
 * group_totals__update - once per report, before it is rendered. A process is its pid and start
 * time. -ENOMEM, and then nothing has changed.
 */
int group_totals__update(struct group_totals *totals, const struct report *report) __must_check;

/* group_totals__ended - what processes of group @name counted that have ended; NULL: nothing. */
const struct group_counts *group_totals__ended(const struct group_totals *totals, const char *name);

/* group_totals__all_ended - the same for all groups that ever were. */
const struct group_counts *group_totals__all_ended(const struct group_totals *totals);

#endif /* GLEAKD_OUTPUT_PROMETHEUS_GROUP_TOTALS_H */
