/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_SITE_VIEW_H
#define GLEAKD_TRACK_SITE_VIEW_H

/*
 * What the tracker says of a site: its numbers, its verdict, and the evidence for it. The tracker
 * writes these in tracker__judge(), everybody else reads them (tracker__sites() in
 * track/tracker.h). Durations are nanoseconds. What a view points to belongs to the tracker and
 * lives as long as the view.
 */
#include "base/common.h"
#include "golang/wait_reason.h"

/* What is known of a site beyond its wait reason: by the library that starts such goroutines. */
enum site_nature {
	NATURE_UNKNOWN,
	NATURE_SERVICE,	   /* serves its owner as long as that lives: one or few per owner */
	NATURE_CONNECTION, /* one (or two) per open connection or stream */
	NATURE_ABANDONED, /* waits for the program to finish something: many mean it was forgotten */
};

enum verdict {
	VERDICT_ACTIVE,	   /* comes and goes, or runs */
	VERDICT_IDLE,	   /* waits by nature */
	VERDICT_GROWING,   /* rises, too early or too mixed to say more */
	VERDICT_SUSPECTED, /* has grown like a leak, by one look; a watch will tell */
	VERDICT_STUCK,	   /* a fixed set parked where nothing can wake it any more */
	VERDICT_LEAKING,   /* rises, and its members never leave */
};

const char *verdict__name(enum verdict verdict); /* "leaking", "stuck", ... */

/*
 * verdict__is_suspect - its members may be leaked: there is a confidence, and objects are evidence.
 */
static inline bool verdict__is_suspect(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_ACTIVE:
	case VERDICT_IDLE:
		break;
	case VERDICT_GROWING:
	case VERDICT_SUSPECTED:
	case VERDICT_STUCK:
	case VERDICT_LEAKING:
		return true;
	}
	return false;
}

/* verdict__is_alarm - it is shown as found, unless an allow-list suppresses it. */
static inline bool verdict__is_alarm(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_ACTIVE:
	case VERDICT_IDLE:
	case VERDICT_GROWING:
	case VERDICT_SUSPECTED:
		break;
	case VERDICT_STUCK:
	case VERDICT_LEAKING:
		return true;
	}
	return false;
}

/* Upper bounds of what a view lists. */
#define SITE_MAX_WHY	 4
#define SITE_MAX_WEIGHTS 12
#define SITE_MAX_POINTS	 24
#define SITE_MAX_COHORTS 10

#define SITE_AGE_STEPS 8 /* 0, 10 s, 1 m, 5 m, 15 m, 1 h, 6 h, 1 d and more */

/* The number of members at one moment. */
struct site_point {
	uint64_t ago_ns;
	uint32_t goroutines, arrivals, departures; /* the latter two since the point before */
};

/* Of those created by the site's go statement between two times, how many still exist. */
struct site_cohort {
	uint64_t from_ago_ns, to_ago_ns;
	uint64_t created, alive;
};

/* One item of evidence and what it weighs for (or against) a leak. */
struct site_weight {
	double decibans;
	const char *text;
};

struct site_evidence {
	uint64_t observed_ns; /* since the site was first seen, or the watch began */
	uint64_t arrivals, departures;
	uint64_t stay_ns;      /* what staying means here; 0: nothing to say */
	uint64_t stayed, left; /* that long or longer */
	uint64_t ages[SITE_AGE_STEPS];
	const struct site_point *points; /* oldest first */
	size_t n_points;
	const struct site_cohort *cohorts; /* oldest first */
	size_t n_cohorts;
	const struct site_weight *weights; /* heaviest first */
	size_t n_weights;
};

/* tracker__age_step_ns - least age of step @step of site_evidence.park_ages. */
uint64_t tracker__age_step_ns(size_t step);

/* How it is known that members wait for what nothing leads to any more. */
enum proof_level {
	PROOF_NONE,
	PROOF_CONFIRMED, /* several scans of the running process agree, and nothing moved in between */
	PROOF_PROVEN,	 /* one consistent picture of the process shows it */
};

/* What else leads to what members wait on, where something does. */
enum proof_holder {
	HOLDER_NOT_KNOWN,
	HOLDER_VARIABLE,  /* a variable of the program */
	HOLDER_FINALIZER, /* something with a finalizer, cleanup or weak pointer */
	HOLDER_RUNTIME,	  /* the runtime: a timer, a cache */
	HOLDER_GOROUTINE, /* the stack of a goroutine that can go on */
};

const char *proof_level__name(enum proof_level level);	  /* "confirmed", "proven"; "" for none */
const char *proof_holder__text(enum proof_holder holder); /* "a variable of the program", ... */

struct site_proof {
	enum proof_level level;
	enum proof_holder holder; /* of most of those that something leads to */
	const char *path;    /* the way to what those wait on; NULL: not known. Of the target */
	uint32_t goroutines; /* members of which it is known; 0: of none */
	uint64_t heap_bytes, stack_bytes; /* that would be free without them */
	uint64_t objects;		  /* of the heap, likewise */
};

/* site_proof__reachable_by - by what those are reached that something leads to; NULL: not known. */
static inline const char *site_proof__reachable_by(const struct site_proof *proof)
{
	return proof->holder && proof->path ? proof->path : proof_holder__text(proof->holder);
}

/* A site as the report needs it. */
struct site_view {
	uint32_t index; /* stable while the tracker lives */
	uint64_t creation_pc, start_pc, place;
	uint64_t call_pc;    /* the call that led to most members' go statement; 0: not known ... */
	uint32_t called;     /* ... to that of so many at least ... */
	uint32_t call_known; /* ... of those of which it is known */
	bool apart;	     /* the site is for those that came by that call alone */
	uint32_t stack_id;
	uint8_t wait_reason;
	enum wait_class wait_class;
	enum site_nature nature;
	bool system; /* the runtime's own */
	bool other;  /* collects what did not fit the limits */
	uint64_t goroutines, parked, created, exited;
	uint64_t running;	 /* members that have not parked for min_age or longer */
	bool in_syscall;	 /* that is where its members are, or in C */
	uint64_t oldest_park_ns; /* longest time a member has been parked without a break */
	uint64_t oldest_age_ns;	 /* longest known lifetime of a member */
	/*
	 * That goroutines have been parked here, in sum: since the first census, by censuses; or since
	 * tracker__waits_since(), each from its park to its wake.
	 */
	uint64_t waited_ns;
	uint64_t parks; /* how often, where that is traced; of waits those that have ended */
	double growth_per_minute;
	enum verdict verdict;
	double confidence; /* that members of a suspect are leaked, 0 to 0.99 */
	uint32_t bundle; /* the same for all sites whose members were created together; 0: alone */
	uint64_t due_ns; /* until a verdict on it if it goes on so; 0: not to be told */
	const char *const *why; /* evidence in numbers, most telling first */
	size_t n_why;
	struct site_evidence evidence;
	struct site_proof proof;
};

/* site_view__call - that led to most of those members of which it is known; 0: to no such many. */
static inline uint64_t site_view__call(const struct site_view *view)
{
	return (uint64_t)view->called * 2 > view->call_known ? view->call_pc : 0;
}

#endif /* GLEAKD_TRACK_SITE_VIEW_H */
