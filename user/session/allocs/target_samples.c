// SPDX-License-Identifier: Apache-2.0
#include "session/allocs/target_samples.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "heap/view/counters.h"
#include "session/heap/target_heap.h"
#include "session/target_internal.h"

#define SLICE_NS    (20 * NSEC_PER_MSEC)
#define MAX_OBJECTS ((size_t)4 << 20) /* whose history is kept */

static int open_samples(struct target *target, struct failure *failure)
{
	if (!target->samples)
		target->samples = calloc(1, sizeof(*target->samples));
	return target->samples ? 0 : failure__set(failure, -ENOMEM, "out of memory");
}

/* What is kept has become another. */
static void note_change(struct target_samples *kept)
{
	kept->changed_ns = max_of(clock__monotonic_ns(), kept->changed_ns + 1);
}

void target_samples__note_change(struct target *target)
{
	note_change(target->samples);
}

struct alloc_history *target_samples__history(struct target *target, bool make)
{
	const struct alloc_history_options options = {.max = MAX_OBJECTS};
	struct failure failure;

	if (!make || (target->samples && target->samples->history))
		return target->samples ? target->samples->history : NULL;
	if (open_samples(target, &failure) ||
	    alloc_history__new(&options, &target->samples->history))
		return NULL;
	return target->samples->history;
}

/* --- reading ------------------------------------------------------------------------------------ */

static int find_globals(struct target *target, struct profile_globals *globals,
			struct failure *failure)
{
	int err = profile_globals__find(target->executable->binary, target->remote,
					target->load_bias, globals);

	return err ? failure__set(failure, err,
				  "the functions of its memory profiler cannot be looked for") :
		     0;
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

struct alloc_object *target_samples__objects(const struct target *target, size_t *ret_n)
{
	const struct heap_sample_object *live = heap_samples__objects(target->samples->last, ret_n);
	struct alloc_object *objects = calloc(*ret_n + 1, sizeof(*objects));

	for (size_t i = 0; objects && i < *ret_n; i++)
		objects[i] = (struct alloc_object){live[i].address, live[i].bucket};
	return objects;
}

/* Without the number of collections nothing is known of what survives them. */
static void note_history(struct target *target, const struct heap_samples *samples)
{
	struct target_samples *kept = target->samples;
	const struct heap_runtime *runtime;
	struct alloc_object *objects;
	struct heap_counters counters;
	struct failure failure;
	size_t n;
	int err;

	if (!kept->history || target_heap__runtime(target, &runtime, &failure) ||
	    heap_counters__read(runtime, &counters))
		return;
	objects = target_samples__objects(target, &n);
	if (!objects)
		return;
	err = alloc_history__take(kept->history, heap_samples__totals(samples)->finished_ns,
				  counters.gc_cycles, objects, n);
	free(objects);
	log_debug("memory samples of process %d: %s after %u collections (%d)", target__pid(target),
		  err == 1 ? "what stayed is known" : "nothing is known of it", counters.gc_cycles,
		  err);
}

static void keep(struct target_samples *kept, struct heap_samples *samples)
{
	if (kept->last != kept->first)
		heap_samples__free(kept->last);
	if (kept->again) {
		heap_samples__free(kept->first);
		kept->first = NULL;
	}
	if (!kept->first)
		kept->first = samples;
	kept->last = samples;
	object_places__forget(&kept->places);
	kept->missing.text[0] = '\0';
}

/* Its history begins with its first reading, unless an earlier gleakd began it. */
static void make_history(struct target_samples *kept, const struct target_samples_options *options)
{
	const struct alloc_history_options history = {.max = MAX_OBJECTS,
						      .period_ns = options->period_ns};

	if (!kept->history && alloc_history__new(&history, &kept->history))
		log_debug("no memory for what becomes of memory samples");
}

/* Of a target that has none, or whose samples cannot be read, that is the result. */
static int give_up(struct target *target, int err, struct failure *failure)
{
	struct target_samples *kept = target->samples;

	heap_samples__free(kept->reading);
	kept->reading = NULL;
	if (err == -ESRCH || err == -ENOMEM)
		return err;
	kept->missing = *failure;
	failure->text[0] = '\0';
	note_change(kept);
	return 0;
}

int target_samples__start(struct target *target, const struct target_samples_options *options,
			  struct failure *failure)
{
	const struct heap_samples_options limits = {.max_heap_bytes = options->max_heap_bytes};
	const struct heap_runtime *runtime;
	struct profile_globals globals;
	struct target_samples *kept;
	int err = open_samples(target, failure);

