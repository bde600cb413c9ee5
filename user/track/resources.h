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

enum resource_verdict {
	RESOURCE_NOT_JUDGED, /* too few looks */
	RESOURCE_STEADY,
	RESOURCE_GROWING,
};

const char *resource_verdict__name(enum resource_verdict verdict); /* "growing"; "" not judged */
enum resource_verdict resource_verdict__find(const char *name);

#define RESOURCE_EXAMPLES 3
#define RESOURCE_MAX_WHY  2
#define RESOURCE_HOLDERS  3

struct resource_place {
	enum resource_kind kind;
	/* The place it was found at first, and others where the same resources are found now and then. */
	uint16_t nodes[RESOURCE_HOLDERS];
	size_t n_nodes;
	uint32_t joined; /* with another place: its number; its own: with none */
	bool held;
	uint64_t function; /* of timers */
	uint64_t outstanding;
	uint64_t opened,
		closed;	    /* since the first look; closed: two looks have not found it any more */
	uint64_t first;	    /* outstanding then */
	double per_minute;  /* outstanding, from the first look to the last */
	uint64_t oldest_ns; /* for how long one has been seen at least */
	enum resource_verdict verdict;
	/* The last that were seen here, as numbers in what was taken last. */
	size_t n_examples;
	size_t examples[RESOURCE_EXAMPLES];
	/* Of those that are outstanding, how many had been seen by each of the looks that are kept. */
	uint64_t counts[RESOURCE_MAX_LOOKS];
};

/* The same for people to read. Texts are owned by whoever made the line; none is NULL. */
struct resource_line {
	struct resource_place place;
	char *held_by[RESOURCE_HOLDERS];   /* main.pool.conns[…] */
	size_t n_held_by;		   /* 0: nothing, or it is not known */
	char *calls;			   /* what a timer calls; "" */
	char *examples[RESOURCE_EXAMPLES]; /* place.n_examples of them */
	char *why[RESOURCE_MAX_WHY];	   /* evidence in words */
	size_t n_why;
};

struct resource_lines {
	struct resource_line *all;
	size_t n;
	size_t left_out; /* places beyond RESOURCE_MAX_LINES */
	size_t looks;
	uint64_t elapsed_ns; /* from the first look to the last */
	uint64_t refused;    /* resources that could not be read, or were too many */
};

#define RESOURCE_MAX_LINES 1000

struct resource_tracker;

/* resource_tracker__new - -ENOMEM. */
int resource_tracker__new(struct resource_tracker **ret_tracker) __must_check;
void resource_tracker__free(struct resource_tracker *tracker);

/* resource_tracker__take - all there were in a look at monotonic @now_ns. -ENOMEM. */
int resource_tracker__take(struct resource_tracker *tracker, const struct heap_resource *resources,
			   size_t n, uint64_t now_ns) __must_check;

/*
 * resource_tracker__places - those where something is open, or was: what grows first, then by how many are
 * open. Valid until the next look.
 */
const struct resource_place *resource_tracker__places(struct resource_tracker *tracker,
						      size_t *ret_n);

size_t resource_tracker__looks(const struct resource_tracker *tracker);
uint64_t resource_tracker__elapsed_ns(const struct resource_tracker *tracker);

#endif /* GLEAKD_TRACK_RESOURCES_H */
