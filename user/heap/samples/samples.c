// SPDX-License-Identifier: Apache-2.0
/*
 * The order matters: objects are looked at before buckets, and a bucket counts an allocation before
 * the object names it (src/runtime/mprof.go mProf_Malloc). So no object is there that its bucket does
 * not count.
 */
#include "heap/samples/samples.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "heap/samples/marks.h"

#define MAX_SAMPLES (8u << 20)
#define MAX_RECORDS (32u << 20) /* specials of all kinds */

enum phase { RATE, SPANS, SPECIALS, OBJECTS, BUCKETS, NAMED, DONE };

static bool is_live(const struct sample_object *object)
{
	return object->state == SAMPLE_LIVE || object->state == SAMPLE_UNCERTAIN;
}

struct heap_samples {
	const struct heap_runtime *runtime;
	struct profile_globals globals;
	struct heap_samples_options options;
	enum phase phase;
	struct heap_spans *spans;
	struct heap_specials *specials;
	struct sample_object *objects;
	size_t n_objects, capacity, next; /* next: of those that wait to be settled */
	int err;			  /* that a callback met */
	struct heap_sample_object *live;  /* in the end */
	size_t n_live;
	struct sample_buckets buckets;
	struct heap_samples_totals totals;
};

int heap_samples__new(const struct heap_runtime *runtime, const struct profile_globals *globals,
		      const struct heap_samples_options *options, struct heap_samples **ret_samples)
{
	struct heap_samples *samples = calloc(1, sizeof(*samples));

	if (!samples)
		return -ENOMEM;
	samples->runtime = runtime;
	samples->globals = *globals;
	if (options)
		samples->options = *options;
	if (!samples->options.max_samples)
		samples->options.max_samples = MAX_SAMPLES;
	if (sample_buckets__init(&samples->buckets, runtime, samples->options.max_buckets)) {
		free(samples);
		return -ENOMEM;
	}
	*ret_samples = samples;
	return 0;
}

void heap_samples__free(struct heap_samples *samples)
{
	if (!samples)
		return;
	heap_specials__free(samples->specials);
	heap_spans__free(samples->spans);
	sample_buckets__destroy(&samples->buckets);
	free(samples->objects);
	free(samples->live);
	free(samples);
}

/* --- whether there is a profile ----------------------------------------------------------------- */

static int run_rate(struct heap_samples *samples, struct failure *failure)
{
	const struct heap_runtime *runtime = samples->runtime;
	int err;

	if (runtime->layout->bucket_sizeof == GO_LAYOUT_ABSENT)
		return failure__set(failure, -ENODATA,
				    "this gleakd does not know how its Go version keeps the memory "
				    "profile; a newer gleakd may");
	if (!samples->globals.rate)
		return failure__set(
			failure, -ENODATA,
			"the rate of its memory profile was not found (no symbol table, "
			"and the code does not tell)");
	err = remote__read_u64(runtime->remote, samples->globals.rate + runtime->bias,
			       &samples->totals.rate);
	if (err)
		return failure__set(failure, err, "the rate of its memory profile cannot be read");
	if (samples->totals.rate)
		return 0;
	if (!samples->globals.wanted)
		return failure__set(
			failure, -ENODATA,
			"the program was linked without memory profiling, as nothing in "
			"it asks for a profile; a program that imports net/http/pprof, or "
			"calls pprof.WriteHeapProfile, has it");
	return failure__set(failure, -ENODATA,
			    "its memory profiling is turned off (runtime.MemProfileRate is 0)");
}

/* --- objects ------------------------------------------------------------------------------------ */

static int run_spans(struct heap_samples *samples, uint64_t budget_ns)
{
	const struct heap_span_options options = {.max_bytes = samples->options.max_heap_bytes};
	int err = 0;

	if (!samples->spans) {
		err = heap_spans__new(samples->runtime, &options, &samples->spans);
		if (!err)
			err = heap_spans__start(samples->spans);
	}
	if (!err)
		err = heap_spans__step(samples->spans, budget_ns);
	return err;
}

