// SPDX-License-Identifier: Apache-2.0
/*
 * A visitor sees an object's contents before what they lead to: one that is looked at without anything
 * having led to it is a root itself, which also ends circles.
 */
#include "heap/ways/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/index.h"
#include "heap/roots/stack_scan.h"

#define MAX_TARGETS 65536u
#define MAX_WAYS    65536u

const char *heap_way_root__name(enum heap_way_root kind)
{
	static const char *const names[HEAP_WAY_ROOTS] = {
		[HEAP_WAY_UNKNOWN] = "unknown", [HEAP_WAY_VARIABLE] = "global",
		[HEAP_WAY_STACK] = "stack",	[HEAP_WAY_FINALIZER] = "finalizer",
		[HEAP_WAY_RUNTIME] = "runtime", [HEAP_WAY_GOROUTINE] = "goroutine",
	};

	return names[kind];
}

/* --- what led to what --------------------------------------------------------------------------- */

/* Room for spans that were added to the table. */
static bool reserve_parents(struct heap_ways *ways, uint64_t slot)
{
	size_t n = (size_t)ways->spans->n_words * 64 + 64 * 1024;
	void *parents;

	if (slot < ways->n_parents)
		return true;
	if (slot >= n || slot >= WAYS_ROOT - 1)
		return false;
	if (ways->parents)
		parents = mremap(ways->parents, ways->n_parents * sizeof(*ways->parents),
				 n * sizeof(*ways->parents), MREMAP_MAYMOVE);
	else
		parents = mmap(NULL, n * sizeof(*ways->parents), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (parents == MAP_FAILED) {
		ways->failed = true;
		return false;
	}
	ways->parents = parents;
	ways->n_parents = n;
	return true;
}

/* 0: there is no room for it. */
static uint32_t add_root(struct heap_ways *ways, const struct heap_root *root)
{
	if (ways->n_roots >= WAYS_ROOT - 1 ||
	    !array__reserve(ways->roots, ways->roots_capacity, ways->n_roots + 1)) {
		ways->failed = true;
		return 0;
	}
	ways->roots[ways->n_roots] = *root;
	return WAYS_ROOT | (uint32_t)ways->n_roots++;
}

static enum heap_way_root kind_of(const struct heap_ways *ways, enum heap_place place)
{
	if (place == HEAP_IN_VARIABLES)
		return HEAP_WAY_VARIABLE;
	if (place == HEAP_IN_STACK)
		return HEAP_WAY_STACK;
	switch (heap_scan__roots(ways->scan)) {
	case HEAP_ROOT_FINALIZER:
		return HEAP_WAY_FINALIZER;
	case HEAP_ROOT_RUNTIME:
		return HEAP_WAY_RUNTIME;
	default:
		/* A g, which is alive for its own sake, or what is younger: make_way() tells. */
		return HEAP_WAY_GOROUTINE;
	}
}

/* Frames are smaller than 2 GB: a stack is at most 1 GB (src/runtime/proc.go maxstacksize). */
static void place_on_stack(const struct heap_stack_contents *in, struct heap_root *root)
{
	root->pc = in->pc;
	if (root->address && in->frame)
		root->place = (int32_t)(root->address - in->frame);
}

static uint32_t origin_of(struct heap_ways *ways, const struct heap_reference *reference)
{
	const struct heap_contents *in = reference->in;
	struct heap_root root;

	if (in->place == HEAP_IN_OBJECT)
		return in->slot < WAYS_ROOT - 1 ? (uint32_t)in->slot + 1 : 0;
	root = (struct heap_root){
		.kind = kind_of(ways, in->place),
		.address = reference->from,
		.goid = in->goid,
	};
	if (in->place == HEAP_IN_STACK)
		place_on_stack(heap_stack_contents__of(in), &root);
	return add_root(ways, &root);
}

static bool is_asked(const struct heap_ways *ways, uint64_t slot)
{
	return ways->filter[slot % WAYS_FILTER_BITS / 64] >> slot % 64 & 1;
}

/* The number of @object, or n_targets. */
static size_t find_target(const struct heap_ways *ways, uint64_t object)
{
	struct index_search search = index__search(ways->by_object, hash__keyed_word(object));

	while (index__next(&search)) {
		if (ways->targets[search.number].object == object)
			return search.number;
	}
	return ways->n_targets;
}

static int by_address(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int by_goroutine(const void *a, const void *b)
{
	const struct ways_waiter *x = a, *y = b;

	if (x->goid != y->goid)
		return (x->goid > y->goid) - (x->goid < y->goid);
	return (x->object > y->object) - (x->object < y->object);
}

/* A goroutine that waits on a channel is known to it, and has it on its stack, but does not keep it. */
static bool is_waiter(const struct heap_ways *ways, const struct heap_reference *reference)
{
	const struct heap_contents *in = reference->in;
	const struct ways_waiter waiter = {in->goid, reference->object};

	if (in->place == HEAP_IN_STACK)
		return ways->n_waiters && bsearch(&waiter, ways->waiters, ways->n_waiters,
						  sizeof(waiter), by_goroutine);
	return in->place == HEAP_IN_OBJECT && ways->n_sudogs &&
	       bsearch(&in->object, ways->sudogs, ways->n_sudogs, sizeof(*ways->sudogs),
		       by_address);
}

static bool is_known(const struct heap_ways *ways, const struct heap_reference *reference,
		     uint64_t hash)
{
	struct index_search search = index__search(ways->by_word, hash);

	while (index__next(&search)) {
		const struct ways_reference *r = &ways->references[search.number];

		if (r->from == reference->from &&
		    ways->targets[r->target].object == reference->object)
			return true;
	}
	return false;
}

static void add_reference(struct heap_ways *ways, const struct heap_reference *reference)
{
	size_t target = find_target(ways, reference->object);
	uint64_t hash = hash__keyed_word(reference->from ^ reference->object << 20);

	if (target == ways->n_targets || is_waiter(ways, reference) ||
	    (reference->from && is_known(ways, reference, hash)))
		return;
	if (ways->n_references == ways->options.max_ways) {
		/* Whether it has been seen before is not known. */
		ways->targets[target].n_ways += !reference->in->again;
		return;
	}
	ways->targets[target].n_ways++;
	if (!array__reserve(ways->references, ways->references_capacity, ways->n_references + 1) ||
	    index__add(ways->by_word, hash, (uint32_t)ways->n_references)) {
		ways->failed = true;
		return;
	}
	ways->references[ways->n_references++] = (struct ways_reference){
		.target = (uint32_t)target,
		.origin = origin_of(ways, reference),
		.from = reference->from,
	};
}

static void on_contents(void *ctx, const struct heap_contents *contents)
{
	struct heap_ways *ways = ctx;
	/* Nothing has led to it: it waits for its finalizer (src/runtime/mgcmark.go markrootSpans). */
	const struct heap_root root = {.kind = HEAP_WAY_FINALIZER};

	if (contents->place != HEAP_IN_OBJECT || !reserve_parents(ways, contents->slot) ||
	    ways->parents[contents->slot])
		return;
	ways->parents[contents->slot] = add_root(ways, &root);
}

static void on_reference(void *ctx, const struct heap_reference *reference)
{
	struct heap_ways *ways = ctx;

	if (is_asked(ways, reference->slot))
		add_reference(ways, reference);
	/* What holds no pointers leads to nothing. */
	if (!reference->first || reference->span->flags & HEAP_SPAN_NOSCAN ||
	    !reserve_parents(ways, reference->slot) || ways->parents[reference->slot])
		return;
	ways->parents[reference->slot] = origin_of(ways, reference);
}

static void on_coming(void *ctx, uint64_t slot)
{
	const struct heap_ways *ways = ctx;

	if (slot < ways->n_parents)
		__builtin_prefetch(&ways->parents[slot], 1);
}

/* --- life --------------------------------------------------------------------------------------- */

int heap_ways__new(const struct heap_ways_options *options, struct heap_ways **ret_paths)
{
	struct heap_ways *ways = calloc(1, sizeof(*ways));

	if (!ways)
		return -ENOMEM;
	ways->options = *options;
	if (!ways->options.max_targets)
		ways->options.max_targets = MAX_TARGETS;
	if (!ways->options.max_ways)
		ways->options.max_ways = MAX_WAYS;
	ways->visitor = (struct heap_visitor){
		.contents = on_contents,
		.reference = on_reference,
		.ctx = ways,
		.coming = on_coming,
	};
	if (index__new(ways->options.max_targets, &ways->by_object) ||
	    index__new(ways->options.max_ways, &ways->by_word)) {
		heap_ways__free(ways);
		return -ENOMEM;
	}
	*ret_paths = ways;
	return 0;
}

void heap_ways__free(struct heap_ways *ways)
{
	if (!ways)
		return;
	if (ways->parents)
		munmap(ways->parents, ways->n_parents * sizeof(*ways->parents));
	index__free(ways->by_object);
	index__free(ways->by_word);
	free(ways->roots);
	free(ways->targets);
	free(ways->references);
	free(ways->sudogs);
	free(ways->waiters);
	free(ways);
}

const struct heap_visitor *heap_ways__visitor(const struct heap_ways *ways)
{
	return &ways->visitor;
}

/* Pages of it that stand for objects without pointers are never touched. */
static uint64_t expected_bytes(const struct heap_spans *spans)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < spans->n; i++) {
		if (!(spans->all[i].flags & HEAP_SPAN_NOSCAN))
			bytes += (spans->all[i].nelems + 63) / 64 * 64 * sizeof(uint32_t);
	}
	return bytes;
}

