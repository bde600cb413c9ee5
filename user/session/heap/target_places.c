// SPDX-License-Identifier: Apache-2.0
#include "session/heap/target_places.h"

#include <stdlib.h>

#include "base/bisect.h"
#include "base/log.h"
#include "session/allocs/alloc_types.h"
#include "session/allocs/allocs_private.h"
#include "session/allocs/target_samples.h"
#include "session/heap/target_view.h"
#include "session/target_internal.h"

/* A scan that did not find out where they hang is not made again at once. */
#define RETRY_NS (600 * NSEC_PER_SEC)

void object_places__forget(struct object_places *places)
{
	free(places->all);
	*places = (struct object_places){0};
}

size_t object_places__first(const struct object_places *places, uint64_t bucket)
{
	size_t low = bisect(places->n, i, places->all[i].bucket < bucket);

	return low < places->n && places->all[low].bucket == bucket ? low : places->n;
}

/* --- a scan -------------------------------------------------------------------------------------- */

static int by_bucket(const void *a, const void *b)
{
	const struct object_place *x = a, *y = b;

	if (x->bucket != y->bucket)
		return (x->bucket > y->bucket) - (x->bucket < y->bucket);
	return (x->node > y->node) - (x->node < y->node);
}

static uint16_t node_of(const struct heap_spans *spans, const struct heap_paths *paths,
			uint64_t address)
{
	uint32_t number = heap_spans__find(spans, address);
	const struct heap_span *span;

	if (number == HEAP_NO_SPAN)
		return PATH_NONE;
	span = &spans->all[number];
	return heap_paths__at(paths,
			      (uint64_t)span->first_word * 64 + heap_span__index(span, address));
}

/* Those of @objects, which are given up. */
static void locate(struct object_places *places, struct alloc_object *objects, size_t n,
		   const struct heap_spans *spans, const struct heap_paths *paths)
{
	size_t kinds = 0, found = 0;

	object_places__forget(places);
	places->all = objects ? calloc(n + 1, sizeof(*places->all)) : NULL;
	for (size_t i = 0; places->all && i < n; i++) {
		uint16_t node = node_of(spans, paths, objects[i].address);

		if (node != PATH_NONE)
			places->all[found++] = (struct object_place){objects[i].bucket, node, 1};
	}
	if (found)
		qsort(places->all, found, sizeof(places->all[0]), by_bucket);
	for (size_t i = 0; i < found; i++) {
		if (kinds && !by_bucket(&places->all[kinds - 1], &places->all[i]))
			places->all[kinds - 1].objects++;
		else
			places->all[kinds++] = places->all[i];
	}
	places->n = kinds;
	free(objects);
}

void target_places__locate(struct target *target, const struct heap_spans *spans,
			   const struct heap_paths *paths)
{
	struct alloc_object *objects;
	size_t n;

	if (target->samples && target->samples->last) {
		objects = target_samples__objects(target, &n);
		locate(&target->samples->places, objects, n, spans, paths);
		target_samples__note_change(target);
	}
	if (target->allocs && target->allocs->follow) {
		objects = alloc_follow__objects(target->allocs->follow, &n);
		locate(&target->allocs->places, objects, n, spans, paths);
	}
}

/* --- of what type they are ----------------------------------------------------------------------- */

void target_places__know(const struct target *target, struct heap_paths *paths)
{
	const struct target_allocs *allocs = target->allocs;
	struct followed_kind *kinds;
	struct heap_known *known;
	size_t n, found = 0;

	if (!allocs || !allocs->follow)
		return;
	kinds = alloc_follow__kinds(allocs->follow, &n);
	known = calloc(n + 1, sizeof(*known));
	for (size_t i = 0; i < n && known && kinds; i++) {
		size_t depth;
		const uint64_t *pcs = stack_table__get(allocs->stacks, kinds[i].stack, &depth);
		struct heap_allocation what = {0};

		if (pcs && kinds[i].bytes)
			what = alloc_types__of(target, heap_paths__allocated(paths), pcs, depth,
					       kinds[i].bytes);
		if (what.as != HEAP_ALLOCATED_UNKNOWN)
			known[found++] = (struct heap_known){kinds[i].address, what};
	}
	if (known && kinds && !heap_paths__know(paths, known, found))
		log_debug("allocations of process %d: of %zu objects the types of %zu are known",
			  target__pid(target), n, found);
	free(kinds);
	free(known);
}

/* --- on request ---------------------------------------------------------------------------------- */

void target_places__want(struct target *target, uint64_t now_ns)
{
	if (target->places_asked_ns && now_ns - target->places_asked_ns < RETRY_NS)
		return;
	target->places_wanted = true;
	target->places_asked_ns = now_ns;
}

bool target_places__are_wanted(const struct target *target)
{
	bool any = (target->samples && target->samples->last) ||
		   (target->allocs && target->allocs->follow);

	return target->places_wanted && any;
}

bool target_places__take_request(struct target *target)
{
	bool wanted = target_places__are_wanted(target);

	if (wanted)
		target->places_wanted = false;
	return wanted;
}

void target_places__told(struct target *target, struct object_places *places)
{
	if (!places->all)
		return;
	object_places__forget(places);
	target_view__release(target);
}