	if (err)
		return err;
	kept = target->samples;
	kept->again = options->period_ns;
	kept->min_window_ns = options->min_window_ns;
	kept->cpu_ns = 0;
	make_history(kept, options);
	err = target_heap__runtime(target, &runtime, failure);
	if (!err)
		err = find_globals(target, &globals, failure);
	if (!err && heap_samples__new(runtime, &globals, &limits, &kept->reading))
		err = failure__set(failure, -ENOMEM, "out of memory");
	return err ? give_up(target, err, failure) : 0;
}

int target_samples__step(struct target *target, uint64_t budget_ns, struct failure *failure)
{
	struct target_samples *kept = target->samples;
	struct heap_samples *samples = kept ? kept->reading : NULL;
	uint64_t before_ns = clock__thread_cpu_ns();
	int err;

	if (!samples)
		return 0;
	err = heap_samples__step(samples, budget_ns, failure);
	if (!err) {
		kept->reading = NULL;
		keep(kept, samples);
		note_history(target, samples);
		note_change(kept);
		tell(target, samples);
	}
	kept->cpu_ns += clock__thread_cpu_ns() - before_ns;
	return err < 0 ? give_up(target, err, failure) : err;
}

int target_samples__take(struct target *target, const struct target_view_options *options,
			 struct failure *failure)
{
	const struct target_samples_options once = {
		.max_heap_bytes = options->max_memory * HEAP_SCAN_PER_MEMORY,
	};
	int more = target_samples__start(target, &once, failure);

	if (more)
		return more;
	do {
		more = target_samples__step(target, SLICE_NS, failure);
		if (more == 1 && options->interrupted && options->interrupted(options->ctx))
			return failure__set(failure, -EINTR, "interrupted");
	} while (more == 1);
	return more;
}

bool target_samples__is_reading(const struct target *target)
{
	return target->samples && target->samples->reading;
}

uint64_t target_samples__cpu_ns(const struct target *target)
{
	return target->samples ? target->samples->cpu_ns : 0;
}

bool target_samples__are_due(struct target *target, uint64_t now_ns)
{
	const struct target_samples *kept = target->samples;
	struct heap_counters counters;

	if (!kept || !kept->history)
		return true;
	/* Before the report has named them, the next reading would make them another's. */
	return !kept->places.all && target_heap__counters_lately(target, now_ns, &counters) &&
	       alloc_history__is_due(kept->history, now_ns, counters.gc_cycles);
}

/* --- what they are ------------------------------------------------------------------------------ */

/* A bucket's address, and what was allocated there. */
struct bucket_type {
	uint64_t bucket;
	struct heap_allocation what;
};

static int by_address(const void *a, const void *b)
{
	const struct bucket_type *x = a, *y = b;

	return (x->bucket > y->bucket) - (x->bucket < y->bucket);
}

/* By rising address; NULL: no memory. */
static struct bucket_type *bucket_types(const struct heap_samples *samples,
					struct heap_allocated *allocated, size_t *ret_n)
{
	const struct heap_sample_bucket *all;
	struct bucket_type *types;
	size_t n, found = 0;

	all = heap_samples__buckets(samples, &n);
	types = calloc(n + 1, sizeof(*types));
	for (size_t i = 0; i < n && types; i++) {
		if (!all[i].live || !all[i].n_pcs)
			continue;
		types[found++] = (struct bucket_type){
			all[i].address,
			heap_allocated__of(allocated, heap_samples__stack(samples, &all[i]),
					   all[i].n_pcs, all[i].size),
		};
	}
	if (types)
		qsort(types, found, sizeof(*types), by_address);
	*ret_n = found;
	return types;
}

void target_samples__know(const struct target *target, struct heap_paths *paths)
{
	const struct target_samples *kept = target->samples;
	const struct heap_sample_object *live;
	struct bucket_type *types;
	struct heap_known *known;
	size_t n, n_types = 0, found = 0;

	if (!kept || !kept->last)
		return;
	live = heap_samples__objects(kept->last, &n);
	known = calloc(n + 1, sizeof(*known));
	types = bucket_types(kept->last, heap_paths__allocated(paths), &n_types);
	for (size_t i = 0; i < n && known && types; i++) {
		const struct bucket_type wanted = {.bucket = live[i].bucket};
		const struct bucket_type *type =
			bsearch(&wanted, types, n_types, sizeof(*types), by_address);

		if (type && type->what.as != HEAP_ALLOCATED_UNKNOWN)
			known[found++] = (struct heap_known){live[i].address, type->what};
	}
	if (known && types && !heap_paths__know(paths, known, found))
		log_debug("memory samples of process %d: of %zu objects the types of %zu are known",
			  target__pid(target), n, found);
	free(types);
	free(known);
}

/* --- whether there are any ----------------------------------------------------------------------- */

int target_samples__rate(struct target *target, uint64_t *ret_rate, struct failure *failure)
{
	struct profile_globals globals;
	uint64_t rate = 0;
	int err = find_globals(target, &globals, failure);

	if (err)
		return err;
	if (globals.rate &&
	    remote__read_u64(target->remote, globals.rate + target->load_bias, &rate) == -ESRCH)
		return failure__set(failure, -ESRCH, "process %d is gone", target__pid(target));
	*ret_rate = rate;
	return 0;
}

const struct target_samples *target_samples__get(const struct target *target)
{
	return target->samples;
}

struct target_samples *target_samples__kept(struct target *target)
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
	heap_samples__free(kept->reading);
	alloc_history__free(kept->history);
	object_places__forget(&kept->places);
	free(kept);
	target->samples = NULL;
}
