/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_REPORT_H
#define GLEAKD_OUTPUT_REPORT_H

/*
 * What gleakd found, in a form that every renderer reads and none changes. All strings are owned by
 * whoever built the report and may hold any bytes (they come from foreign binaries): a renderer
 * escapes them for its format. What is not known is "" or NULL, which mean the same.
 */
#include <sys/types.h>

#include "base/common.h"

#define REPORT_SCHEMA_VERSION 1

struct report_frame {
	const char *function;
	const char *file;
	uint32_t line;
	bool own; /* code of the service's own module */
	bool inlined;
};

/* The number of a site's members at one moment, and who came and left since the point before. */
struct report_point {
	double seconds_ago;
	uint64_t goroutines, arrivals, departures;
};

/* Of the goroutines that the `go` statement created in a span of the past, how many still exist. */
struct report_cohort {
	double from_seconds_ago, to_seconds_ago; /* from > to */
	uint64_t created, alive;
};

/* Members whose age is at least this and less than the next step's. */
struct report_age_step {
	double at_least_seconds;
	uint64_t members;
};

/* One item of evidence and what it weighs for (or against) a leak, in decibans. */
struct report_weight {
	double decibans;
	const char *text;
};

/* What a verdict rests on; docs/verdicts.md defines each. */
struct report_evidence {
	double observed_seconds;       /* since the site was first seen, or the watch began */
	uint64_t arrivals, departures; /* over that time */
	double stay_seconds;	       /* how long is staying here */
	uint64_t stayed, left;	       /* that long or longer: still here; left after it */
	const struct report_point *population; /* oldest first */
	size_t n_population;
	const struct report_cohort *cohorts; /* oldest first */
	size_t n_cohorts;
	const struct report_age_step *ages; /* youngest first */
	size_t n_ages;
	const struct report_weight *weights; /* heaviest first; none for idle and active */
	size_t n_weights;
};

/* Something that members of a site wait on. */
struct report_object {
	const char *kind; /* "channel", "mutex", "rwmutex", "wait group", "cond", "semaphore" */
	uint64_t address;
	uint64_t members;	     /* of those looked at, how many wait on it */
	uint64_t receivers, senders; /* channel: waiting on it in all, whatever their site */
	uint64_t waiters;	     /* anything else: waiting on it in all */
	bool more_waiters;	     /* counting stopped at a limit */
	uint64_t length, capacity;   /* channel: values in its buffer */
	bool closed;
	bool timer; /* channel of a time.Timer or time.Ticker (Go 1.23 on) */
};

struct report_objects {
	uint64_t looked_at;		   /* members whose waits were read */
	uint64_t distinct;		   /* objects among them */
	const struct report_object *items; /* most members first */
	size_t n_items;
};

struct report_site {
	char id[9]; /* 8 hex digits, stable across runs of the same build */
	const char *verdict;
	bool flagged;	     /* leaking or stuck, and not silenced */
	bool suspect;	     /* leaking, stuck or growing: there is a confidence */
	double confidence;   /* that its members are leaked: 0 to 0.99 */
	const char *meaning; /* what goroutines are that a library started; "" */
	bool silenced;	     /* by the allow-list ... */
	const char *silenced_reason;
	struct report_evidence evidence;
	struct report_objects objects;
	const char *const *why;
	size_t n_why;
	uint64_t goroutines, parked, created, exited;
	const char *wait_reason; /* the runtime's words; "" while running */
	struct report_frame created_by;
	struct report_frame blocked_at;
	const char *start_function;
	const struct report_frame *stack; /* innermost first */
	size_t n_stack;
	double oldest_park_seconds, oldest_age_seconds;
	double growth_per_minute;
};

struct report_label {
	const char *key, *value;
};

/* A goroutine's profiler labels; many goroutines share a set. */
struct report_labels {
	size_t n;
	bool cut;		     /* there were more, or longer ones */
	struct report_label items[]; /* by key */
};

/* What goroutines of one site that stand at one place have in common. */
struct report_place {
	char site[9]; /* id of their site */
	bool system;  /* the runtime's own goroutines */
	struct report_frame created_by;
	const char *start_function;
	const struct report_frame *stack; /* innermost first; none while running */
	size_t n_stack;
};

struct report_goroutine {
	uint64_t goid;
	uint64_t parent_goid; /* 0: not known */
	const char *state;    /* as the runtime's own dump has it: "chan receive", "running" */
	bool parked;
	bool locked_to_thread;
	bool in_bubble;
	double waiting_seconds; /* at least; 0: not known */
	const struct report_labels *labels;
	const struct report_place *place;
};

