// SPDX-License-Identifier: Apache-2.0
/*
 * Two scans of a patched heap (fake_heap.h): spans, types, specials, object bits, stacks. The input is
 * the Go version, a byte of choices and patches; the second scan gets further patches, as if the heap
 * had changed, and in slices, between which it changes while it is being read.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fake_heap.h"
#include "fuzz.h"
#include "heap/scan/confirm.h"
#include "heap/scan/scan.h"
#include "heap/mark/visitors.h"
#include "heap/resources/pools.h"
#include "heap/resources/resources.h"
#include "heap/view/view.h"
#include "heap/ways/ways.h"

enum choice {
	SLICES = 1 << 0,
	EXACT = 1 << 1,
	LARGE = 1 << 2,
	HEADERS = 1 << 3,
	HOLDERS = 1 << 4, /* who holds what, too */
	WAYS = 1 << 5,	  /* and what leads to some of it */
};

/* Someone of every kind: held by a variable, by a stack, by nobody, by a finalizer. */
static struct fake_heap *make(uint8_t minor, uint8_t choices)
{
	struct fake_heap *heap = fake_heap__new(18 + minor % 10);
	size_t runs = fake_heap__goroutine(heap, ""), span = fake_heap__span(heap, 64, 1, false);
	uint64_t type = fake_heap__type(heap, 32, 16, (const uint8_t[]){2});

	for (size_t i = 0; i < 4; i++) {
		size_t g = fake_heap__goroutine(heap, i % 2 ? "chan receive" : "select");
		uint64_t chan = fake_heap__chan(heap), object = fake_heap__alloc(heap, span);

		fake_heap__wait(heap, g, chan);
		fake_heap__point(heap, object, i, chan);
		if (i == 1)
			heap->globals[7] = object;
		else if (i == 2)
			fake_heap__push(heap, runs, 3, chan);
		else if (i == 3)
			fake_heap__special(heap, span, object, 1 + minor % 10 / 7, chan);
	}
	if (choices & LARGE) {
		size_t large = fake_heap__large(heap, 20, false);

		heap->globals[9] = fake_heap__alloc(heap, large);
		fake_heap__set_type(heap, large, heap->globals[9], type);
	}
	if (choices & HEADERS) {
		size_t headers = fake_heap__span(heap, 1024, 1, false);

		heap->globals[11] = fake_heap__alloc(heap, headers);
		fake_heap__set_type(heap, headers, heap->globals[11], type);
	}
	return heap;
}

static void patch(struct fuzz_input *input, struct fake_heap *heap)
{
	const struct fuzz_region regions[] = {
		{heap->pages, sizeof(heap->pages)},
		{(uint8_t *)heap->mspans, sizeof(heap->mspans)},
		{(uint8_t *)heap->stacks, sizeof(heap->stacks)},
		{(uint8_t *)heap->globals, sizeof(heap->globals)},
		{(uint8_t *)heap->specials, sizeof(heap->specials)},
		{(uint8_t *)heap->types, sizeof(heap->types)},
		{heap->module, sizeof(heap->module)},
		{(uint8_t *)heap->list, sizeof(heap->list)},
		{heap->arena, heap->arena_size},
		{(uint8_t *)heap->bss, sizeof(heap->bss)},
		{heap->mheap + heap->layout->mheap_allspans, 24},
	};

	fuzz__patch(input, regions, ARRAY_SIZE(regions));
}

static void check(struct heap_scan *scan)
{
	const struct heap_scan_result *result = heap_scan__result(scan);
	const struct heap_goroutines *goroutines = heap_scan__goroutines(scan);
	struct heap_retained retained = {0};
	size_t unreachable = 0;

	fuzz__require(result->unreachable <= result->candidates);
	fuzz__require(result->candidates <= result->goroutines);
	fuzz__require(result->marked.objects <= result->spans.objects);
	fuzz__require(result->marked.bytes <= result->spans.bytes);
	for (size_t i = 0; i < goroutines->n; i++) {
		const struct heap_goroutine *g = &goroutines->all[i];

		fuzz__require(!g->n_waits || g->first_wait + g->n_waits <= goroutines->n_waits);
		if (!heap_scan__is_unreachable(g))
			continue;
		unreachable++;
		fuzz__require(!heap_scan__retain(scan, &i, 1, &retained));
	}
	fuzz__require(unreachable == result->unreachable);
}

