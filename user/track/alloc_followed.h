/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_ALLOC_FOLLOWED_H
#define GLEAKD_TRACK_ALLOC_FOLLOWED_H

/*
 * Objects of allocations that probes have seen, to be followed from collection to collection, where the runtime
 * keeps no samples of its own.
 *
 * A hit comes before its object is there. But a processor gives out the objects of a span one after the other,
 * and mspan.freeindex is behind the last one: so where the next hit of the same class and processor finds it,
 * the object of the one before lies (src/runtime/malloc.go nextFreeFast). Where only some hits are drawn, a
 * record tells what the hit after a drawn one has found. A large object's span is told by a record of
 * its own.
 *
 * Of more than there is room for a part is kept, by chance and by size as the runtime samples: each
 * with 1 - exp(-bytes / rate). The rate doubles when it has to.
 *
 * Pure: it is told everything. Bounded.
 */
#include "track/alloc_flow.h"

/* Where a hit found the allocator. */
struct followed_place {
	uint64_t mcache;     /* 0: nothing is known */
	uint64_t span, base; /* 0 of large objects */
	uint32_t sweepgen;   /* of the span */
	uint16_t free_index;
	uint8_t span_class; /* less than 2: large */
};

struct followed_hit {
	uint32_t entry; /* of the flow; or ALLOC_NO_ENTRY */
	double weight;	/* as in struct alloc_hit */
	uint64_t time_ns;
	bool drawn; /* others were not, so the next hit that is told is not the next */
};

/* The last hit of a class on a processor: its object is not known yet. */
struct followed_wait {
	struct followed_place place; /* where it found the allocator */
	uint32_t entry;
	double weight;
	uint64_t time_ns;
	uint32_t hits; /* of this class and processor, this one included */
	bool valid;
};

enum followed_state {
	FOLLOWED_ALIVE, /* as far as is known */
	FOLLOWED_DEAD,
	FOLLOWED_LOST, /* nothing is known of it any more */
};

struct followed_object {
	uint64_t address, mspan, base;
	uint32_t index, entry; /* in its span; of the flow */
	uint32_t sweepgen;     /* of the heap when it was last known to be there */
	uint32_t gaps;	       /* that there had been by then */
	uint64_t born;	       /* a number that rises */
	uint64_t born_ns;
	double weight;	  /* hits that it stands for, those included that were not drawn */
	float chance;	  /* of 0 to 1, not including */
	uint8_t survived; /* collections; 255: and more */
	uint8_t state;	  /* enum followed_state: set by whoever looks at it */
};

struct alloc_followed;

/* alloc_followed__new - @max objects at a time. @flow must outlive it. -ENOMEM. */
int alloc_followed__new(struct alloc_flow *flow, size_t max,
			struct alloc_followed **ret_followed) __must_check;
void alloc_followed__free(struct alloc_followed *followed);

void alloc_followed__hit(struct alloc_followed *followed, const struct followed_place *place,
			 const struct followed_hit *hit);
/* alloc_followed__found - @place: what the hit after a drawn one has found of its class. */
void alloc_followed__found(struct alloc_followed *followed, const struct followed_place *place);
/* alloc_followed__large - @place is the span of the large object that the last such hit was about. */
void alloc_followed__large(struct alloc_followed *followed, const struct followed_place *place);

/*
 * alloc_followed__waits - those whose object is not known; valid until the next call of another function.
 * alloc_followed__seen - @place is where the allocator is after the hit with number @hits of wait @i: nothing
 * happens when there was another since.
 */
const struct followed_wait *alloc_followed__waits(const struct alloc_followed *followed,
						  size_t *ret_n);
void alloc_followed__seen(struct alloc_followed *followed, size_t i, uint32_t hits,
			  const struct followed_place *place);

/* alloc_followed__gap - hits may be missing between the last and the next. @seeing: each from now on is seen. */
void alloc_followed__gap(struct alloc_followed *followed, bool seeing);

/* alloc_followed__objects - valid until the next call of another function. */
struct followed_object *alloc_followed__objects(struct alloc_followed *followed, size_t *ret_n);
/* alloc_followed__all_seen - whether one that came into its place since it was last known would have been seen. */
bool alloc_followed__all_seen(const struct alloc_followed *followed,
			      const struct followed_object *object);
/* alloc_followed__replace - those of which another was seen in their place are dead. Changes the order. */
void alloc_followed__replace(struct alloc_followed *followed);
/* alloc_followed__survived - it is alive after a collection, since which the heap's sweepgen is @sweepgen. */
void alloc_followed__survived(const struct alloc_followed *followed, struct followed_object *object,
			      uint32_t sweepgen);
/*
 * How long it was watched, and how far apart the windows are in which hits are seen; 0: all are. What dies sooner is
 * there right behind a window, and not right before the next: of those that are so young, the time that they
 * are in use for counts (Little's law), and not whether they are there at this moment.
 */
struct followed_time {
	uint64_t now_ns, watched_ns, apart_ns;
};

/* alloc_followed__drop - forgets those that are not alive; lost ones as if they had never been followed. */
void alloc_followed__drop(struct alloc_followed *followed, const struct followed_time *time);
/* alloc_followed__count - what of each entry is in use: the fields of it that say so. */
void alloc_followed__count(struct alloc_followed *followed, const struct followed_time *time);

/* alloc_followed__renumber - entries of the flow have other numbers now: as alloc_flow__fold() has it. */
void alloc_followed__renumber(struct alloc_followed *followed, const uint32_t *map);

/* alloc_followed__thinned - how often some had to be forgotten for room. */
unsigned int alloc_followed__thinned(const struct alloc_followed *followed);

#endif /* GLEAKD_TRACK_ALLOC_FOLLOWED_H */