static void on_special(void *ctx, const struct heap_special *special)
{
	struct heap_samples *samples = ctx;
	const struct heap_span *span = &samples->spans->all[special->span];
	struct sample_object object = {.span = special->span};
	int err;

	if (special->kind != HEAP_SPECIAL_PROFILE || samples->err)
		return;
	if (samples->n_objects == samples->options.max_samples) {
		samples->totals.refused++;
		return;
	}
	object.index = heap_span__index(span, special->object);
	err = sample_buckets__named(&samples->buckets, bytes__u64(special->payload, 0),
				    &object.bucket);
	if (err == -ENOSPC) {
		samples->totals.refused++;
		return;
	}
	if (!err && !array__reserve(samples->objects, samples->capacity, samples->n_objects + 1))
		err = -ENOMEM;
	samples->err = err;
	if (!err)
		samples->objects[samples->n_objects++] = object;
}

static int by_span(const void *a, const void *b)
{
	const struct sample_object *x = a, *y = b;

	return (x->span > y->span) - (x->span < y->span);
}

static int run_specials(struct heap_samples *samples, uint64_t budget_ns)
{
	int err = 0;

	if (!samples->specials)
		err = heap_specials__new(samples->spans, MAX_RECORDS, &samples->specials);
	if (!err)
		err = heap_specials__step(samples->specials, on_special, samples, budget_ns);
	if (samples->err)
		return samples->err;
	if (!err && samples->n_objects)
		qsort(samples->objects, samples->n_objects, sizeof(samples->objects[0]), by_span);
	return err;
}

/* --- dead or alive ------------------------------------------------------------------------------ */

static void count(struct heap_samples *samples, const struct sample_object *object)
{
	struct heap_sample_bucket *bucket = &samples->buckets.all[object->bucket];

	if (object->state == SAMPLE_DEAD) {
		bucket->dead++;
		samples->totals.dead++;
	} else if (is_live(object)) {
		bucket->live++;
		samples->totals.live++;
		samples->totals.uncertain += object->state == SAMPLE_UNCERTAIN;
		bucket->object =
			heap_span__object(&samples->spans->all[object->span], object->index);
	}
}

static int run_objects(struct heap_samples *samples, uint64_t budget_ns)
{
	size_t first = samples->next;
	int err = sample_marks__settle(samples->spans, samples->objects, samples->n_objects,
				       &samples->next, budget_ns);

	for (size_t i = first; i < samples->next; i++)
		count(samples, &samples->objects[i]);
	return err;
}

/* --- buckets ------------------------------------------------------------------------------------ */

static int run_buckets(struct heap_samples *samples, uint64_t budget_ns)
{
	return sample_buckets__step(&samples->buckets, budget_ns);
}

static int start_buckets(struct heap_samples *samples)
{
	uint64_t first = 0;
	int err = 0;

	if (samples->globals.buckets)
		err = remote__read_u64(samples->runtime->remote,
				       samples->globals.buckets + samples->runtime->bias, &first);
	if (!err)
		sample_buckets__start(&samples->buckets, first);
	return err;
}

static int list_live(struct heap_samples *samples)
{
	samples->live = malloc((samples->totals.live + 1) * sizeof(samples->live[0]));
	if (!samples->live)
		return -ENOMEM;
	for (size_t i = 0; i < samples->n_objects; i++) {
		const struct sample_object *object = &samples->objects[i];

		if (is_live(object))
			samples->live[samples->n_live++] = (struct heap_sample_object){
				.address = heap_span__object(&samples->spans->all[object->span],
							     object->index),
				.bucket = samples->buckets.all[object->bucket].address,
			};
	}
	return 0;
}

/* What only reading takes: results are kept for long. */
static void free_means(struct heap_samples *samples)
{
	heap_specials__free(samples->specials);
	heap_spans__free(samples->spans);
	free(samples->objects);
	samples->specials = NULL;
	samples->spans = NULL;
	samples->objects = NULL;
	samples->n_objects = samples->capacity = 0;
}

