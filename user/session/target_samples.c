// SPDX-License-Identifier: Apache-2.0
#include "session/target_samples.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "heap/view/counters.h"
#include "session/target_heap.h"
#include "session/target_internal.h"

#define SLICE_NS    (20 * NSEC_PER_MSEC)
#define MAX_OBJECTS ((size_t)4 << 20) /* whose history is kept */

static int find_globals(struct target *target, struct profile_globals *globals,
			struct failure *failure)
{
	int err = profile_globals__find(target->executable->binary, target->remote,
					target->load_bias, globals);

	return err ? failure__set(failure, err,
				  "the functions of its memory profiler cannot be looked for") :
		     0;
}

static int read_all(struct heap_samples *samples, const struct target_view_options *options,
		    struct failure *failure)
{
	int more;

	do {
		more = heap_samples__step(samples, SLICE_NS, failure);
		if (more == 1 && options->interrupted && options->interrupted(options->ctx))
			return failure__set(failure, -EINTR, "interrupted");
	} while (more == 1);
	return more;
}

static int read_once(struct target *target, const struct target_view_options *options,
		     struct heap_samples **ret_samples, struct failure *failure)
{
	const struct heap_samples_options limits = {
		.max_heap_bytes = options->max_memory * HEAP_SCAN_PER_MEMORY,
	};
	const struct heap_runtime *runtime;
	struct profile_globals globals;
	struct heap_samples *samples;
	int err = target_heap__runtime(target, &runtime, failure);

	if (!err)
		err = find_globals(target, &globals, failure);
	if (err)
		return err;
	if (heap_samples__new(runtime, &globals, &limits, &samples))
		return failure__set(failure, -ENOMEM, "out of memory");
	err = read_all(samples, options, failure);
	if (err)
		heap_samples__free(samples);
	else
		*ret_samples = samples;
	return err;
}

static void tell(const struct target *target, const struct heap_samples *samples)
{
	const struct heap_samples_totals *totals = heap_samples__totals(samples);

	log_debug("memory samples of process %d: %llu objects, %llu not swept yet, %llu uncertain, "
		  "%llu refused; %llu buckets, %llu unsteady, %llu unreadable, %llu invalid, %llu "
		  "refused",
		  target__pid(target), (unsigned long long)totals->live,
		  (unsigned long long)totals->dead, (unsigned long long)totals->uncertain,
		  (unsigned long long)totals->refused, (unsigned long long)totals->buckets.read,
		  (unsigned long long)totals->buckets.unsteady,
		  (unsigned long long)totals->buckets.unreadable,
		  (unsigned long long)totals->buckets.invalid,
		  (unsigned long long)totals->buckets.refused);
}

/* Without the number of collections nothing is known of what survives them. */
static void note_history(struct target *target, const struct heap_samples *samples)
{
	struct target_samples *kept = target->samples;
	const struct heap_sample_object *live;
	const struct heap_runtime *runtime;
	struct alloc_object *objects;
	struct heap_counters counters;
	struct failure failure;
	size_t n;
	int err;

	if (target_heap__runtime(target, &runtime, &failure) ||
	    heap_counters__read(runtime, &counters))
		return;
	if (!kept->history && alloc_history__new(MAX_OBJECTS, &kept->history))
		return;
	live = heap_samples__objects(samples, &n);
	objects = calloc(n + 1, sizeof(*objects));
	if (!objects)
		return;
	for (size_t i = 0; i < n; i++)
		objects[i] = (struct alloc_object){live[i].address, live[i].bucket};
	err = alloc_history__take(kept->history, heap_samples__totals(samples)->finished_ns,
				  counters.gc_cycles, objects, n);
	free(objects);
	log_debug("memory samples of process %d: %s after %u collections (%d)", target__pid(target),
		  err == 1 ? "what stayed is known" : "nothing is known of it", counters.gc_cycles,
		  err);
}

static void forget_places(struct target_samples *kept)
{
	free(kept->places);
	kept->places = NULL;
	kept->n_places = 0;
}

static void keep(struct target_samples *kept, struct heap_samples *samples)
{
	if (!kept->first)
		kept->first = samples;
	else if (kept->last != kept->first)
		heap_samples__free(kept->last);
	kept->last = samples;
	forget_places(kept);
	kept->missing.text[0] = '\0';
}

int target_samples__take(struct target *target, const struct target_view_options *options,
			 struct failure *failure)
{
	struct heap_samples *samples = NULL;
	int err;

	if (!target->samples)
		target->samples = calloc(1, sizeof(*target->samples));
	if (!target->samples)
		return failure__set(failure, -ENOMEM, "out of memory");
	err = read_once(target, options, &samples, failure);
	if (err == -EINTR || err == -ESRCH || err == -ENOMEM)
		return err;
	if (err) {
		target->samples->missing = *failure;
		failure->text[0] = '\0';
		return 0;
	}
	keep(target->samples, samples);
	note_history(target, samples);
	tell(target, samples);
	return 0;
}

/* --- where they hang ---------------------------------------------------------------------------- */

static int by_bucket(const void *a, const void *b)
{
	const struct sample_place *x = a, *y = b;

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

void target_samples__locate(struct target *target, const struct heap_spans *spans,
			    const struct heap_paths *paths)
{
	struct target_samples *kept = target->samples;
	const struct heap_sample_object *live;
	struct sample_place *places;
	size_t n, kinds = 0, found = 0;

	if (!kept || !kept->last)
		return;
	forget_places(kept);
	live = heap_samples__objects(kept->last, &n);
	places = calloc(n + 1, sizeof(*places));
	if (!places)
		return;
	for (size_t i = 0; i < n; i++) {
		uint16_t node = node_of(spans, paths, live[i].address);

		if (node != PATH_NONE)
			places[found++] = (struct sample_place){live[i].bucket, node, 1};
	}
	qsort(places, found, sizeof(*places), by_bucket);
	for (size_t i = 0; i < found; i++) {
		if (kinds && !by_bucket(&places[kinds - 1], &places[i]))
			places[kinds - 1].samples++;
		else
			places[kinds++] = places[i];
	}
	kept->places = places;
	kept->n_places = kinds;
}

const struct target_samples *target_samples__get(const struct target *target)
{
	return target->samples;
}

void target_samples__close(struct target *target)
{
	struct target_samples *kept = target->samples;

	if (!kept)
		return;
	if (kept->last != kept->first)
		heap_samples__free(kept->last);
	heap_samples__free(kept->first);
	alloc_history__free(kept->history);
	free(kept->places);
	free(kept);
	target->samples = NULL;
}
