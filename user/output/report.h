/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_REPORT_H
#define GLEAKD_OUTPUT_REPORT_H

/*
 * What gleakd found, in a form that every renderer reads and none changes: enumerations, counts,
 * nanoseconds, and what the tracker says of each site as it says it. Words and units are made by the
 * renderers. All strings are owned by whoever built the report and may hold any bytes (they come
 * from foreign binaries): a renderer escapes them for its format. What is not known is "" or NULL,
 * which mean the same.
 */
#include <sys/types.h>

#include "base/common.h"
#include "base/held.h"
#include "golang/dependencies.h"
#include "heap/view/view.h"
#include "heap/ways/holders.h"
#include "track/resources.h"
#include "host/execution.h"
#include "observe/wait_objects.h"
#include "output/scheduling.h"
#include "probe/cost.h"
#include "probe/event.h"
#include "track/alloc_flow.h"
#include "track/alloc_judge.h"
#include "track/tracker.h"

#define REPORT_SCHEMA_VERSION 1

struct report_frame {
	const char *function;
	const char *file;
	uint32_t line;
	uint64_t offset; /* of the pc in the function's code; 0: inlined, or not known */
	bool own;	 /* code of the service's own module */
	bool inlined;
	const char *module; /* the plugin that it is in, a file's name; "" the program itself */
};

#define REPORT_LOCK_MAX_SITES	16
#define REPORT_LOCK_MAX_HOLDERS 3

/* Who seems to hold a lock: Go does not write it down. */
struct report_lock_holder {
	uint64_t goid;
	char site[9];		      /* id of its site ... */
	const struct report_site *at; /* ... and that, of the same report; NULL: it is not there */
	uint64_t waiting_ns;
};

/* A lock that goroutines wait for, whatever their site. */
struct report_lock {
	enum wait_object_kind kind;
	uint64_t address;
	uint64_t waiters;
	bool more_waiters;		      /* not all could be counted */
	char sites[REPORT_LOCK_MAX_SITES][9]; /* ids; the same one may be there twice */
	size_t n_sites;
	struct report_lock_holder holders[REPORT_LOCK_MAX_HOLDERS]; /* the likeliest first */
	size_t n_holders;
};

#define REPORT_SOURCE_LINES 3
#define REPORT_SOURCE_WIDTH 200

/* The line of code that a site is about, with the one before it and the one after it. */
struct report_source {
	char path[512];
	uint32_t line;	/* that is meant */
	uint32_t first; /* the number of the first one here */
	unsigned int n;
	char text[REPORT_SOURCE_LINES][REPORT_SOURCE_WIDTH + 1]; /* without the line's end */
};

struct report_site {
	char id[9];	       /* 8 hex digits, stable across runs of the same build */
	struct site_view view; /* as the tracker has it */
	/* when a verdict on what rises is due, since the epoch; 0: cannot be told */
	uint64_t due_ns;
	const char *meaning; /* what goroutines are that a library started; "" */
	bool suppressed;     /* by the allow-list ... */
	const char *suppressed_reason;
	const char *evidence_folder;	    /* where --evidence keeps what was known of it; "" */
	const struct wait_objects *objects; /* what members wait on; NULL: nobody looked */
	const char *wait_reason;	    /* the runtime's words; "" while running */
	struct report_frame created_by;
	/* the program's line that led to it; of a library's go statement */
	struct report_frame called_from;
	struct report_frame blocked_at;
	const struct go_dependency *
		library; /* that the code is of in which it blocks; NULL: the program's own, or not known */
	const char *start_function;
	const struct report_frame *stack; /* innermost first */
	size_t n_stack;
	const struct report_source *source;   /* NULL: it is not at hand */
	const struct report_finding *finding; /* that it is a part of; NULL: of none */
	const struct report_lock *locks;      /* of the whole process, that somebody waits for */
	size_t n_locks;
};

/*
 * What is leaked, stuck or suspected and not silenced: a site, or all sites whose members are created
 * together, or wait for one lock, with the one whose member holds it.
 */
