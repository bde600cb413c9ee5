/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TIMELINE_H
#define GLEAKD_OUTPUT_TIMELINE_H

/*
 * What became of a process over time, for renderers that draw it; made from a recording
 * (record/reader.h), beside the report of its end. Times are nanoseconds of the host's
 * CLOCK_MONOTONIC, and within [begin_ns, end_ns] but for what began before. Like a report: owned by
 * whoever made it, strings may hold any bytes, what is not known is 0, "" or NULL.
 *
 * Everything is bounded, and what was left out is counted: of millions of goroutines the lives that
 * lasted longest are here, and all in lifetimes[].
 */
#include "output/report.h"

#define TIMELINE_MAX_LIVES  20000u /* of one target: those that lasted longest */
#define TIMELINE_MAX_PARKS  20000u /* likewise */
#define TIMELINE_MAX_POINTS 2000u  /* of one series; of more every so-many-th, and the last */

#define TIMELINE_MAX_SITES 10000u /* of one target */
#define TIMELINE_MAX_CALLS 1000u  /* likewise: the longest */

#define TIMELINE_NO_SITE UINT32_MAX

/* The same moment on several clocks. */
struct timeline_clock {
	uint64_t monotonic_ns, realtime_ns, boottime_ns;
};

struct timeline_point {
	uint64_t time_ns;
	uint64_t goroutines, parked;
	uint64_t created, exited; /* since the recording began */
};

/* What was thought of a site from a moment on. */
struct timeline_verdict {
	uint64_t time_ns;
	enum verdict verdict;
	double confidence;
	const char *why; /* first reason; "" */
};

/* Bounds as TRACKER_LIFETIME_NS: up to each of these, and longer. */
struct timeline_site {
	char id[9];	      /* as in struct report_site */
	const char *function; /* of the go statement, else what it began with */
	const char *start_function;
	const char *wait_reason;
	const struct report_site *site; /* in the report; NULL: not there any more */
	const struct timeline_point *points;
	size_t n_points;
	const struct timeline_verdict *verdicts;
	size_t n_verdicts;
	uint64_t lifetimes[TRACKER_LIFETIMES]; /* of those that ended */
	uint64_t alive;			       /* lives that had not ended */
	uint64_t waiting_ns;		       /* how long those were parked at the end, in sum */
};

struct timeline_life {
	uint64_t goid;
	uint64_t begin_ns, end_ns; /* end_ns is the timeline's where it was not seen */
	uint32_t site;		   /* index of sites, or TIMELINE_NO_SITE */
	bool created;		   /* its creation was seen; else it is at least that old */
	bool ended;
};

/* A long time that a goroutine was parked. */
struct timeline_park {
	uint64_t goid;
	uint64_t begin_ns, end_ns;
	uint32_t site;
	bool ended;
};

/* What its runtime counts of its memory; bytes. */
struct timeline_memory {
	uint64_t time_ns;
	uint64_t gc_cycles;
	uint64_t rss;
	uint64_t heap;	    /* spans in use */
	uint64_t allocated; /* objects that have not been freed */
	uint64_t objects;
	uint64_t live; /* that the last collection found */
	uint64_t goal; /* at which the next collection is to end; 0: not known */
	uint64_t stacks;
	uint64_t pause_ns; /* that collections have stopped it for, since it began */
	/* that goroutines had spent on the collection under way, or the last one */
	uint64_t assist_ns;
	uint64_t released;	     /* given back to the system */
	uint64_t threads;	     /* of the operating system */
	bool counted, marked, timed; /* allocated, objects and stacks; live; pause_ns are known */
	bool assisted, returned;     /* assist_ns; released */
};

/* The collector has completed the cycles @first to @last between two looks. */
struct timeline_gc {
	uint64_t begin_ns, end_ns;
	uint64_t first, last;
};

struct timeline_alloc_point {
	uint64_t time_ns;
	uint64_t in_use_bytes, in_use_objects, alloc_bytes, alloc_objects;
};

/* A place in the code that allocates memory. */
struct timeline_alloc {
	char id[9]; /* as in struct report_alloc_site */
	const char *function, *type;
	const struct timeline_alloc_point *points;
	size_t n_points;
};

struct timeline_allocator_point {
	uint64_t time_ns;
	uint64_t bytes, objects; /* since watching began */
};

/* Who allocates; what of it is known depends on by what they are told apart. */
struct timeline_allocator {
	const char *by;	  /* "goroutine", as options have it */
	const char *name; /* labels or type */
	uint64_t goid;
	const char *created_by; /* the go statement's function */
	const char *start_function;
	const struct timeline_allocator_point *points;
	size_t n_points;
};

struct timeline_resource_point {
	uint64_t time_ns;
	uint64_t outstanding, opened, closed; /* the last two since it was looked at first */
};

