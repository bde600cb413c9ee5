/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TOP_KEPT_H
#define GLEAKD_OUTPUT_TOP_KEPT_H

/*
 * What is kept of a report to be looked at until the next one, or for as long as somebody has stopped
 * the clock: a report itself does not outlive the next census.
 */
#include "output/report.h"
#include "output/text/screen.h"
#include "output/top/frame.h"

#define TOP_MAX_POINTS	  24
#define TOP_MAX_SITES	  1000 /* of a process; the rest is counted */
#define TOP_FEW_EXPLAINED 2    /* of a process that is not chosen, beside what is flagged */

/* Values over time, oldest first. */
struct top_series {
	uint64_t values[TOP_MAX_POINTS];
	size_t n;
};

/*
 * A place in the code: where goroutines wait, or where memory is allocated; or who allocates it; or in memory: what
 * is open, and held there.
 */
struct top_site {
	char id[9];
	size_t rank; /* in the report: the worst first */
	const char *verdict;
	enum style style;
	uint64_t count;		   /* goroutines, objects in use, what is open */
	uint64_t bytes;		   /* in use, and ... */
	uint64_t allocated;	   /* ... since the program began: of memory alone */
	double per_second;	   /* of that; < 0: not known */
	double growth;		   /* of goroutines or bytes per minute */
	uint64_t oldest_ns;	   /* age of the oldest member, where it is known */
	char *what;		   /* they wait for; the type that is allocated; the kind */
	char *function, *location; /* where; "" */
	char *text; /* all that is known, with colours; NULL: nobody asked for it yet */
	struct top_series series;
};

struct top_sites {
	struct top_site *items;
	size_t n, left_out;
};

enum top_kind {
	TOP_GOROUTINES,
	TOP_MEMORY,
	TOP_ALLOCATORS, /* who allocates it, where that was asked for */
	TOP_RESOURCES,
	TOP_KINDS,
};

struct top_process {
	pid_t pid;
	uint64_t runtime;
	size_t rank;
	char *name; /* of the process, and of its library where there is one */
	char *version;
	enum probe_mode mode;
	double overhead;
	bool ended;
	const char *verdict; /* the worst of its sites; "" */
	enum style style;
	uint64_t flagged;
	uint64_t goroutines, heap_bytes; /* 0: not known */
	double created_per_second;
	struct top_series series;
	struct top_sites sites[TOP_KINDS];
	char *no_memory; /* why nothing is known of where it allocates */
	bool by_who;	 /* who allocates was asked for; why nothing is known of that: */
	char *nobody;
};

struct top_kept {
	struct top_process *processes;
	size_t n;
	uint64_t realtime_ns;
	uint64_t goroutines, flagged; /* in all of them */
};

/* What the text of sites is made for. */
struct top_kept_options {
	struct screen_options screen;
	pid_t opened; /* or chosen: all sites of this process are explained; 0: of none */
	uint64_t opened_runtime;
};

/* top_kept__take - copies what @report says, and goes on with the series of @before. -ENOMEM. */
int top_kept__take(struct top_kept *ret_kept, const struct report *report,
		   const struct top_kept *before,
		   const struct top_kept_options *options) __must_check;
void top_kept__release(struct top_kept *kept);

/* top_kept__find - NULL: it is gone. */
struct top_process *top_kept__find(const struct top_kept *kept, pid_t pid, uint64_t runtime);
struct top_site *top_sites__find(const struct top_sites *sites, const char *id);

#endif /* GLEAKD_OUTPUT_TOP_KEPT_H */