struct report_finding {
	const struct report_site *const *sites; /* the one that says most first: it leads */
	size_t n_sites;
	enum verdict verdict; /* the worst of them */
	double confidence;    /* the highest */
	/* that its sites wait for; NULL: that is not what joins them */
	const struct report_lock *lock;
	uint64_t goroutines; /* in all of them */
	uint64_t units;	     /* how many of what is leaked: as many as the smallest site has */
	double per_minute;   /* of those units, more */
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
	const char *creator; /* whose code that is in, whatever was inlined there */
	uint64_t creator_offset;
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
	uint64_t waiting_ns; /* at least; 0: not known */
	const struct report_labels *labels;
	const struct report_place *place;
};

#define REPORT_MAX_HELD_BY 3

/* A place in the code that allocates memory. Figures are estimates, from samples. */
struct report_alloc_site {
	char id[9]; /* 8 hex digits, the same in every run of the same build */
	uint64_t in_use_bytes, in_use_objects;
	/* Since the program began; by probes since watching began. */
	uint64_t alloc_bytes, alloc_objects;
	double relative_error;	     /* of in_use_bytes, of alloc_bytes where nothing is in use */
	double alloc_relative_error; /* of alloc_bytes */
	double growth_per_minute;    /* bytes in use, over the looks so far */
	bool rate_known;
	double bytes_per_second; /* allocated, since the look before */
	struct alloc_judgement judgement;
	/* When it is growing if it goes on as now, since the epoch; 0: it is, or that cannot be told. */
	uint64_t due_ns;
	bool suppressed; /* by the allow-list, for this reason */
	const char *suppressed_reason;
	char *type;			   /* of most of what is in use; NULL: not known */
	char *held_by[REPORT_MAX_HELD_BY]; /* what leads to it, the most first; NULL: no more */
	struct report_frame allocated_at;  /* the program's own line, or the best there is */
	const struct report_frame *stack;  /* innermost first, of most of it */
	size_t n_stack;
};

enum report_alloc_order {
	REPORT_BY_IN_USE_BYTES,
	REPORT_BY_IN_USE_OBJECTS,
	REPORT_BY_ALLOC_BYTES,
	REPORT_BY_ALLOC_OBJECTS,
	REPORT_BY_GROWTH,
};

/* What is shown of those that do not grow where that is what matters. */
#define REPORT_FEW_ALLOC_SITES 10

/* Where a process allocates. */
struct report_allocations {
	enum alloc_source source;
	const char *missing; /* why nothing is known; "" */
	uint64_t rate;	     /* bytes from one sample to the next, on average */
	bool growth_known;   /* there was more than one look */
	bool in_use_known;   /* not only what was allocated */
	double seconds;	     /* in which it was allocated; 0: since the program began */
	bool watched; /* read again and again: what grows matters, heap tells of the others */
	const struct report_alloc_site *sites;
	size_t n_sites;
	uint64_t refused; /* samples beyond limits of ours */
	/* that windows of time have missed, by the runtime's count of each size */
	uint64_t unseen_bytes;
};

/* What `gleakd heap` is to show, or to tell allocations apart by. */
enum report_alloc_by {
	REPORT_ALLOC_BY_ALL, /* types, holders and places */
	REPORT_ALLOC_BY_SITE,
	REPORT_ALLOC_BY_TYPE,
	REPORT_ALLOC_BY_HOLDER,
	REPORT_ALLOC_BY_GOROUTINE,
	REPORT_ALLOC_BY_CREATION, /* the `go` statement that the goroutine comes from */
	REPORT_ALLOC_BY_LABEL,
};

const char *report_alloc_by__name(enum report_alloc_by by); /* "goroutine", as options have it */

/* How allocations are told. */
struct report_alloc_choice {
	enum report_alloc_order order; /* of places */
	enum report_alloc_by by;
};