/* What of one kind is open and held at one place. */
struct timeline_resource {
	enum resource_kind kind;
	const char *held_by, *calls; /* as in struct resource_line */
	const struct timeline_resource_point *points;
	size_t n_points;
};

/* What was held up, at one census. */
struct timeline_scheduling {
	uint64_t time_ns;
	uint64_t over_10ms;	  /* waits for a processor since the program began */
	uint64_t late;		  /* goroutines that wait for one then ... */
	uint64_t longest_late_ns; /* ... the longest of them */
	uint64_t hogs, stuck;
	uint64_t in_calls, locked;			/* goroutines, each with a thread */
	uint64_t throttled_ns, run_delay_ns, stolen_ns; /* since the recording began */
	bool latencies_known;				/* over_10ms is */
};

/* A thread that stayed in one system call. */
struct timeline_call {
	uint64_t goid, thread;
	uint64_t begin_ns, end_ns; /* the last census that found it so */
	const char *call;	   /* "read(3: /run/fifo)" */
	bool in_c;
};

struct timeline_target {
	const struct report_target *target; /* in the report; NULL: it has none */
	pid_t pid;
	const char *comm;
	int64_t clock_offset_ns; /* how far its own monotonic clock is ahead of the host's */
	const struct timeline_site *sites;
	size_t n_sites;
	const struct timeline_life *lives; /* by begin */
	size_t n_lives;
	uint64_t all_lives;		   /* in the recording */
	const struct timeline_park *parks; /* by begin */
	size_t n_parks;
	uint64_t all_parks;
	uint64_t long_park_ns; /* shorter parks were not recorded */
	const struct timeline_memory *memory;
	size_t n_memory;
	const struct timeline_gc *gcs;
	size_t n_gcs;
	const struct timeline_alloc *allocs;
	size_t n_allocs;
	const struct timeline_allocator *allocators;
	size_t n_allocators;
	const struct timeline_resource *resources;
	size_t n_resources;
	const struct timeline_scheduling *scheduling;
	size_t n_scheduling;
	const struct timeline_call *calls; /* the longest first */
	size_t n_calls;
	uint64_t lifetimes[TRACKER_LIFETIMES]; /* of all that ended */
	uint64_t left_out; /* lives, parks and points that the recording had no room for */
};

enum timeline_state {
	TIMELINE_RUNNABLE,
	TIMELINE_RUNNING,
	TIMELINE_IN_SYSCALL,
	TIMELINE_WAITING,
};

/* A goroutine was in one state; or a collection, a stop of the world, a region of the program's own. */
struct timeline_span {
	uint64_t begin_ns, end_ns;
	const char *name; /* of a state: what it waited for; "" */
	enum timeline_state state;
};

/* A goroutine in an execution trace. */
struct timeline_traced {
	uint64_t goid;
	const char *function; /* that it began with; "": not known */
	uint64_t running_ns;
	const struct timeline_span *states; /* one after the other */
	size_t n_states;
	const struct timeline_span *regions; /* by begin, the outer before the inner */
	size_t n_regions;
};

struct timeline_level {
	uint64_t time_ns, value;
};

/* A Go execution trace of one of the processes (runtime/trace), on the timeline's clock. */
struct timeline_trace {
	uint64_t begin_ns, end_ns;
	struct timeline_clock clock; /* as the process read it at some moment; no boottime_ns */
	const struct timeline_traced *goroutines; /* who ran longest first */
	size_t n_goroutines;
	const struct timeline_span *gcs, *stops;
	size_t n_gcs, n_stops;
	const struct timeline_level *heap, *goal; /* bytes */
	size_t n_heap, n_goal;
	uint64_t left_out; /* of all of it, for want of room */
	bool cut;	   /* the file ends in the middle */
};

struct timeline {
	uint64_t begin_ns, end_ns;
	const struct timeline_clock *clocks; /* by time; at least one */
	size_t n_clocks;
	const struct timeline_target *targets;
	size_t n_targets;
	const struct timeline_trace *trace; /* of the first target; NULL: none was given */
	const char *host, *kernel;	    /* where it was recorded */
	const char *version;		    /* of the gleakd that recorded */
	bool complete;			    /* recording ended in an orderly way */
};

/* timeline__realtime_ns - wall clock at @monotonic_ns, by the last clock pair before it. */
uint64_t timeline__realtime_ns(const struct timeline *timeline, uint64_t monotonic_ns);

/* timeline__find - what became of @target; NULL: @timeline is, or has nothing of it. */
const struct timeline_target *timeline__find(const struct timeline *timeline,
					     const struct report_target *target);

#endif /* GLEAKD_OUTPUT_TIMELINE_H */