/* @input: patches between the slices of @budget; NULL: none. */
static void run(struct fake_heap *heap, const struct heap_scan_options *options, uint64_t budget,
		struct heap_confirm *confirm, struct fuzz_input *input)
{
	struct failure failure = {0};
	struct heap_scan *scan;
	int err;

	fuzz__require(!heap_scan__new(&heap->runtime, options, &scan));
	do {
		err = heap_scan__step(scan, budget, &failure);
		if (input && input->left)
			patch(input, heap);
	} while (err == 1);
	fuzz__require(err <= 0);
	if (err)
		fuzz__require(failure.text[0]);
	else
		check(scan);
	if (!err)
		fuzz__require(!heap_confirm__take(confirm, scan, NULL, NULL));
	heap_scan__free(scan);
}

/* What was said of the allocation of some objects may be anything as well. */
static void know(struct fuzz_input *input, const struct fake_heap *heap, struct heap_paths *paths)
{
	struct heap_known known[4];

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		uint8_t byte = fuzz_input__u8(input);
		size_t span = byte % heap->n_spans;

		known[i] = (struct heap_known){
			.object = heap->spans[span].base +
				  (uint64_t)(byte / 16) * heap->spans[span].elemsize,
			.what = {byte % (HEAP_ALLOCATED_BYTES + 1), heap->globals[byte % 4]},
		};
		if (heap->n_types)
			known[i].what.type = fake_heap__type_at(heap, byte % heap->n_types);
	}
	fuzz__require(!heap_paths__know(paths, known, ARRAY_SIZE(known)));
}

static int prepare(void *ctx, struct heap_scan *scan)
{
	fuzz__require(!heap_resources__prepare(ctx, scan));
	return 0;
}

/* Whatever finalizers and timers say. */
static void list_open(struct heap_resources *resources, struct heap_scan *scan)
{
	const struct heap_resource *all;
	char text[64];
	size_t n;

	fuzz__require(!heap_resources__take(resources, scan, 1));
	all = heap_resources__all(resources, &n);
	for (size_t i = 0; i < n; i++) {
		heap_resources__describe(resources, &all[i], text, sizeof(text));
		heap_resources__function(resources, &all[i], text, sizeof(text));
		fuzz__require(all[i].kind <= RESOURCE_REQUEST && all[i].kind != RESOURCE_KINDS);
		fuzz__require(all[i].kind > RESOURCE_PROCESS || all[i].id <= INT_MAX);
	}
}

/* Whatever lists of pools, and what seems to be one, say. */
static void list_pools(struct fake_heap *heap, struct heap_paths *paths, struct heap_scan *scan)
{
	static uint64_t pools[HEAP_MAX_POOLS];
	const uint64_t lists[] = {heap->globals[9], heap->globals[11]};
	size_t n = heap_pools__list(&heap->runtime, lists, pools);
	char name[64];

	fuzz__require(n <= HEAP_MAX_POOLS);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		(void)heap_pools__objects(&heap->runtime, lists[i]);
		heap_pools__name(paths, scan, lists[i], name, sizeof(name));
	}
}

/* Types, holders and what is open, of two looks. Patched types may say anything of what is where. */
static void hold(struct fuzz_input *input, struct fake_heap *heap)
{
	struct heap_scan_options options = {.whole = true, .ready = prepare};
	struct heap_view view = {0};
	struct heap_resources *resources;
	struct heap_growth *growth;
	struct heap_paths *paths;

	if (heap_paths__new(&heap->runtime, NULL, 4096, &paths))
		return;
	options.visitor = heap_paths__visitor(paths);
	fuzz__require(!heap_growth__new(&growth));
	heap_paths__draw(paths, heap_growth__members(growth));
	fuzz__require(!heap_resources__new(&heap->runtime, paths, 0, &resources));
	options.ready_ctx = resources;
	for (uint64_t i = 0; i < 2; i++) {
		const struct heap_look look = {.begin_ns = i, .end_ns = i + 1};
		struct failure failure = {0};
		struct heap_scan *scan;

		know(input, heap, paths);
		heap_paths__begin(paths);
		fuzz__require(!heap_scan__new(&heap->runtime, &options, &scan));
		if (!heap_scan__step(scan, 0, &failure)) {
			fuzz__require(!heap_paths__count(paths, heap_scan__mark(scan), 0));
			fuzz__require(!heap_view__fill(&view, paths, growth, &look));
			fuzz__require(view.typed_bytes <= view.bytes);
			fuzz__require(view.bytes <= heap_scan__result(scan)->spans.bytes);
			list_open(resources, scan);
			list_pools(heap, paths, scan);
		}
		heap_scan__free(scan);
		patch(input, heap);
	}
	heap_view__clear(&view);
	heap_growth__free(growth);
	heap_resources__free(resources);
	heap_paths__free(paths);
}