/* What some goroutines have allocated since watching began, or what was of one type. */
struct report_alloc_group {
	char *name;	     /* labels or type; NULL: none, or it is not by these */
	bool unknown;	     /* labels that were gone too soon */
	uint64_t goid;	     /* by goroutine; 0: the runtime's own */
	uint64_t goroutines; /* how many */
	struct report_frame created_by;
	const char *start_function; /* by goroutine and creation; "" */
	uint64_t alloc_bytes, alloc_objects;
	uint64_t in_use_bytes, in_use_objects; /* of these */
	double relative_error;		       /* of alloc_bytes */
	double bytes_per_second;
	struct report_frame allocated_at; /* most of it */
};

struct report_alloc_groups {
	enum report_alloc_by by;
	struct alloc_figures figures;
	bool in_use_known;
	const struct report_alloc_group *groups; /* the most allocated first */
	size_t n_groups;
};

/*
 * Whose word names are, "user 1000", "container" or the name of one; "" where they are root's, and trusted.
 * What is claimed is never counted with what is trusted.
 */
struct report_claims {
	const char *group, *exe, *unit, *container_id, *pod_uid, *cgroup;
	bool exe_elsewhere; /* a path of another mount or user namespace than the host's */
};

#define REPORT_MAX_TRIGGERS 16 /* per target */

/* What --trigger was to look out for. */
struct report_trigger {
	const char *text; /* "goroutines>50000" */
	bool met;	  /* now; otherwise it was in the report before */
	const char *
		evidence_folder; /* where what was known then is kept; "": nothing is, or not yet */
};

struct report_target {
	pid_t pid;
	const char *comm;
	const char *exe;
	/* The Go runtime: a process may have several. */
	const char *runtime_file; /* that it came with: exe, or a library */
	const char *build_id;	  /* of that file; "" */
	const char *library;	  /* the last part of its name when it is not exe; "" */
	uint64_t runtime;	  /* tells it from the others of the process */
	bool another;		  /* of a process that is in the report already */
	const char *go_version;
	/* What it was built from: its main module, and the commit; "". */
	const char *module, *module_version;
	const char *vcs_revision;
	bool vcs_modified; /* and changes that were not committed */
	const char *how;   /* how the binary was read */
	enum probe_mode mode;
	const char *mode_reason; /* why not full; "" */
	uint64_t observed_ns;
	/* Lost and refused with what came to nothing before it reached the tracker. */
	struct tracker_totals totals;
	/* Over the last interval, in the last report over the watch; negative: not known. */
	double created_per_second, exited_per_second;
	uint64_t threads;	    /* of the operating system; 0: not known */
	uint64_t census_age_ns;	    /* since the end of that which the figures are of; 0: none */
	uint32_t census_stretch;    /* one in so many rounds; 0, 1: in each */
	uint64_t unreadable;	    /* g structs and stacks a census could not read */
	bool exited_target;	    /* the process ended */
	struct execution execution; /* whether it gets to run, and who traces it */
	const struct report_site *sites; /* worst verdict first, then the largest */
	size_t n_sites;
	/* of which nothing is suspected, put into one of them that is `other` */
	uint64_t folded_sites;
	const struct report_finding *findings; /* worst first */
	size_t n_findings;
	bool goroutines_listed;			       /* asked for */
	const struct report_goroutine *goroutine_list; /* by goid */
	size_t n_goroutine_list;

	const struct heap_view *heap;			/* NULL: not asked for, or not read */
	const struct report_allocations *allocations;	/* likewise */
	const struct report_alloc_groups *alloc_groups; /* likewise */
	const struct heap_holders *holders;		/* likewise */
	const struct resource_lines *resources;		/* likewise */
	const struct report_scheduling *scheduling;	/* NULL: not known */
	/* for so long each wait has been traced; 0: they are known by censuses */
	uint64_t waits_traced_ns;
	uint64_t waits_missed;		       /* that ended, and nobody knows when they began */
	const struct report_trigger *triggers; /* that are met, or were just now */
	size_t n_triggers;

	/* What its runtime counts of its memory, if that could be read now; whether its heap was scanned. */
	bool counters_known, heap_scanned;
	struct heap_counters counters;
	uint64_t resident_bytes; /* as the kernel counts it; 0: not known */

