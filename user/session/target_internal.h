/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_TARGET_INTERNAL_H
#define GLEAKD_SESSION_TARGET_INTERNAL_H

/*
 * What the parts of a target share: target.c (its life), target_census.c (what its censuses see),
 * target_probes.c (what is attached to it), target_execution.c (whether it runs, and what speaks against
 * probes).
 */
#include "heap/view/counters.h"
#include "host/task.h"
#include "probe/alloc_plan.h"
#include "session/module_probes.h"
#include "session/target.h"

/* Probes that have a share of what those of goroutines may cost. */
enum target_other {
	TARGET_ALLOCATIONS,
	TARGET_OPENINGS,
	TARGET_OTHERS,
};

/* Whether the process has run since a census (session/target_still.h). */
struct target_still {
	bool now;	 /* the last census is that of before, as it had not run */
	uint64_t cpu_ns; /* that it had used before the last census began; 0: not known */
	/* When @rest was taken, before the last census that read anything began; 0: never. */
	uint64_t rest_ns;
	struct process_rest rest;
};

struct target {
	struct target_options options;
	struct process_info process;
	struct image_file image; /* its executable; 0: not known */
	char file[PATH_MAX];	 /* that the runtime came with, if not the executable; "" */
	struct process_origin origin;
	uint64_t load_bias;
	enum target_state state;
	struct failure trouble; /* TARGET_UNREADABLE: why */
	enum probe_mode mode;
	char mode_reason[sizeof(((struct failure *)0)->text)];
	char hindrance[sizeof(
		((struct failure *)0)->text)]; /* why nothing may be attached now; "" */
	uint64_t attached_ns, started_seconds;
	uint64_t threads; /* of the operating system, at the last census; 0: not known */
	bool census_open; /* begun, and the tracker does not know its end yet */

	uid_t owner; /* as host/owner.h has it */
	bool frozen;
	unsigned int stretch;	  /* a census in one of so many rounds */
	unsigned int rounds_left; /* without one, until the next */
	uint64_t taken_cpu_ns;	  /* by its censuses when last asked */

	struct target_still still;
	bool files_known;
	uint64_t files; /* open ones, at the last census */

	struct execution execution; /* at the end of the last census */
	uint64_t executed_ns;	    /* CPU time used by then */

	struct remote *remote;
	struct executable *executable;
	struct module_map *modules;
	char how[2 * sizeof(((struct failure *)0)->text)]; /* with what is not readable of it; "" */
	struct tracker *tracker;
	struct census *census;
	struct goroutine_list *goroutine_list; /* NULL: not asked for */
	enum listing_state {
		LISTING_NEVER,
		LISTING_WANTED,	   /* by the next census */
		LISTING_UNDER_WAY, /* by this one */
		LISTING_DONE,
	} listing; /* once; not where each census makes a list */
	struct wait_reader *wait_reader;
	struct probe_plan plan;		     /* of the runtime's own module */
	struct module_probes *probes;	     /* NULL: nothing can be attached */
	struct target_heap *heap;	     /* NULL: not looked at yet */
	uint64_t heap_due_ns;		     /* its heap is left alone until then */
	uint64_t counters_due_ns;	     /* likewise what is counted there */
	struct heap_counters memory_counted; /* when that was read last; totals never fall */
	uint64_t memory_counted_ns;	     /* when that was; 0: never */
	struct heap_holders *holders;	     /* NULL: nobody asked */
	struct target_view *view;	     /* NULL: not asked for */
	struct target_samples *samples;	     /* likewise */
	struct target_resources *resources;  /* likewise */
	struct target_allocs *allocs;	     /* likewise */
	struct target_openings *openings;    /* likewise */
	uint64_t former_allocs_ns; /* what probes on allocations have cost it that are gone */
	bool allocs_asked;	   /* whether they are to be watched was decided */
	uint64_t least_live_bytes; /* of its heap, behind a collection; 0: not known */
	bool places_wanted; /* a scan is to find out where samples hang, and what is followed */
	uint64_t places_asked_ns; /* when that was asked for last; 0: never */
	struct target_scheduling *scheduling;
	uint64_t samples_due_ns;	    /* they are left alone until then */
	struct gl_losses losses;	    /* when the tracker was last told */
	uint64_t events[PROBE_EVENT_COUNT]; /* that arrived */

	struct governor governor;
	/* of what probes may cost, for those that are not of goroutines */
	double others_part[TARGET_OTHERS];
	uint64_t governed_ns; /* when the governor last ticked; 0: never */
	uint64_t governed_hits[PROBE_EVENT_COUNT];
	double probe_ns; /* what hits have cost by then */
	uint64_t governed_cpu_ns;
	uint64_t goids, goids_ns; /* handed out by the last census, and when */
	uint64_t counted;	  /* creations by then */
	bool all_events;	  /* events were attached all the time since that census */
	double creations_per_s;	  /* by that; < 0: not known */
};

/*
 * target_runtime__open - understand the runtime of process @pid, or that at @place if it is not NULL.
 * Errors: as process__read(), executables__take(), go_binary__bind(); -EAGAIN it does not run.
 */
int target_runtime__open(struct target *target, pid_t pid, const struct runtime_place *place,
			 const struct exe_file *expected, struct failure *failure) __must_check;

/*
 * target_modules__open - find the modules of the runtime, which is bound. Errors: -ENOMEM, -EIO its
 * functions cannot be read.
 */
int target_modules__open(struct target *target, struct failure *failure) __must_check;

/*
 * target_modules__refresh - take in plugins that were opened since. Returns how many; what could not be
 * is asked for again the next time.
 */
size_t target_modules__refresh(struct target *target);

/*
 * target_probes__open - plan the probes and attach what the mode asks for, or what of it works: the
 * mode and its reason say so afterwards. Errors: as probe_plan__make() and probes__attach().
 */
int target_probes__open(struct target *target, struct failure *failure) __must_check;
void target_probes__close(struct target *target);

/*
 * target_probes__add_modules - attach to modules that came since. What they lack is lacking from then
 * on: the mode and its reason say so.
 */
void target_probes__add_modules(struct target *target);

/*
 * target_hindrance__look - whether something speaks against probes for @events (bits 1 << enum
 * probe_event), none of which is attached; target->hindrance says what, "" if nothing does.
 */
bool target_hindrance__look(struct target *target, unsigned int events);

/*
 * target_hindrance__of_allocations - the same of @plan, none of which is attached to the module at @bias;
 * @text says what.
 */
bool target_hindrance__of_allocations(const struct target *target, const struct alloc_plan *plan,
				      uint64_t bias, char *text, size_t size);

/* target__share_overhead - @part of what probes may cost is for those of @other, not of goroutines, from now on. */
void target__share_overhead(struct target *target, enum target_other other, double part);

/* target_execution__note - a census is complete: whether the target got to run. */
void target_execution__note(struct target *target);

/* target_probes__note_census - a census is complete: how many goroutines were created since. */
void target_probes__note_census(struct target *target);

#endif /* GLEAKD_SESSION_TARGET_INTERNAL_H */