/*
 * Leaves those that were read. Where most of what objects name is no bucket, what was read are no
 * samples.
 */
static int finish(struct heap_samples *samples, struct failure *failure)
{
	struct sample_buckets *buckets = &samples->buckets;
	size_t n = 0, named = 0, wrong = 0;

	if (list_live(samples))
		return -ENOMEM;
	for (size_t i = 0; i < buckets->n; i++) {
		struct heap_sample_bucket *bucket = &buckets->all[i];
		bool has_objects = bucket->live || bucket->dead;

		named += has_objects;
		wrong += has_objects && !bucket->read;
		/* See above: less was counted only if it was read while it was moved. */
		bucket->allocs = max_of(bucket->allocs, bucket->live + bucket->dead);
		if (bucket->read)
			buckets->all[n++] = *bucket;
	}
	buckets->n = n;
	samples->totals.spans = samples->spans->totals;
	samples->totals.specials = *heap_specials__totals(samples->specials);
	samples->totals.buckets = buckets->totals;
	samples->totals.finished_ns = clock__monotonic_ns();
	free_means(samples);
	if (wrong > named / 2)
		return failure__set(failure, -EOPNOTSUPP,
				    "its memory profile makes no sense: %zu of %zu buckets that "
				    "objects name are none",
				    wrong, named);
	return 0;
}

/* --- all of it ---------------------------------------------------------------------------------- */

static int run_phase(struct heap_samples *samples, uint64_t budget_ns, struct failure *failure)
{
	switch (samples->phase) {
	case RATE:
		return run_rate(samples, failure);
	case SPANS:
		return run_spans(samples, budget_ns);
	case SPECIALS:
		return run_specials(samples, budget_ns);
	case OBJECTS:
		return run_objects(samples, budget_ns);
	case BUCKETS:
		return run_buckets(samples, budget_ns);
	case NAMED:
		return sample_buckets__step_known(&samples->buckets, budget_ns);
	case DONE:
		break;
	}
	return 0;
}

int heap_samples__step(struct heap_samples *samples, uint64_t budget_ns, struct failure *failure)
{
	uint64_t end = clock__monotonic_ns() + budget_ns;

	failure->text[0] = '\0';
	while (samples->phase != DONE) {
		int err = run_phase(samples, budget_ns, failure);

		if (!err && samples->phase == OBJECTS)
			err = start_buckets(samples);
		if (!err && samples->phase == NAMED)
			err = finish(samples, failure);
		if (err < 0 && !failure->text[0])
			failure__set(failure, err, "its memory profile cannot be read: %s",
				     strerror(-err));
		if (err)
			return err;
		samples->phase++;
		if (budget_ns && clock__monotonic_ns() >= end)
			return samples->phase != DONE;
	}
	return 0;
}

const struct heap_sample_bucket *heap_samples__buckets(const struct heap_samples *samples,
						       size_t *ret_n)
{
	*ret_n = samples->buckets.n;
	return samples->buckets.all;
}

const uint64_t *heap_samples__stack(const struct heap_samples *samples,
				    const struct heap_sample_bucket *bucket)
{
	return bucket->n_pcs ? samples->buckets.pcs + bucket->first_pc : NULL;
}

const struct heap_sample_object *heap_samples__objects(const struct heap_samples *samples,
						       size_t *ret_n)
{
	*ret_n = samples->n_live;
	return samples->live;
}

const struct heap_samples_totals *heap_samples__totals(const struct heap_samples *samples)
{
	return &samples->totals;
}

/* --- what samples stand for --------------------------------------------------------------------- */

double heap_sample__scale(uint64_t size, uint64_t rate)
{
	if (rate <= 1 || !size)
		return 1;
	return 1 / (1 - exp(-(double)size / (double)rate));
}

double heap_sample__variance(uint64_t n, uint64_t size, uint64_t rate)
{
	double scale = heap_sample__scale(size, rate);

	return (double)n * (1 - 1 / scale) * scale * scale;
}
