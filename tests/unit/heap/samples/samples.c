// SPDX-License-Identifier: Apache-2.0
#include "heap/samples/samples.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "fake_heap.h"

#define FIRST 18
#define LAST  27

static struct failure failure;
static const uint64_t stack_a[] = {0x401010, 0x401020, 0x401030}, stack_b[] = {0x401040};

static struct heap_samples *take(struct fake_heap *heap, const struct heap_samples_options *options)
{
	struct heap_samples *samples;
	int err;

	cr_assert_eq(heap_samples__new(&heap->runtime, &FAKE_PROFILE_GLOBALS, options, &samples),
		     0);
	do
		err = heap_samples__step(samples, 1, &failure);
	while (err == 1);
	cr_assert_eq(err, 0, "%s", failure.text);
	return samples;
}

static const struct heap_sample_bucket *bucket_at(const struct heap_samples *samples,
						  uint64_t address)
{
	size_t n;
	const struct heap_sample_bucket *all = heap_samples__buckets(samples, &n);

	for (size_t i = 0; i < n; i++) {
		if (all[i].address == address)
			return &all[i];
	}
	return NULL;
}

static int error_of(struct fake_heap *heap, const struct profile_globals *globals)
{
	struct heap_samples *samples;
	int err;

	cr_assert_eq(heap_samples__new(&heap->runtime, globals, NULL, &samples), 0);
	err = heap_samples__step(samples, 0, &failure);
	heap_samples__free(samples);
	return err;
}

static uint64_t sample(struct fake_heap *heap, size_t span, uint64_t bucket)
{
	uint64_t object = fake_heap__alloc(heap, span);

	fake_heap__profile_special(heap, span, object, bucket);
	return object;
}

/* --- counts ------------------------------------------------------------------------------------- */

Test(samples, what_is_published_and_what_is_not_yet_in_every_version)
{
	for (int minor = FIRST; minor <= LAST; minor++) {
		struct fake_heap *heap = fake_heap__new(minor);
		uint64_t a = fake_heap__bucket(heap, 64, stack_a, 3);
		uint64_t b = fake_heap__bucket(heap, 4096, stack_b, 1);
		const struct heap_sample_bucket *bucket;
		struct heap_samples *samples;

		fake_heap__sampled(heap, a, 0, 1009, 211);
		fake_heap__sampled(heap, a, 1, 31, 37);
		fake_heap__sampled(heap, a, 2, 101, 0);
		fake_heap__sampled(heap, a, 3, 7, 3);
		fake_heap__sampled(heap, b, 3, 13, 0);
		samples = take(heap, NULL);
		bucket = bucket_at(samples, a);
		cr_assert_not_null(bucket, "Go 1.%d", minor);
		cr_assert_eq(bucket->allocs, 1148, "Go 1.%d", minor);
		cr_assert_eq(bucket->frees, 251, "Go 1.%d", minor);
		cr_assert_eq(bucket->size, 64);
		cr_assert_eq(bucket->n_pcs, 3);
		cr_assert_arr_eq(heap_samples__stack(samples, bucket), stack_a, sizeof(stack_a));
		bucket = bucket_at(samples, b);
		cr_assert_eq(bucket->allocs, 13, "Go 1.%d", minor);
		cr_assert_eq(bucket->frees, 0);
		cr_assert_arr_eq(heap_samples__stack(samples, bucket), stack_b, sizeof(stack_b));
		cr_assert_eq(heap_samples__totals(samples)->rate, FAKE_RATE);
		cr_assert_eq(heap_samples__totals(samples)->buckets.read, 2);
		heap_samples__free(samples);
		fake_heap__free(heap);
	}
}

