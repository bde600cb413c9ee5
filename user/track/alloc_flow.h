/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_ALLOC_FLOW_H
#define GLEAKD_TRACK_ALLOC_FLOW_H

/*
 * Allocations as probes tell of them, added up by who allocated what where. A hit stands for one
 * allocation of a sample (it is weighed by its size, as the runtime's profile is), or of a window of time
 * (it is weighed by what the runtime counted meanwhile: track/alloc_weights.h).
 *
 * Pure: it is told everything, and reads no clock. Bounded: what has no room is counted.
 */
#include "base/common.h"

/* Where figures come from, the cheapest first. */
enum alloc_source {
	ALLOC_SOURCE_NONE,
	ALLOC_SOURCE_SAMPLES,	  /* the runtime's own samples, read from its memory */
	ALLOC_SOURCE_SAMPLE_HITS, /* a probe where it takes a sample */
	ALLOC_SOURCE_WINDOWS,	  /* probes on each allocation, for windows of time */
	ALLOC_SOURCE_ALL,	  /* and all the time */
};

/* alloc_source__name - "runtime_samples", ...; "" for none. */
const char *alloc_source__name(enum alloc_source source);

/* The first two numbers of labels. */
#define ALLOC_LABELS_NONE    0u /* the goroutine had none */
#define ALLOC_LABELS_UNKNOWN 1u /* they were gone before they could be read */

/* What is known of a target's allocations since watching began. */
struct alloc_weights;

struct alloc_figures {
	const struct alloc_weights *weights;
	enum alloc_source source;
	bool again;	      /* a watch that goes on, and judges */
	uint64_t rate;	      /* of ALLOC_SOURCE_SAMPLE_HITS: bytes from one to the next */
	uint64_t watched_ns;  /* since the beginning */
	uint64_t attached_ns; /* of that with probes */
	uint64_t windows;
	uint64_t hits, lost, refused;
	uint64_t unseen_bytes; /* allocated since then, of sizes of which no hit has told */
	uint64_t cost_ns;      /* of the target's CPU time: hits by what one costs */
	const char *missing;   /* why nothing is known; "" */
	const char *ended;     /* why nothing more is seen, although the figures are right; "" */
};

struct alloc_hit {
	uint64_t goid; /* 0: the runtime's own */
	uint64_t creation_pc, start_pc;
	uint64_t type; /* 0: bytes, or not known */
	uint64_t
		bytes; /* what it takes of the heap: its size class, of a tiny one its part of a block */
	uint8_t size_class; /* 0: a large object */
	bool tiny;
	double weight;		/* so many hits are told by this one: 1, unless it was drawn */
	uint64_t object;	/* 0: not known */
	uint32_t stack, labels; /* numbers of the caller's */
};

/* So many samples of the whole time periods are dealt out to, to see how far off one may be. */
#define ALLOC_WINDOW_GROUPS 16

/* All hits that are the same but for their object. */
struct alloc_flow_entry {
	uint64_t type, bytes;
	uint8_t size_class;
	bool tiny;
	uint32_t stack, labels;
	uint32_t goroutine; /* in alloc_flow__goroutines() */
	uint32_t live;	    /* of its objects, by the last alloc_flow__live() */
	double live_weight; /* by alloc_followed__count(): how many of those that are followed are in use */
	double live_squares; /* sum of the squares of what each stands for in that */
	double old_weight;   /* and of these, those that the `live` ones stand for */
	double young,
		young_squares; /* ns that those that died were in use for, as far as they were young */
	double followed;       /* hits whose objects are known, by weight; of these: */
	double lost;	       /* nobody knows what became of them */
	uint64_t hits;	       /* that were told */
	double window_hits;    /* all, since the last alloc_weights__settle() */
	double window_squares; /* of the weights of those that were told */
	double told;	       /* allocated, by all periods that are settled */
	double shared; /* and by those that share what was counted, as far as windows tell */
	double objects; /* by both, and in the time that these stand for beside it: alloc_weights__extend() */
	float of_group[ALLOC_WINDOW_GROUPS]; /* of `told` and `shared`: track/alloc_errors.h */
	double variance;		     /* of chance within these periods */
	/* Of `told`, beside who does little else than allocate of the class: by others, and by those. */
	double paced[2];
};

struct alloc_flow_goroutine {
	uint64_t goid, creation_pc, start_pc;
	double window_hits; /* as above */
};

struct alloc_flow_limits {
	size_t entries, goroutines, objects; /* 0: a million of each */
};

struct alloc_flow;

int alloc_flow__new(const struct alloc_flow_limits *limits,
		    struct alloc_flow **ret_flow) __must_check;
void alloc_flow__free(struct alloc_flow *flow);

/* alloc_flow__take - one hit. Returns its entry; what has no room is counted as refused: ALLOC_NO_ENTRY. */
#define ALLOC_NO_ENTRY UINT32_MAX
uint32_t alloc_flow__take(struct alloc_flow *flow, const struct alloc_hit *hit);

/*
 * alloc_flow__live - begin to say which objects are alive: none so far. _is_alive: the one at @address,
 * if a hit has told of it; the last hit at an address is the one that counts.
 */
void alloc_flow__live(struct alloc_flow *flow);
void alloc_flow__is_alive(struct alloc_flow *flow, uint64_t address);

/*
 * alloc_flow__fold - when all hits are settled: who allocated is forgotten, so that entries are as many as there are
 * kinds of allocations, however many goroutines come and go. *@ret_map, owned by the caller, has the new number of
 * each entry that there was. -ENOMEM; then nothing has changed.
 */
int alloc_flow__fold(struct alloc_flow *flow, uint32_t **ret_map) __must_check;

/* alloc_flow__entries - in no order; valid until the next hit. */
struct alloc_flow_entry *alloc_flow__entries(struct alloc_flow *flow, size_t *ret_n);
struct alloc_flow_goroutine *alloc_flow__goroutines(struct alloc_flow *flow, size_t *ret_n);

uint64_t alloc_flow__hits(const struct alloc_flow *flow);
uint64_t alloc_flow__refused(const struct alloc_flow *flow);

#endif /* GLEAKD_TRACK_ALLOC_FLOW_H */