static int keep_waiters(struct heap_ways *ways)
{
	const struct heap_goroutines *goroutines = heap_scan__goroutines(ways->scan);
	struct heap_mark *mark = heap_scan__mark(ways->scan);

	ways->sudogs = calloc(goroutines->n_waits + 1, sizeof(*ways->sudogs));
	ways->waiters = calloc(goroutines->n_waits + 1, sizeof(*ways->waiters));
	if (!ways->sudogs || !ways->waiters)
		return -ENOMEM;
	for (size_t i = 0; i < goroutines->n; i++) {
		const struct heap_goroutine *g = &goroutines->all[i];

		for (uint32_t w = 0; w < g->n_waits && ways->n_sudogs < goroutines->n_waits; w++) {
			const struct heap_wait *wait = &goroutines->waits[g->first_wait + w];

			ways->sudogs[ways->n_sudogs++] = wait->sudog;
			ways->waiters[ways->n_waiters++] = (struct ways_waiter){
				g->goid, heap_mark__object(mark, wait->object, NULL)};
		}
	}
	qsort(ways->sudogs, ways->n_sudogs, sizeof(*ways->sudogs), by_address);
	qsort(ways->waiters, ways->n_waiters, sizeof(*ways->waiters), by_goroutine);
	return 0;
}