	/* Where it runs; "" where it does not apply or is not known. */
	const char *group; /* what it is counted with in metrics: by default the name of exe */
	const char *unit;  /* systemd unit */
	const char *container_id; /* 64 hex digits */
	const char *pod_uid;	  /* Kubernetes */
	const char *cgroup;
	struct report_claims claims;
	uint64_t start_time_seconds; /* since the epoch */

	/* What watching costs it, and what may be. */
	uint64_t probe_hits[PROBE_EVENT_COUNT]; /* since the attach */
	uint64_t probe_ns;			/* of its CPU time, hits by calibrated cost */
	/* share of its CPU time over the last interval; the budget */
	double overhead, overhead_max;
	struct probe_cost cost; /* as people think of it */
	double dearer; /* how many times its calibrated cost a hit was seen to take; 1 or more */
	uint64_t mode_changes;
	uint64_t remote_reads, remote_bytes; /* of its memory */
};

/* What processes are counted together by in metrics. */
enum report_group {
	REPORT_GROUP_EXE, /* base name of the executable */
	REPORT_GROUP_COMM,
	REPORT_GROUP_UNIT,	/* systemd unit; the executable's where there is none */
	REPORT_GROUP_CONTAINER, /* container id; likewise */
	REPORT_GROUP_PID,
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
/* A process that is left alone for a while. */
struct report_quarantined {
	pid_t pid;
	uint32_t owner;	  /* host/owner.h */
	uint64_t left_ns; /* from now */
};

#define REPORT_MAX_QUARANTINED 64

struct report_self {
	uint64_t start_time_seconds; /* since the epoch */
	uint64_t targets[REPORT_TARGET_STATES];
	uint64_t attach_attempts, attach_failures;
	uint64_t events_received, events_malformed;
	/* Calibrated, of a hit; 0: not known. */
	uint64_t emulated_hit_ns, single_step_hit_ns;
	double cpu_seconds;
	uint64_t resident_bytes, bpf_bytes;
	uint64_t open_fds, max_fds; /* now; the limit, 0: none */
	uint64_t bpf_links;
	uint64_t processes_seen, processes_rejected;
	uint64_t cycle_ns; /* the last round over all targets */
	/* the machine was, since the first report: no wait or age counts it */
	uint64_t suspended_ns;
	struct loop_hold held;	   /* the longest that gleakd's loop was, since the last report */
	uint32_t interval_stretch; /* one round every so many intervals, to keep gleakd's budget */
	uint64_t quarantined;	   /* processes that are left alone since they held gleakd up: */
	struct report_quarantined quarantine[REPORT_MAX_QUARANTINED];
	uint64_t missed_deadlines; /* how often that was */
	uint64_t slowed_targets; /* that have a census less often than that, for the same reason */
	/* What of gleakd's own work came to nothing. */
	uint64_t process_events_lost, textfile_errors, state_errors;
	uint64_t reports_left_out; /* since their reader did not keep up */
	uint64_t worker_restarts;  /* workers that ended before their time */
};

/* Why a run ends with a report. */
enum report_end {
	REPORT_GOES_ON, /* it does not */
	REPORT_ONCE,	/* one report was asked for */
	REPORT_PROOF,	/* one that rests on a picture of the memory was */
	REPORT_INTERRUPTED,
	REPORT_TERMINATED,
	REPORT_DURATION_OVER,
	REPORT_TARGET_EXITED,
	REPORT_TARGET_EXECUTED, /* another program */
	REPORT_NOTHING_TO_EXPLAIN,
};

const char *report_end__words(enum report_end end); /* "interrupted", ...; "" while it goes on */

struct report {
	uint64_t realtime_ns;
	enum report_end end;
	const struct report_target *targets;
	size_t n_targets;
	struct report_self self;
};

/* report__final - nothing follows. */
static inline bool report__final(const struct report *report)
{
	return report->end != REPORT_GOES_ON;
}

/*
 * report__named_by - who may have chosen the names of @target to look like another's: a user, by a namespace
 * or a control group of his own. "": nobody.
 */
const char *report__named_by(const struct report_target *target);

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

/* report__seconds - @ns in the unit of JSON and metrics. */
static inline double report__seconds(uint64_t ns)
{
	return (double)ns / (double)NSEC_PER_SEC;
}

/*
 * report__percent - the confidence, 0 to 99: full certainty is nothing that watching from outside
 * can give, and a third digit would claim more than there is.
 */
static inline unsigned int report__percent_of(double confidence)
{
	/* A comparison with NaN is false. */
	if (!(confidence > 0))
		return 0;
	return (unsigned int)(min_of(confidence, 0.99) * 100 + 0.5);
}

static inline unsigned int report__percent(const struct report_site *site)
{
	return report__percent_of(site->view.confidence);
}

#define REPORT_WHY_SIZE 256
#define REPORT_DUE_SIZE sizeof("due at 10:14:05 UTC if it goes on")

/* report__due - "due at 10:14:05 UTC if it goes on", of a time since the epoch. */
const char *report__due(uint64_t due_ns, char out[REPORT_DUE_SIZE]);

/*
 * report__why - the @i-th reason of @site's verdict. Of what rises, the first is the rule that holds a
 * verdict back, and says when one is due.
 */
const char *report__why(const struct report_site *site, size_t i, char out[REPORT_WHY_SIZE]);

/* report__waits_for - members of @site wait for @lock. report__holds - one seems to hold it. */
bool report__waits_for(const struct report_site *site, const struct report_lock *lock);
bool report__holds(const struct report_site *site, const struct report_lock *lock);

/* report__lock_at - the lock at @address; NULL: no lock, or nobody looked. */
const struct report_lock *report__lock_at(const struct report_site *site, uint64_t address);

#define REPORT_MAX_CONTENTION 16

/*
 * report__contention - the sites of @target where most time was spent waiting for others of the process: for locks,
 * channels and the like; the most first. Returns how many.
 */
size_t report__contention(const struct report_target *target,
			  const struct report_site *sites[REPORT_MAX_CONTENTION]);

/* report__contended - whether that is what goroutines of @site wait for. */
bool report__contended(const struct report_site *site);

/* report__leads - it is shown for all sites that are the same finding. */
static inline bool report__leads(const struct report_site *site)
{
	return !site->finding || site->finding->sites[0] == site;
}

#define REPORT_WHAT_SIZE 256

/*
 * report_finding__what - "160 × ssh.NewClient: 6 goroutines each", or the meaning in place of the
 * function that started them.
 */
const char *report_finding__what(const struct report_finding *finding, char out[REPORT_WHAT_SIZE]);

/* report__flagged - it is shown as found: an accusation that the allow-list does not suppress. */
static inline bool report__flagged(const struct report_site *site)
{
	return verdict__is_alarm(site->view.verdict) && !site->suppressed;
}

/*
 * report__suppressed - the allow-list kept a suspect quiet. What it names and is idle or active did
 * not need it.
 */
static inline bool report__suppressed(const struct report_site *site)
{
	return site->suppressed && verdict__is_suspect(site->view.verdict);
}

/* report__count_growing_resources - places where what is open only ever becomes more: they come first. */
static inline size_t report__count_growing_resources(const struct resource_lines *lines)
{
	size_t n = 0;

	while (lines && n < lines->n && lines->all[n].place.verdict == RESOURCE_GROWING)
		n++;
	return n;
}

/* report__memory_flagged - what it allocates stays, and more and more of it; the allow-list does not know it. */
static inline bool report__memory_flagged(const struct report_alloc_site *site)
{
	return site->judgement.verdict == ALLOC_GROWING && !site->suppressed;
}

/* report__count_growing_memory - places of which that is so. */
static inline size_t report__count_growing_memory(const struct report_target *target)
{
	const struct report_allocations *allocations = target->allocations;
	size_t n = 0;

	for (size_t i = 0; allocations && i < allocations->n_sites; i++)
		n += report__memory_flagged(&allocations->sites[i]);
	return n;
}

static inline size_t report__count_suppressed(const struct report_target *target)
{
	size_t n = 0;

	for (size_t i = 0; i < target->n_sites; i++)
		n += report__suppressed(&target->sites[i]);
	return n;
}

#endif /* GLEAKD_OUTPUT_REPORT_H */
