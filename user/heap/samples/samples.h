/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_SAMPLES_SAMPLES_H
#define GLEAKD_HEAP_SAMPLES_SAMPLES_H

/*
 * What the runtime's own memory profiler has sampled, read from outside: where memory was allocated,
 * how much in all, and how much of it is there now. Nothing is attached, stopped or written.
 *
 * What a program reads of its own profile is one to two collections old, since allocations and frees
 * are held back until both are known. Here the objects are counted that are there now: each sampled
 * object has a record in its span that names its bucket (specials.h). Where a span waits to be swept,
 * its mark bits say what of it is dead already.
 */
#include "golang/profile_globals.h"
#include "heap/samples/buckets.h"
#include "heap/spans/spans.h"
#include "heap/spans/specials.h"

struct heap_samples;

struct heap_samples_options {
	size_t max_samples;	 /* objects; 0: 8 million */
	size_t max_buckets;	 /* 0: 262,144 */
	uint64_t max_heap_bytes; /* as heap_span_options.max_bytes */
};

struct heap_samples_totals {
	uint64_t rate;	     /* bytes from one sample to the next, on average; 1: all are sampled */
	uint64_t live, dead; /* sampled objects; dead: not freed yet */
	uint64_t refused;    /* objects beyond the maximum */
	uint64_t uncertain;  /* swept again and again while they were looked at; counted as live */
	uint64_t finished_ns; /* monotonic */
	struct heap_span_totals spans;
	struct heap_special_totals specials;
	struct sample_bucket_totals buckets;
};

/* heap_samples__new - @runtime must outlive it. @globals are copied. -ENOMEM. */
int heap_samples__new(const struct heap_runtime *runtime, const struct profile_globals *globals,
		      const struct heap_samples_options *options,
		      struct heap_samples **ret_samples) __must_check;
void heap_samples__free(struct heap_samples *samples);

/*
 * heap_samples__step - go on for about @budget_ns (0: to the end). 1: there is more; 0: all is read.
 * Errors end it: -ENODATA the program is not profiled, with the reason in words; -EOPNOTSUPP what is
 * read makes no sense; -ESRCH, -EAGAIN, -ENOMEM, -E2BIG.
 */
int heap_samples__step(struct heap_samples *samples, uint64_t budget_ns,
		       struct failure *failure) __must_check;

/* Once all is read: buckets that make sense, in no order. */
const struct heap_sample_bucket *heap_samples__buckets(const struct heap_samples *samples,
						       size_t *ret_n);

/*
 * heap_samples__stack - of one of them, return addresses of the target, innermost first; NULL: it is
 * empty.
 */
const uint64_t *heap_samples__stack(const struct heap_samples *samples,
				    const struct heap_sample_bucket *bucket);

/* A sampled object that is alive, and the address of its bucket. */
struct heap_sample_object {
	uint64_t address, bucket;
};

/* heap_samples__objects - all of them, in no order. */
const struct heap_sample_object *heap_samples__objects(const struct heap_samples *samples,
						       size_t *ret_n);

const struct heap_samples_totals *heap_samples__totals(const struct heap_samples *samples);

/*
 * heap_sample__scale - how many objects of @size bytes stand behind each that was sampled at @rate, as
 * src/runtime/pprof/protomem.go scaleHeapSample has it.
 */
double heap_sample__scale(uint64_t size, uint64_t rate);

/*
 * heap_sample__variance - of the number of objects that @n samples of @size bytes stand for. Each
 * object is sampled by itself with probability p = 1 / scale, so it is n (1 - p) / p^2: for small
 * objects the error is 1 / sqrt(n) of the whole, for those larger than the rate nearly none.
 */
double heap_sample__variance(uint64_t n, uint64_t size, uint64_t rate);

#endif /* GLEAKD_HEAP_SAMPLES_SAMPLES_H */
