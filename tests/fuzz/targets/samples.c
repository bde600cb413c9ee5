// SPDX-License-Identifier: Apache-2.0
/*
 * The memory profile of a patched heap (fake_heap.h), read twice: buckets, their list, the objects
 * that name them, bits of spans. The input is the Go version, a byte of choices and patches; the second
 * reading gets further patches, in slices.
 */
#include "fake_heap.h"
#include "fuzz.h"
#include "heap/samples/samples.h"
#include "heap/samples/survivors.h"

enum choice {
	SLICES = 1 << 0,
	UNSWEPT = 1 << 1,
	FEW = 1 << 2,
};

static struct fake_heap *make(uint8_t minor, uint8_t choices)
{
	static const uint64_t stack[] = {0x401010, 0x401020, 0x401030};
	static const uint32_t sizes[] = {8, 64, 1024};
	struct fake_heap *heap = fake_heap__new(18 + minor % 10);

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t span = fake_heap__span(heap, sizes[i], 1, i % 2);
		uint64_t bucket = fake_heap__bucket(heap, sizes[i], stack, i + 1);

		for (size_t k = 0; k < 5; k++) {
			uint64_t object = fake_heap__alloc(heap, span);

			fake_heap__profile_special(heap, span, object, bucket);
			if (k % 2)
				fake_heap__mark(heap, span, object);
		}
		fake_heap__sampled(heap, bucket, i, 11, 6);
		if (choices & UNSWEPT)
			fake_heap__unswept(heap, span);
	}
	return heap;
}

static void patch(struct fuzz_input *input, struct fake_heap *heap)
{
	const struct fuzz_region regions[] = {
		{heap->buckets, 1024},
		{(uint8_t *)heap->specials, sizeof(heap->specials)},
		{(uint8_t *)heap->mspans, sizeof(heap->mspans)},
		{(uint8_t *)heap->mark_bits, sizeof(heap->mark_bits)},
		{(uint8_t *)heap->alloc_bits, sizeof(heap->alloc_bits)},
		{(uint8_t *)heap->bss, sizeof(heap->bss)},
		{(uint8_t *)heap->list, sizeof(heap->list)},
		{heap->pages, sizeof(heap->pages)},
		{heap->mheap + heap->layout->mheap_allspans, 24},
		{heap->mheap + heap->layout->mheap_sweepgen, 8},
	};

	fuzz__patch(input, regions, ARRAY_SIZE(regions));
}

static volatile uint64_t sink; /* so that all of a stack is read */

static void check(const struct heap_samples *samples, const struct heap_samples_options *options)
{
	const struct heap_samples_totals *totals = heap_samples__totals(samples);
	uint64_t live = 0, dead = 0;
	size_t n;
	const struct heap_sample_bucket *all = heap_samples__buckets(samples, &n);

	fuzz__require(n <= options->max_buckets);
	fuzz__require(totals->live + totals->dead <= options->max_samples);
	for (size_t i = 0; i < n; i++) {
		const uint64_t *stack = heap_samples__stack(samples, &all[i]);

		fuzz__require(all[i].size && all[i].n_pcs <= PROFILE_MAX_STACK);
		fuzz__require(all[i].allocs >= all[i].live + all[i].dead);
		for (uint32_t k = 0; k < all[i].n_pcs; k++)
			sink = stack[k];
		live += all[i].live;
		dead += all[i].dead;
	}
	fuzz__require(live <= totals->live && dead <= totals->dead);
	(void)heap_samples__objects(samples, &n);
	fuzz__require(n == totals->live);
}

static void run(struct fake_heap *heap, const struct heap_samples_options *options, uint64_t budget)
{
	struct failure failure = {0};
	struct heap_samples *samples;
	int err;

	fuzz__require(!heap_samples__new(&heap->runtime, &FAKE_PROFILE_GLOBALS, options, &samples));
	do
		err = heap_samples__step(samples, budget, &failure);
	while (err == 1);
	fuzz__require(err <= 0);
	if (err)
		fuzz__require(failure.text[0]);
	else
		check(samples, options);
	heap_samples__free(samples);
}

/* Objects anywhere, in spans that may be none. */
static void follow(struct fuzz_input *input, struct fake_heap *heap)
{
	struct survivor all[8];

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		uint8_t span = fuzz_input__u8(input), where = fuzz_input__u8(input);

		all[i] = (struct survivor){
			.mspan = where & 128 ? where : heap->list[span % FAKE_MAX_SPANS],
			.base = heap->spans[span % FAKE_MAX_SPANS].base,
			.index = where * 8u,
			.sweepgen = FAKE_SWEEPGEN - where % 6,
		};
	}
	fuzz__require(!survivors__check(&heap->runtime, all, ARRAY_SIZE(all)));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		fuzz__require(all[i].fate <= SURVIVOR_DEAD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t minor = fuzz_input__u8(&input), choices = fuzz_input__u8(&input);
	const struct heap_samples_options options = {
		.max_samples = choices & FEW ? 3 : 1000,
		.max_buckets = choices & FEW ? 2 : 100,
	};
	struct fake_heap *heap = make(minor, choices);

	patch(&input, heap);
	run(heap, &options, 0);
	patch(&input, heap);
	run(heap, &options, choices & SLICES ? 1 : 0);
	follow(&input, heap);
	fake_heap__free(heap);
	return 0;
}
