/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_ALLOCS_ALLOC_FOLLOW_H
#define GLEAKD_SESSION_ALLOCS_ALLOC_FOLLOW_H

/*
 * What becomes of the objects that probes on each allocation have seen: after each collection it is looked which of
 * them it has left, and from look to look how many stay of each kind.
 */
#include "heap/runtime/runtime.h"
#include "probe/alloc_abi.h"
#include "track/alloc_followed.h"
#include "track/alloc_history.h"

struct alloc_follow;

struct alloc_follow_options {
	uint64_t period_ns;	/* from look to look, at least; 0: as of alloc_history */
	uint64_t min_window_ns; /* as in struct alloc_evidence */
};

/* alloc_follow__new - @runtime and @flow must outlive it. -ENOMEM. */
int alloc_follow__new(const struct heap_runtime *runtime, struct alloc_flow *flow,
		      const struct alloc_follow_options *options,
		      struct alloc_follow **ret_follow) __must_check;
void alloc_follow__free(struct alloc_follow *follow);

/* alloc_follow__record - @hit: of a call; what else there is tells where objects are. */
void alloc_follow__record(struct alloc_follow *follow, const struct gl_alloc *record,
			  const struct followed_hit *hit);
/*
 * alloc_follow__peek - see where the allocator is, now and then, or at once with @now; alloc_follow__found, when all
 * records from before that have been told, takes that for where the last object of each class is.
 */
void alloc_follow__peek(struct alloc_follow *follow, bool now);
void alloc_follow__found(struct alloc_follow *follow);
/* alloc_follow__gap - as alloc_followed__gap(). */
void alloc_follow__gap(struct alloc_follow *follow, bool seeing);

/* alloc_follow__tick - whether a collection has ended since, and what it has left. To be called often. */
void alloc_follow__tick(struct alloc_follow *follow, const struct followed_time *time);

/* alloc_follow__renumber - as alloc_followed__renumber(). */
void alloc_follow__renumber(struct alloc_follow *follow, const uint32_t *map);

/* alloc_follow__look - what is there now becomes a look of the history, where it is time for one. */
void alloc_follow__look(struct alloc_follow *follow, const struct followed_time *time);

/* What is known of them, from the last look. */
struct followed_past {
	const struct alloc_history *history; /* buckets: alloc_follow__bucket() */
	uint64_t min_window_ns;
	/* At each look of the history: what collections left of the whole heap; 0: not known. */
	double heap_bytes[ALLOC_LOOKS];
};

/* alloc_follow__objects - those that are followed, by their buckets, for the caller to free. NULL: no memory. */
struct alloc_object *alloc_follow__objects(const struct alloc_follow *follow, size_t *ret_n);

/* Where one was allocated, and what it takes of the heap; 0 bytes: it shares its block with others. */
struct followed_kind {
	uint64_t address, bytes;
	uint32_t stack;
};

/* alloc_follow__kinds - the same, with that. */
struct followed_kind *alloc_follow__kinds(const struct alloc_follow *follow, size_t *ret_n);

void alloc_follow__past(const struct alloc_follow *follow, struct followed_past *ret_past);

/* alloc_follow__bucket - objects that are alike, of one stack. */
static inline uint64_t alloc_follow__bucket(const struct alloc_flow_entry *entry)
{
	return (uint64_t)entry->stack << 8 | entry->size_class;
}

static inline uint32_t alloc_follow__stack(uint64_t bucket)
{
	return (uint32_t)(bucket >> 8);
}

#endif /* GLEAKD_SESSION_ALLOCS_ALLOC_FOLLOW_H */