Test(samples, objects_that_are_there_in_every_version)
{
	for (int minor = FIRST; minor <= LAST; minor++) {
		struct fake_heap *heap = fake_heap__new(minor);
		size_t small = fake_heap__span(heap, 64, 1, false);
		size_t large = fake_heap__large(heap, 9, true);
		uint64_t a = fake_heap__bucket(heap, 64, stack_a, 3);
		uint64_t b = fake_heap__bucket(heap, 9 * 8192, stack_b, 1);
		const struct heap_sample_object *objects;
		const struct heap_samples_totals *totals;
		struct heap_samples *samples;
		size_t n, of_large = 0;

		for (int i = 0; i < 11; i++)
			sample(heap, small, a);
		fake_heap__sampled(heap, a, 2, 17, 6);
		sample(heap, large, b);
		fake_heap__sampled(heap, b, 3, 1, 0);
		samples = take(heap, NULL);
		totals = heap_samples__totals(samples);
		cr_assert_eq(bucket_at(samples, a)->live, 11, "Go 1.%d", minor);
		cr_assert_eq(bucket_at(samples, a)->dead, 0);
		cr_assert_eq(bucket_at(samples, b)->live, 1);
		cr_assert_eq(bucket_at(samples, b)->object, heap->spans[large].base);
		cr_assert_eq(totals->live, 12);
		objects = heap_samples__objects(samples, &n);
		cr_assert_eq(n, 12);
		for (size_t i = 0; i < n; i++)
			of_large += objects[i].bucket == b &&
				    objects[i].address == heap->spans[large].base;
		cr_assert_eq(of_large, 1);
		cr_assert_eq(totals->dead + totals->refused + totals->uncertain, 0);
		heap_samples__free(samples);
		fake_heap__free(heap);
	}
}

/* Until a span is swept its dead objects have their records, and the program's profile counts them. */
Test(samples, dead_ones_that_are_not_swept_in_every_version)
{
	static const uint32_t sizes[] = {8, 64, 512, 1024};

	for (int minor = FIRST; minor <= LAST; minor++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			struct fake_heap *heap = fake_heap__new(minor);
			size_t span = fake_heap__span(heap, sizes[i], 1, true);
			uint64_t bucket = fake_heap__bucket(heap, sizes[i], stack_a, 3);
			const struct heap_sample_bucket *seen;
			struct heap_samples *samples;

			/* Whose votes show that this runtime marks in spans. */
			fake_heap__span(heap, 16, 1, false);
			for (int k = 0; k < 7; k++) {
				uint64_t object = sample(heap, span, bucket);

				if (k % 3 == 0)
					fake_heap__mark(heap, span, object);
			}
			fake_heap__sampled(heap, bucket, 0, 7, 0);
			fake_heap__unswept(heap, span);
			samples = take(heap, NULL);
			seen = bucket_at(samples, bucket);
			cr_assert_eq(seen->live, 3, "Go 1.%d, %u bytes", minor, sizes[i]);
			cr_assert_eq(seen->dead, 4);
			cr_assert_eq(seen->allocs, 7);
			heap_samples__free(samples);
			fake_heap__free(heap);
		}
	}
}

/* Swept since the record was read: the object is free by the allocator's bits. */
Test(samples, swept_while_they_were_read)
{
	struct fake_heap *heap = fake_heap__new(26);
	size_t span = fake_heap__span(heap, 1024, 1, true);
	uint64_t bucket = fake_heap__bucket(heap, 1024, stack_a, 3);
	struct heap_samples *samples;

	for (int i = 0; i < 5; i++)
		sample(heap, span, bucket);
	fake_heap__sampled(heap, bucket, 0, 5, 0);
	/* Of objects 0 to 4 the sweep left 3, and 0 was allocated anew. */
	memset(heap->mspans[span] + heap->layout->mspan_freeindex, 0, 2);
	heap->mspans[span][heap->layout->mspan_freeindex] = 1;
	heap->alloc_bits[span][0] = 1 << 3;
	samples = take(heap, NULL);
	cr_assert_eq(bucket_at(samples, bucket)->live, 2);
	cr_assert_eq(bucket_at(samples, bucket)->dead, 3);
	heap_samples__free(samples);
	fake_heap__free(heap);
}

/* An allocation is counted before its object names the bucket, so there is never more than that. */
Test(samples, no_more_there_than_were_allocated)
{
	struct fake_heap *heap = fake_heap__new(27);
	size_t span = fake_heap__span(heap, 64, 1, false);
	uint64_t bucket = fake_heap__bucket(heap, 64, stack_a, 3);
	struct heap_samples *samples;

	sample(heap, span, bucket);
	sample(heap, span, bucket);
	fake_heap__sampled(heap, bucket, 0, 1, 0);
	samples = take(heap, NULL);
	cr_assert_eq(bucket_at(samples, bucket)->live, 2);
	cr_assert_eq(bucket_at(samples, bucket)->allocs, 2);
	heap_samples__free(samples);
	fake_heap__free(heap);
}

