/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_RESOURCES_H
#define GLEAKD_TRACK_RESOURCES_H

/*
 * What became of the resources that were seen to be open, from look to look, by the place that they are held
 * at: how many came, how many went, and whether they only ever come. A place where as many are closed as are
 * opened, a pool at its limit, and one that was filled at the beginning do not grow.
 *
 * Pure: looks are given with their time.
 */
#include "heap/resources/resources.h"

#define RESOURCE_MAX_LOOKS	 64 /* per place that are kept; of a longer series every other one goes */
#define RESOURCE_MIN_LOOKS	 5 /* before one is said to grow */
#define RESOURCE_MIN_RISE	 5.0
#define RESOURCE_MIN_STEP	 0.4 /* of the mean step: each is that large at least */
#define RESOURCE_MAX_CLOSED_PART 10  /* growing: not more than one in so many opened was closed */
#define RESOURCE_MAX_PLACES	 65536
#define RESOURCE_SHORT_TIMER_NS \
	(600 * NSEC_PER_SEC) /* one that is due by then goes by itself, and soon */
#define RESOURCE_PER_CLIENT \
	2 /* at one place: as many are clients' own, for each that came and is still connected */

enum resource_verdict {
	RESOURCE_NOT_JUDGED, /* too few looks */
	RESOURCE_STEADY,
	RESOURCE_GROWING,
	RESOURCE_REUSE_LOST, /* a sync.Pool that is given back next to nothing (track/pools.h) */
};

const char *resource_verdict__name(enum resource_verdict verdict); /* "growing"; "" not judged */
enum resource_verdict resource_verdict__find(const char *name);

/* Who opens most of what is at a place is known: of so many, or of half of what came. */
#define RESOURCE_KNOWN_OPENERS 16

#define RESOURCE_OPENERS \
	4 /* of a place that are told apart: the first that were seen, and all others */
#define RESOURCE_EXAMPLES 3
#define RESOURCE_MAX_WHY  3
#define RESOURCE_HOLDERS  3

/* Of what is at a place what one has opened; what was opened when nobody watched is in none of these. */
struct resource_opener {
	uint32_t number; /* as in struct heap_resource; 0: the others */
	uint64_t outstanding, opened, closed;
	double per_minute; /* while that was watched; of a shorter time its part of the place's */
	uint64_t oldest_ns;
	enum resource_verdict verdict;
};

struct resource_place {
	enum resource_kind kind;
	/* The place it was found at first, and others where the same resources are found now and then. */
	uint16_t nodes[RESOURCE_HOLDERS];
	size_t n_nodes;
	uint32_t joined; /* with another place: its number; its own: with none */
	bool held;
	uint64_t function; /* of timers and deferred calls */
	uint64_t outstanding;
	uint64_t served;  /* of these, connections of clients that have not gone */
	uint64_t left_ns; /* of timers, until the last of them is due */
	bool too_soon;	  /* would grow, but none of them has had the time to fire */
	/* what would grow comes with so many that came meanwhile; 0: it does not */
	uint64_t clients;
	/* since the first look; closed: two looks have not found it any more */
	uint64_t opened, closed;
	uint64_t first;	    /* outstanding then */
	double per_minute;  /* outstanding, from the first look to the last */
	uint64_t oldest_ns; /* for how long one has been seen at least */
	enum resource_verdict verdict;
	size_t n_openers;
	struct resource_opener openers[RESOURCE_OPENERS]; /* as shown: the most outstanding first */
	/* The last that were seen here, as numbers in what was taken last. */
	size_t n_examples;
	size_t examples[RESOURCE_EXAMPLES];
	uint64_t missing; /* of those of the look before, what this one has not found */
	uint64_t blind; /* looks, by bits, that have passed by most: what held it moved meanwhile */
	/* Of those that are outstanding and not served, how many had been seen by each of the looks that are kept. */
	uint64_t counts[RESOURCE_MAX_LOOKS];
};

struct report_frame;

/* A line that opens them, and how it gets there: in a report, innermost first. */
struct resource_opened_at {
	const struct report_frame *at; /* NULL: the others */
	const struct report_frame *stack;
	size_t n_stack;
};

/*
 * The same for people to read. Texts are owned by whoever made the line; none is NULL. Frames are not.
 */
struct resource_line {
	struct resource_place place;
	char *held_by[RESOURCE_HOLDERS];   /* main.pool.conns[…] */
	size_t n_held_by;		   /* 0: nothing, or it is not known */
	char *calls;			   /* what a timer calls; "" */
	char *examples[RESOURCE_EXAMPLES]; /* place.n_examples of them */
	char *why[RESOURCE_MAX_WHY];	   /* evidence in words */
	size_t n_why;
	struct resource_opened_at opened_at[RESOURCE_OPENERS]; /* of each of place.openers */
};

/* What was watched to know who opens things. */
struct resource_openings {
	uint64_t windows, seen, lost; /* windows 0: it was not asked for so far */
	uint64_t cost_ns;	      /* of the target's CPU time */
	/* The same of how pools are used. */
	uint64_t pool_windows, pool_seen, pool_lost, pool_cost_ns;
	const char *missing; /* why nothing is seen; "" */
};

struct resource_lines {
	struct resource_line *all;
	size_t n, capacity;
	size_t left_out; /* places beyond RESOURCE_MAX_LINES */
	size_t looks;
	uint64_t elapsed_ns; /* from the first look to the last */
	uint64_t refused;    /* resources that could not be read, or were too many */
	bool watched;	     /* who opens them */
	struct resource_openings openings;
};

#define RESOURCE_MAX_LINES 1000

struct resource_tracker;

/* resource_tracker__new - -ENOMEM. */
int resource_tracker__new(struct resource_tracker **ret_tracker) __must_check;
void resource_tracker__free(struct resource_tracker *tracker);

/*
 * resource_tracker__set_watched - for how long who opens things was watched, all in all, at the
 * time of the look that is taken next.
 */
void resource_tracker__set_watched(struct resource_tracker *tracker, uint64_t watched_ns);

/* resource_tracker__take - all there were in a look at monotonic @now_ns. -ENOMEM. */
int resource_tracker__take(struct resource_tracker *tracker, const struct heap_resource *resources,
			   size_t n, uint64_t now_ns) __must_check;

/*
 * resource_tracker__places - those where something is open, or was: what grows first, then by how many are
 * open. Valid until the next look.
 */
const struct resource_place *resource_tracker__places(struct resource_tracker *tracker,
						      size_t *ret_n);

/* resource_tracker__knows - whether the last look has found @resource. */
bool resource_tracker__knows(const struct resource_tracker *tracker,
			     const struct heap_resource *resource);

/*
 * resource_tracker__wants_openers - whether something has come to stay, and it is not known yet who opens most of
 * it.
 */
bool resource_tracker__wants_openers(const struct resource_tracker *tracker);

size_t resource_tracker__looks(const struct resource_tracker *tracker);
uint64_t resource_tracker__elapsed_ns(const struct resource_tracker *tracker);

#endif /* GLEAKD_TRACK_RESOURCES_H */
