// SPDX-License-Identifier: Apache-2.0
/*
 * The order matters: objects are looked at before buckets, and a bucket counts an allocation before
 * the object names it (src/runtime/mprof.go mProf_Malloc). So no object is there that its bucket does
 * not count.
 */
#include "heap/samples.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"

#define MAX_SAMPLES  (8u << 20)
#define MAX_RECORDS  (32u << 20) /* specials of all kinds */
#define BATCH	     256u	 /* spans */
#define BITS_MAX     128u	 /* bytes of the bits of 1,024 objects, the most of a span */
#define ATTEMPTS     3
#define WORD	     8u
#define BITS_ROUND   64u
#define INLINE_MARKS 64u /* before the end of the page: src/runtime/mgcmark_greenteagc.go */
#define MIN_INLINE   16u /* bytes of an object; gcUsesSpanInlineMarkBits */

enum phase { RATE, SPANS, SPECIALS, OBJECTS, BUCKETS, NAMED, DONE };

/* A sampled object. */
struct object {
	uint32_t span, index, bucket;
	bool live;
};

struct heap_samples {
	const struct heap_runtime *runtime;
	struct profile_globals globals;
	struct heap_samples_options options;
	enum phase phase;
	struct heap_spans *spans;
	struct heap_specials *specials;
	struct object *objects;
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
	struct object object = {.span = special->span};
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
	const struct object *x = a, *y = b;

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

/* A span of which objects were sampled, and what is known of them. */
struct subject {
	uint32_t span;
	size_t first, n; /* of the objects */
	bool settled;
	uint64_t bits_at;
	uint8_t before[HEAP_MSPAN_MAX], after[HEAP_MSPAN_MAX];
	uint8_t bits[BITS_MAX];
};

struct batch {
	struct subject subjects[BATCH];
	size_t n;
	uint32_t sweepgen; /* mheap_.sweepgen */
	struct remote_span reads[BATCH];
	size_t subject_of[BATCH], n_reads;
};

static void fill(const struct heap_samples *samples, struct batch *batch)
{
	size_t at = samples->next;

	for (batch->n = 0; batch->n < BATCH && at < samples->n_objects; batch->n++) {
		struct subject *subject = &batch->subjects[batch->n];

		*subject = (struct subject){.span = samples->objects[at].span, .first = at};
		while (at < samples->n_objects && samples->objects[at].span == subject->span)
			at++;
		subject->n = at - subject->first;
	}
}

static void add_read(struct batch *batch, size_t subject, uint64_t address, void *buffer,
		     uint32_t size)
{
	batch->subject_of[batch->n_reads] = subject;
	batch->reads[batch->n_reads++] = (struct remote_span){
		.address = address,
		.buffer = buffer,
		.size = size,
	};
}

/* The mspans of what is not settled, into `before` or `after`. */
static int read_mspans(struct heap_samples *samples, struct batch *batch, bool after)
{
	uint32_t size = samples->runtime->layout->mspan_sizeof;
	int err;

	batch->n_reads = 0;
	for (size_t i = 0; i < batch->n; i++) {
		struct subject *subject = &batch->subjects[i];

		if (!subject->settled)
			add_read(batch, i, samples->spans->all[subject->span].mspan,
				 after ? subject->after : subject->before, size);
	}
	err = remote__read_spans(samples->runtime->remote, batch->reads, batch->n_reads);
	for (size_t i = 0; i < batch->n_reads && !err; i++) {
		struct subject *subject = &batch->subjects[batch->subject_of[i]];

		/* Then it is no span any more: nothing of it is the same. */
		if (batch->reads[i].result)
			memset(after ? subject->after : subject->before, 0, size);
	}
	return err;
}

/* src/runtime/mheap.go mspan.sweepgen */
static bool waits_for_sweep(uint32_t sweepgen, uint32_t of_heap)
{
	return sweepgen == of_heap - 2 || sweepgen == of_heap + 1;
}

static bool has_inline_marks(const struct heap_spans *spans, const struct heap_span *span)
{
	return spans->inline_marks && span->elemsize >= MIN_INLINE &&
	       span->elemsize <= HEAP_BITS_IN_SPAN;
}

/*
 * Where it says what of a span is alive: marks, while it waits to be swept, else what the last sweep
 * left (src/runtime/mgcsweep.go).
 */
static uint64_t bits_address(const struct heap_samples *samples, const struct batch *batch,
			     const struct subject *subject)
{
	const struct go_layout *l = samples->runtime->layout;
	const struct heap_span *span = &samples->spans->all[subject->span];

	if (!waits_for_sweep(bytes__u32(subject->before, l->mspan_sweepgen), batch->sweepgen))
		return bytes__u64(subject->before, l->mspan_allocBits);
	if (has_inline_marks(samples->spans, span))
		return span->base + GO_PAGE_SIZE - INLINE_MARKS;
	return bytes__u64(subject->before, l->mspan_gcmarkBits);
}

static uint32_t bits_size(const struct heap_samples *samples, const struct subject *subject)
{
	const struct heap_span *span = &samples->spans->all[subject->span];

	/* Inline ones are 63 bytes, and the class is behind them. */
	return min_of((span->nelems + BITS_ROUND - 1) / BITS_ROUND * WORD,
		      has_inline_marks(samples->spans, span) ? INLINE_MARKS : BITS_MAX);
}

static int read_bits(struct heap_samples *samples, struct batch *batch)
{
	int err;

	batch->n_reads = 0;
	for (size_t i = 0; i < batch->n; i++) {
		struct subject *subject = &batch->subjects[i];

		if (subject->settled)
			continue;
		subject->bits_at = bits_address(samples, batch, subject);
		add_read(batch, i, subject->bits_at, subject->bits, bits_size(samples, subject));
	}
	err = remote__read_spans(samples->runtime->remote, batch->reads, batch->n_reads);
	for (size_t i = 0; i < batch->n_reads && !err; i++) {
		if (batch->reads[i].result)
			batch->subjects[batch->subject_of[i]].bits_at = 0;
	}
	return err;
}

static uint32_t freeindex_of(const struct go_layout *l, const uint8_t *mspan)
{
	/* uint16 from the version on that has largeType, as in spans.c. */
	if (l->mspan_largeType == GO_LAYOUT_ABSENT)
		return (uint32_t)min_of(bytes__u64(mspan, l->mspan_freeindex),
					(uint64_t)UINT32_MAX);
	return bytes__u16(mspan, l->mspan_freeindex);
}

static void count(struct heap_samples *samples, struct object *object, bool live)
{
	struct heap_sample_bucket *bucket = &samples->buckets.all[object->bucket];
	const struct heap_span *span = &samples->spans->all[object->span];

	object->live = live;
	if (live) {
		bucket->live++;
		bucket->object = heap_span__object(span, object->index);
		samples->totals.live++;
	} else {
		bucket->dead++;
		samples->totals.dead++;
	}
}

/* What lies below freeindex was allocated since the sweep, whatever the bits say. */
static void settle(struct heap_samples *samples, const struct batch *batch, struct subject *subject)
{
	const struct go_layout *l = samples->runtime->layout;
	bool unswept =
		waits_for_sweep(bytes__u32(subject->before, l->mspan_sweepgen), batch->sweepgen);
	uint32_t allocated = unswept ? 0 : freeindex_of(l, subject->before);

	for (size_t i = 0; i < subject->n; i++) {
		struct object *object = &samples->objects[subject->first + i];
		bool bit = subject->bits[object->index / 8] >> object->index % 8 & 1;

		count(samples, object, object->index < allocated || bit);
	}
	subject->settled = true;
}

/* Whether the span was the same while its bits were read. */
static bool is_steady(const struct heap_samples *samples, const struct subject *subject)
{
	const struct go_layout *l = samples->runtime->layout;

	return subject->bits_at &&
	       heap_spans__same(samples->spans, &samples->spans->all[subject->span],
				subject->after) &&
	       bytes__u32(subject->before, l->mspan_sweepgen) ==
		       bytes__u32(subject->after, l->mspan_sweepgen) &&
	       bytes__u64(subject->before, l->mspan_allocBits) ==
		       bytes__u64(subject->after, l->mspan_allocBits) &&
	       bytes__u64(subject->before, l->mspan_gcmarkBits) ==
		       bytes__u64(subject->after, l->mspan_gcmarkBits);
}

static int read_sweepgen(const struct heap_samples *samples, uint32_t *ret_sweepgen)
{
	return remote__read(samples->runtime->remote,
			    samples->runtime->mheap + samples->runtime->layout->mheap_sweepgen,
			    ret_sweepgen, sizeof(*ret_sweepgen));
}

static int attempt(struct heap_samples *samples, struct batch *batch)
{
	uint32_t after;
	int err = read_sweepgen(samples, &batch->sweepgen);

	if (!err)
		err = read_mspans(samples, batch, false);
	if (!err)
		err = read_bits(samples, batch);
	if (!err)
		err = read_mspans(samples, batch, true);
	if (!err)
		err = read_sweepgen(samples, &after);
	if (err || after != batch->sweepgen)
		return err;
	for (size_t i = 0; i < batch->n; i++) {
		struct subject *subject = &batch->subjects[i];

		if (!subject->settled && is_steady(samples, subject))
			settle(samples, batch, subject);
	}
	return 0;
}

static int settle_batch(struct heap_samples *samples, struct batch *batch)
{
	fill(samples, batch);
	for (int i = 0; i < ATTEMPTS; i++) {
		int err = attempt(samples, batch);

		if (err)
			return err;
	}
	for (size_t i = 0; i < batch->n; i++) {
		const struct subject *subject = &batch->subjects[i];

		samples->next += subject->n;
		/* A span that was freed has no objects. */
		if (subject->settled ||
		    !heap_spans__same(samples->spans, &samples->spans->all[subject->span],
				      subject->after))
			continue;
		samples->totals.uncertain += subject->n;
		for (size_t k = 0; k < subject->n; k++)
			count(samples, &samples->objects[subject->first + k], true);
	}
	return 0;
}

static int run_objects(struct heap_samples *samples, uint64_t budget_ns)
{
	uint64_t end = clock__monotonic_ns() + budget_ns;
	struct batch *batch = malloc(sizeof(*batch));
	int err = batch ? 0 : -ENOMEM;

	while (!err && samples->next < samples->n_objects) {
		err = settle_batch(samples, batch);
		if (budget_ns && clock__monotonic_ns() >= end)
			break;
	}
	free(batch);
	return err ? err : samples->next < samples->n_objects;
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
		const struct object *object = &samples->objects[i];

		if (object->live)
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