/* Where mbuckets was not found, what objects name is read all the same. */
Test(samples, without_the_list)
{
	struct fake_heap *heap = fake_heap__new(24);
	size_t span = fake_heap__span(heap, 64, 1, false);
	uint64_t a = fake_heap__bucket(heap, 64, stack_a, 3), b;
	struct heap_samples *samples;

	b = fake_heap__bucket(heap, 128, stack_b, 1);
	sample(heap, span, a);
	fake_heap__sampled(heap, a, 1, 3, 2);
	heap->bss[5] = 0;
	samples = take(heap, NULL);
	cr_assert_eq(bucket_at(samples, a)->live, 1);
	cr_assert_eq(bucket_at(samples, a)->allocs, 3);
	cr_assert_null(bucket_at(samples, b));
	heap_samples__free(samples);
	fake_heap__free(heap);
}

/* --- no profile --------------------------------------------------------------------------------- */

Test(samples, programs_without_a_profile)
{
	struct fake_heap *heap = fake_heap__new(26);
	struct profile_globals globals = FAKE_PROFILE_GLOBALS;

	heap->bss[6] = 0;
	cr_assert_eq(error_of(heap, &globals), -ENODATA);
	cr_assert(strstr(failure.text, "turned off"), "%s", failure.text);
	globals.wanted = false;
	cr_assert_eq(error_of(heap, &globals), -ENODATA);
	cr_assert(strstr(failure.text, "linked without"), "%s", failure.text);
	globals.rate = 0;
	cr_assert_eq(error_of(heap, &globals), -ENODATA);
	cr_assert(strstr(failure.text, "not found"), "%s", failure.text);
	fake_heap__free(heap);
}

/* --- lies --------------------------------------------------------------------------------------- */

Test(samples, a_list_that_bites_its_tail)
{
	struct fake_heap *heap = fake_heap__new(26);
	uint64_t a = fake_heap__bucket(heap, 64, stack_a, 3);
	struct heap_samples *samples;

	for (int i = 0; i < 5; i++)
		fake_heap__bucket(heap, 128, stack_b, 1);
	/* The oldest leads to the newest. */
	memcpy(heap->buckets + heap->layout->bucket_allnext, &heap->bss[5], 8);
	samples = take(heap, NULL);
	cr_assert_not_null(bucket_at(samples, a));
	cr_assert_eq(heap_samples__totals(samples)->buckets.read, 6);
	cr_assert_eq(heap_samples__totals(samples)->buckets.invalid, 1);
	heap_samples__free(samples);
	fake_heap__free(heap);
}

Test(samples, stacks_that_are_too_deep_and_other_types)
{
	struct fake_heap *heap = fake_heap__new(26);
	const struct go_layout *l = heap->layout;
	const uint64_t depths[] = {PROFILE_MAX_STACK + 1, UINT64_MAX, 1ULL << 61};
	struct heap_samples *samples;
	uint64_t type = 2;

	fake_heap__bucket(heap, 64, stack_a, 3);
	for (size_t i = 0; i < ARRAY_SIZE(depths); i++) {
		memcpy(heap->buckets + l->bucket_nstk, &depths[i], 8);
		samples = take(heap, NULL);
		cr_assert_eq(heap_samples__totals(samples)->buckets.read, 0);
		cr_assert_eq(heap_samples__totals(samples)->buckets.invalid, 1);
		heap_samples__free(samples);
	}
	memcpy(heap->buckets + l->bucket_nstk, &(uint64_t){3}, 8);
	memcpy(heap->buckets + l->bucket_typ, &type, 8);
	samples = take(heap, NULL);
	cr_assert_eq(heap_samples__totals(samples)->buckets.invalid, 1);
	heap_samples__free(samples);
	fake_heap__free(heap);
}

/* The deepest stack there can be, at the end of the memory that can be read. */
Test(samples, the_deepest_stack)
{
	static uint64_t deep[PROFILE_MAX_STACK];

	for (int minor = FIRST; minor <= LAST; minor++) {
		struct fake_heap *heap = fake_heap__new(minor);
		const struct heap_sample_bucket *bucket;
		struct heap_samples *samples;
		uint64_t address;

		for (size_t i = 0; i < ARRAY_SIZE(deep); i++)
			deep[i] = 0x401000 + i;
		while (heap->buckets_used + 2 * 8400 < sizeof(heap->buckets))
			fake_heap__bucket(heap, 16, deep, ARRAY_SIZE(deep));
		address = fake_heap__bucket(heap, 16, deep, ARRAY_SIZE(deep));
		fake_heap__sampled(heap, address, 0, 5, 2);
		samples = take(heap, NULL);
		bucket = bucket_at(samples, address);
		cr_assert_eq(bucket->n_pcs, ARRAY_SIZE(deep));
		cr_assert_eq(bucket->allocs, 5);
		cr_assert_arr_eq(heap_samples__stack(samples, bucket), deep, sizeof(deep));
		cr_assert_eq(heap_samples__totals(samples)->buckets.read, 15);
		heap_samples__free(samples);
		fake_heap__free(heap);
	}
}