int heap_ways__begin(struct heap_ways *ways, struct heap_scan *scan)
{
	ways->scan = scan;
	ways->spans = heap_mark__spans(heap_scan__mark(scan));
	if (ways->options.max_bytes && expected_bytes(ways->spans) > ways->options.max_bytes)
		return -E2BIG;
	if (ways->spans->n_words * 64 >= WAYS_ROOT - 1)
		return -E2BIG;
	if (!reserve_parents(ways, 0))
		return -ENOMEM;
	return keep_waiters(ways);
}

int heap_ways__ask(struct heap_ways *ways, uint64_t address)
{
	uint32_t number = heap_spans__find(ways->spans, address);
	const struct heap_span *span;
	uint64_t object, slot;
	uint32_t index;

	if (number == HEAP_NO_SPAN)
		return -ENOENT;
	span = &ways->spans->all[number];
	index = heap_span__index(span, address);
	if (index >= span->nelems)
		return -ENOENT;
	object = heap_span__object(span, index);
	if (find_target(ways, object) != ways->n_targets)
		return (int)find_target(ways, object);
	if (ways->n_targets == ways->options.max_targets)
		return -E2BIG;
	slot = (uint64_t)span->first_word * 64 + index;
	if (!array__reserve(ways->targets, ways->targets_capacity, ways->n_targets + 1))
		return -ENOMEM;
	if (index__add(ways->by_object, hash__keyed_word(object), (uint32_t)ways->n_targets))
		return -ENOMEM;
	ways->targets[ways->n_targets++] = (struct heap_ways_target){
		.object = object,
		.size = span->elemsize,
		.slot = slot,
	};
	ways->filter[slot % WAYS_FILTER_BITS / 64] |= 1ULL << slot % 64;
	return (int)ways->n_targets - 1;
}

const struct heap_ways_target *heap_ways__targets(const struct heap_ways *ways, size_t *ret_n)
{
	*ret_n = ways->n_targets;
	return ways->targets;
}

uint64_t heap_ways__bytes(const struct heap_ways *ways)
{
	return expected_bytes(ways->spans) + ways->roots_capacity * sizeof(*ways->roots) +
	       ways->targets_capacity * sizeof(*ways->targets) +
	       ways->references_capacity * sizeof(*ways->references);
}