/* Upper bounds in seconds of report_target.lifetimes but the last, which has none. */
#define REPORT_LIFETIME_BUCKETS 8
#define REPORT_LIFETIME_BOUNDS                  \
	{                                       \
		0.01, 0.1, 1, 10, 60, 600, 3600 \
	}

struct report_target {
	pid_t pid;
	const char *comm;
	const char *exe;
	const char *go_version;
	const char *how;	 /* how the binary was read */
	const char *mode;	 /* "full", "lifecycle", "census" */
	const char *mode_reason; /* why not full; "" */
	double observed_seconds;
	uint64_t alive, created, exited, parked;
	double created_per_second, exited_per_second; /* over the last interval */
	uint64_t lost_events, repaired;
	uint64_t unreadable;		 /* g structs and stacks a census could not read */
	uint64_t refused;		 /* goroutines and stacks beyond the limits */
	bool inexact;			 /* losses not yet repaired by a census */
	bool exited_target;		 /* the process ended */
	const struct report_site *sites; /* flagged ones first */
	size_t n_sites;
	bool goroutines_listed;			       /* asked for */
	const struct report_goroutine *goroutine_list; /* by goid */
	size_t n_goroutine_list;

	/* Where it runs; "" where it does not apply or is not known. */
	const char *group; /* what it is counted with in metrics: by default the name of exe */
	const char *unit;  /* systemd unit */
	const char *container_id; /* 64 hex digits */
	const char *pod_uid;	  /* Kubernetes */
	const char *cgroup;
	uint64_t start_time_seconds; /* since the epoch */

	/* What watching costs it, and what may be. */
	uint64_t probe_hits[3]; /* since the attach: create, exit, park */
	double probe_seconds;	/* of its CPU time, hits by calibrated cost */
	double overhead,
		overhead_max; /* share of its CPU time over the last interval; the budget */
	uint64_t mode_changes;
	/* Lives that ended since the attach, by length; bounds in report_lifetime_bounds. */
	uint64_t lifetimes[REPORT_LIFETIME_BUCKETS];
	double lifetime_seconds_sum;
	uint64_t remote_reads, remote_bytes; /* of its memory */
};

/* Watched or not, and why not: one per process that was looked at. */
enum report_target_state {
	REPORT_ATTACHED,
	REPORT_UNSUPPORTED, /* a Go program that gleakd cannot watch */
	REPORT_FAILED,	    /* the attach failed */
	REPORT_PAUSED,	    /* left out for now: a limit or the budget */
	REPORT_TARGET_STATES,
};

/* gleakd itself. */
struct report_self {
	uint64_t start_time_seconds; /* since the epoch */
	uint64_t targets[REPORT_TARGET_STATES];
	uint64_t attach_attempts, attach_failures;
	uint64_t events_received, events_malformed;
	double probe_cost_seconds
		[2]; /* calibrated, of a hit: emulated, single-stepped; 0: not known */
	double cpu_seconds;
	uint64_t resident_bytes, bpf_bytes;
	uint64_t open_fds, max_fds; /* now; the limit, 0: none */
	uint64_t bpf_links;
	uint64_t processes_seen, processes_rejected;
	double cycle_seconds;	   /* the last round over all targets */
	uint32_t interval_stretch; /* one round every so many intervals, to keep gleakd's budget */
	/* What of gleakd's own work came to nothing. */
	uint64_t process_events_lost, textfile_errors, state_errors;
};

struct report {
	uint64_t realtime_ns;
	bool final;
	const char
		*final_reason; /* "interrupted", "duration over", "target exited", "once"; or "" */
	const struct report_target *targets;
	size_t n_targets;
	struct report_self self;
};

/* report__text - never NULL. */
static inline const char *report__text(const char *text)
{
	return text ? text : "";
}

/* report__frame_known - false: there is no such place, or nobody knows it. */
static inline bool report__frame_known(const struct report_frame *frame)
{
	return frame->function && *frame->function;
}

/*
 * report__percent - the confidence, 0 to 99: full certainty is nothing that watching from outside
 * can give, and a third digit would claim more than there is.
 */
static inline unsigned int report__percent(const struct report_site *site)
{
	/* A comparison with NaN is false. */
	if (!(site->confidence > 0))
		return 0;
	return (unsigned int)(min_of(site->confidence, 0.99) * 100 + 0.5);
}

/*
 * report__silenced - the allow-list kept a suspect quiet. What it names and is idle or active did
 * not need it.
 */
static inline bool report__silenced(const struct report_site *site)
{
	return site->silenced && site->suspect;
}

static inline size_t report__count_silenced(const struct report_target *target)
{
	size_t n = 0;

	for (size_t i = 0; i < target->n_sites; i++)
		n += report__silenced(&target->sites[i]);
	return n;
}

#endif /* GLEAKD_OUTPUT_REPORT_H */
