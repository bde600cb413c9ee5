/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PROMETHEUS_METRICS_H
#define GLEAKD_OUTPUT_PROMETHEUS_METRICS_H

/*
 * A report summed up for a monitoring system: processes become groups, and of the flagged sites the
 * largest are chosen, so that the number of series has a limit whatever a service does. What a
 * limit hides is counted.
 */
#include "output/prometheus/group_totals.h"

#define METRICS_MAX_GROWING 10 /* places of a group */

/* A place where memory grows, over all processes where it does. */
struct metrics_growing {
	const struct report_alloc_site *site; /* any one of them */
	uint64_t in_use_bytes;
};

/* Of the runtimes of a group's processes; what is not known of all of them is not known of the group. */
struct metrics_memory {
	uint64_t runtimes;
	/* Of them: known. */
	uint64_t with_cycles, with_stacks, with_live, with_goal, with_pauses, with_resident;
	uint64_t with_released, with_assists;
	uint64_t stack_bytes, live_bytes, goal_bytes, in_use_bytes, released_bytes, assist_ns;
	uint64_t resident_bytes; /* of processes */
	uint64_t judged;	 /* runtimes whose samples tell what grows */
	struct metrics_growing growing[METRICS_MAX_GROWING];
	size_t n_growing, growing_omitted;
	uint64_t looked_at; /* runtimes, for what they have open */
	uint64_t open[RESOURCE_KINDS];
	uint64_t scanned;   /* runtimes */
	uint64_t confirmed; /* goroutines */
	uint64_t retained_heap_bytes, retained_stack_bytes;
};

/* Likewise. */
struct metrics_scheduling {
	uint64_t runtimes, known, with_latencies;
	uint64_t with_threads; /* or of a process that is counted already */
	uint64_t late, hogs, stuck, threads, in_calls, locked;
};

/* What tells processes of one group apart. */
struct metrics_info {
	char *exe, *library, *go_version, *module, *module_version, *vcs_revision;
	char *unit, *container_id, *pod_uid;
};

#define METRICS_MAX_INFOS 10 /* of a group */

struct metrics_group {
	char *name;
	uint64_t processes;
	uint64_t modes[PROBE_MODE_COUNT];
	uint64_t goroutines;
	uint64_t leaking, stuck, suppressed; /* goroutines */
	uint64_t sites, sites_omitted;	     /* flagged ones */
	uint64_t oldest_ns;		     /* age of the oldest flagged goroutine; 0: not known */
	double overhead, overhead_max;	     /* of the process that is nearest to its budget */
	double dearer;			     /* of the process where hits are dearest */
	struct group_counts counts;
	struct metrics_memory memory;
	struct metrics_scheduling scheduling;
	struct metrics_info infos[METRICS_MAX_INFOS];
	size_t n_infos;
	uint64_t infos_omitted; /* processes */
};

/* A flagged site of a group, over all processes where it has the same verdict. */
struct metrics_site {
	const struct metrics_group *group;
	const struct report_site *site; /* any one of them: for its places */
	enum verdict verdict;
	uint64_t goroutines;
	double confidence; /* of the surest */
};

struct metrics_limits {
	size_t groups, group_sites, sites;
};

struct metrics {
	struct metrics_group *groups; /* by name */
	size_t n_groups;
	uint64_t groups_omitted;
	struct metrics_site *sites; /* by group, most goroutines first */
	size_t n_sites;
	struct group_counts all; /* groups that are omitted, too */
};

/*
 * metrics__gather - sum up @report, whose strings have to stay. @totals may be NULL: counters are
 * then those of the processes of the report. -ENOMEM.
 */
int metrics__gather(struct metrics *ret_metrics, const struct report *report,
		    const struct group_totals *totals,
		    const struct metrics_limits *limits) __must_check;
void metrics__release(struct metrics *metrics);

#endif /* GLEAKD_OUTPUT_PROMETHEUS_METRICS_H */
