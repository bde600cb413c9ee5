/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_ALLOC_PLACES_H
#define GLEAKD_REPORT_ALLOC_PLACES_H

/*
 * Places that allocate, whatever tells of them: a place is the line that allocates together with the program's own
 * line that got it there (naming/site_frames.h).
 */
#include "naming/allow_list.h"
#include "naming/site_frames.h"
#include "output/report.h"

struct alloc_places {
	struct report_alloc_site *all;
	size_t n;
	/* For alloc_places.c. */
	uint64_t *keys;
	struct report_frame **stacks; /* owned, of each */
	size_t capacity, keys_capacity, stacks_capacity;
	struct index *by_place;
};

int alloc_places__init(struct alloc_places *places) __must_check;
void alloc_places__done(struct alloc_places *places);

/*
 * alloc_places__of - the number of the place of @frames, which is the next one where it is new. -ENOMEM,
 * -ENOSPC.
 */
int alloc_places__of(struct alloc_places *places, const struct site_frames *frames,
		     size_t *ret_i) __must_check;
/* alloc_places__keep_stack - that of @frames stands for the others from now on. -ENOMEM. */
int alloc_places__keep_stack(struct alloc_places *places, size_t i,
			     const struct site_frames *frames) __must_check;

/*
 * alloc_places__inherit - what was allocated since @before, @seconds ago (0: not known), and who
 * holds what grows, as it was when that was looked at last. -ENOMEM. alloc_places__lack_holders:
 * whether something grows of which it is not known who holds it.
 */
int alloc_places__inherit(struct alloc_places *places, const struct alloc_places *before,
			  double seconds) __must_check;
bool alloc_places__lack_holders(const struct alloc_places *places);

/* alloc_places__suppress - what grows and @allow knows (NULL: nothing) is not flagged, for the reason it has. */
void alloc_places__suppress(struct alloc_places *places, struct allow_list *allow);

/* alloc_places__tell_due - when what rises is growing if it goes on; monotonic @now_ns is @realtime_ns. */
void alloc_places__tell_due(struct alloc_places *places, uint64_t now_ns, uint64_t realtime_ns);

/*
 * alloc_places__sort - what is equal is in the same order in each report. With @growing_first those that grow
 * come before the others, the fastest first. Numbers of places mean nothing any more.
 */
void alloc_places__sort(struct alloc_places *places, enum report_alloc_order order,
			bool growing_first);

/* alloc_site__grows - that is its verdict. */
static inline bool alloc_site__grows(const struct report_alloc_site *site)
{
	return site->judgement.verdict == ALLOC_GROWING;
}

#endif /* GLEAKD_REPORT_ALLOC_PLACES_H */