Test(samples, limits_are_kept_and_counted)
{
	struct fake_heap *heap = fake_heap__new(26);
	size_t span = fake_heap__span(heap, 64, 1, false);
	const struct heap_samples_options options = {.max_samples = 3, .max_buckets = 2};
	const struct heap_samples_totals *totals;
	struct heap_samples *samples;
	uint64_t bucket = 0;

	for (int i = 0; i < 5; i++)
		bucket = fake_heap__bucket(heap, 64, stack_a, 3);
	for (int i = 0; i < 7; i++)
		sample(heap, span, bucket);
	samples = take(heap, &options);
	totals = heap_samples__totals(samples);
	cr_assert_eq(totals->live, 3);
	cr_assert_eq(totals->refused, 4);
	cr_assert_eq(totals->buckets.read, 2);
	cr_assert_eq(totals->buckets.refused, 1);
	heap_samples__free(samples);
	fake_heap__free(heap);
}

/* Records of a span that lead back to themselves, or to one before. */
Test(samples, records_in_a_circle)
{
	struct fake_heap *heap = fake_heap__new(26);
	size_t span = fake_heap__span(heap, 64, 1, false);
	uint64_t bucket = fake_heap__bucket(heap, 64, stack_a, 3), first;
	struct heap_samples *samples;

	for (int i = 0; i < 11; i++)
		sample(heap, span, bucket);
	/* The list begins with the last; the first of all, its end, leads to each of them in turn. */
	memcpy(&first, heap->mspans[span] + heap->layout->mspan_specials, 8);
	for (uint64_t back = 0; back < 11; back++) {
		uint64_t next = first - back * sizeof(heap->specials[0]);

		memcpy(heap->specials[0] + heap->layout->special_next, &next, 8);
		samples = take(heap, NULL);
		cr_assert_eq(heap_samples__totals(samples)->specials.refused, 1);
		cr_assert_leq(heap_samples__totals(samples)->specials.read, 3 * 11 + 3);
		cr_assert_geq(heap_samples__totals(samples)->specials.read, 11);
		heap_samples__free(samples);
	}
	fake_heap__free(heap);
}

/* Objects that name no bucket: what is read are no samples. */
Test(samples, objects_that_name_no_bucket)
{
	struct fake_heap *heap = fake_heap__new(26);
	size_t span = fake_heap__span(heap, 64, 1, false);
	struct profile_globals globals = FAKE_PROFILE_GLOBALS;

	sample(heap, span, FAKE_HEAP_BASE);
	sample(heap, span, 0x1234567);
	cr_assert_eq(error_of(heap, &globals), -EOPNOTSUPP);
	cr_assert(strstr(failure.text, "2 of 2"), "%s", failure.text);
	fake_heap__free(heap);
}

/* --- what samples stand for --------------------------------------------------------------------- */

/* Values of src/runtime/pprof/protomem.go scaleHeapSample. */
Test(samples, scales)
{
	cr_assert_float_eq(heap_sample__scale(64, 524288), 8192.5, 0.01);
	cr_assert_float_eq(heap_sample__scale(524288, 524288), 1.581977, 1e-6);
	cr_assert_float_eq(heap_sample__scale(100 << 20, 524288), 1, 1e-9);
	cr_assert_float_eq(heap_sample__scale(64, 1), 1, 0);
	cr_assert_float_eq(heap_sample__scale(64, 0), 1, 0);
}

/* 1/sqrt(n) for small objects, none for large ones and where every allocation is a sample. */
Test(samples, errors)
{
	double many = 100 * heap_sample__scale(64, 524288);

	cr_assert_float_eq(sqrt(heap_sample__variance(100, 64, 524288)) / many, 0.1, 1e-4);
	cr_assert_float_eq(sqrt(heap_sample__variance(1, 16, 524288)) /
				   heap_sample__scale(16, 524288),
			   1, 1e-4);
	cr_assert_float_eq(heap_sample__variance(9, 100 << 20, 524288), 0, 1e-6);
	cr_assert_float_eq(heap_sample__variance(9, 64, 1), 0, 0);
}
