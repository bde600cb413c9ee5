/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_HEAP_TARGET_PLACES_H
#define GLEAKD_SESSION_HEAP_TARGET_PLACES_H

/*
 * Where in the heap those objects hang of which it is known where they were allocated: the runtime's samples, and
 * what probes have seen and is followed. A scan of the heap finds it out.
 */
#include "heap/paths/paths.h"
#include "heap/spans/spans.h"
#include "session/target.h"
#include "track/alloc_history.h"

/* How many objects of a bucket stand at one node of the path tree of the heap. */
struct object_place {
	uint64_t bucket;
	uint16_t node;
	uint32_t objects;
};

/* By bucket; all zero: not known. */
struct object_places {
	struct object_place *all;
	size_t n;
};

void object_places__forget(struct object_places *places);
/* object_places__first - the first of @bucket; places->n: there is none. */
size_t object_places__first(const struct object_places *places, uint64_t bucket);

/*
 * target_places__locate - by a scan whose spans are @spans and whose objects @paths has counted. Without memory
 * nothing is known of it.
 */
void target_places__locate(struct target *target, const struct heap_spans *spans,
			   const struct heap_paths *paths);

/*
 * target_places__know - tell @paths of what type those are that probes have seen, by the stacks that allocated them.
 * Without memory, or without any, nothing more is known.
 */
void target_places__know(const struct target *target, struct heap_paths *paths);

/*
 * target_places__want - ask for a scan that finds out where they hang, though not again and again; _are_wanted:
 * whether one is still to come; _take_request: likewise, and it comes now.
 */
void target_places__want(struct target *target, uint64_t now_ns);
bool target_places__are_wanted(const struct target *target);
bool target_places__take_request(struct target *target);

/*
 * target_places__told - the report has named what @places has, which is not needed any more; nor are the names of
 * what is in the heap.
 */
void target_places__told(struct target *target, struct object_places *places);

#endif /* GLEAKD_SESSION_HEAP_TARGET_PLACES_H */