struct way_search {
	struct heap_ways *ways;
	const uint64_t *asked;
	size_t n;
	int err;
};

static int on_ready(void *ctx, struct heap_scan *scan)
{
	struct way_search *s = ctx;

	s->err = heap_ways__begin(s->ways, scan);
	for (size_t i = 0; i < s->n && !s->err; i++) {
		int number = heap_ways__ask(s->ways, s->asked[i]);

		s->err = number < 0 && number != -ENOENT ? number : 0;
	}
	return s->err;
}

static void check_ways(struct heap_ways *ways)
{
	size_t n;
	const struct heap_ways_target *targets = heap_ways__targets(ways, &n);
	struct heap_way found[4];

	for (size_t i = 0; i < n; i++) {
		int n_ways = heap_ways__to(ways, i, found, ARRAY_SIZE(found));

		fuzz__require(n_ways <= (int)ARRAY_SIZE(found));
		fuzz__require(n_ways < 0 || (size_t)n_ways <= targets[i].n_ways);
		for (int k = 0; k < n_ways; k++) {
			const struct heap_way *way = &found[k];

			fuzz__require(way->n_steps && way->n_steps <= HEAP_WAY_STEPS);
			fuzz__require(way->length == way->n_steps + way->left_out);
			fuzz__require(way->root.kind < HEAP_WAY_ROOTS);
			fuzz__require(way->steps[way->n_steps - 1].object == targets[i].object);
		}
	}
}

/* What leads to two objects, level by level, while the heap changes. */
static void search(struct fuzz_input *input, struct fake_heap *heap)
{
	const uint64_t asked[] = {heap->globals[fuzz_input__u8(input) % FAKE_GLOBALS],
				  heap->spans[fuzz_input__u8(input) % heap->n_spans].base};
	const struct heap_ways_options limits = {.max_ways = 8};
	struct way_search s = {.asked = asked, .n = ARRAY_SIZE(asked)};
	struct heap_scan_options options = {
		.by_level = true, .whole = true, .ready = on_ready, .ready_ctx = &s};
	struct heap_visitors visitors;
	struct failure failure = {0};
	struct heap_scan *scan;
	int err;

	fuzz__require(!heap_ways__new(&limits, &s.ways));
	heap_visitors__init(&visitors, NULL, heap_ways__visitor(s.ways));
	options.visitor = &visitors.both;
	fuzz__require(!heap_scan__new(&heap->runtime, &options, &scan));
	do {
		err = heap_scan__step(scan, 1, &failure);
		if (input->left)
			patch(input, heap);
	} while (err == 1);
	if (!err) {
		heap_ways__settle(s.ways);
		check_ways(s.ways);
	}
	heap_scan__free(scan);
	heap_ways__free(s.ways);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t minor = fuzz_input__u8(&input), choices = fuzz_input__u8(&input);
	struct fake_heap *heap = make(minor, choices);
	const struct heap_confirm_options confirming = {.interval_ns = 1};
	const uint64_t registers[] = {heap->globals[7], 1};
	const struct heap_thread thread = {heap->globals[0], registers, ARRAY_SIZE(registers)};
	const struct heap_scan_options options = {
		.exact = choices & EXACT,
		.threads = &thread,
		.n_threads = choices & EXACT ? 1 : 0,
	};
	struct heap_confirm *confirm;

	fuzz__require(!heap_confirm__new(&confirming, &confirm));
	patch(&input, heap);
	if (choices & HOLDERS)
		hold(&input, heap);
	if (choices & WAYS)
		search(&input, heap);
	run(heap, &options, 0, confirm, NULL);
	patch(&input, heap);
	run(heap, &options, choices & SLICES ? 1 : 0, confirm, choices & SLICES ? &input : NULL);
	heap_confirm__free(confirm);
	fake_heap__free(heap);
	return 0;
}
