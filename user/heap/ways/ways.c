// SPDX-License-Identifier: Apache-2.0
/*
 * What led to an object is the number of the object before it, plus one, or the number of a root. A
 * visitor sees an object's contents before what they lead to: one that is looked at without anything
 * having led to it is a root itself, which also ends circles.
 */
#include "heap/ways/ways.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/index.h"

#define WORD	     8u
#define IS_ROOT	     (1u << 31)
#define MAX_TARGETS  65536u
#define MAX_WAYS     65536u
#define FILTER_BITS  (1u << 18)
#define CHUNK	     (64u << 10) /* of an object that is looked through for a reference */
#define MAX_SEARCHED (64ULL << 20)
#define HALF	     (HEAP_WAY_STEPS / 2)
#define MAX_LENGTH   (1u << 28)

struct reference {
	uint32_t target;
	uint32_t origin; /* as in parents; 0: not known */
	uint64_t from;
	size_t length;
};

/* A goroutine, and the start of an object that it waits on. */
struct waiter {
	uint64_t goid, object;
};

struct heap_ways {
	struct heap_ways_options options;
	struct heap_visitor visitor;
	struct heap_scan *scan;
	struct heap_spans *spans;
	bool failed; /* out of memory */

	uint32_t *parents; /* by slot */
	size_t n_parents;
	struct heap_root *roots;
	size_t n_roots, roots_capacity;

	struct heap_ways_target *targets;
	size_t n_targets, targets_capacity;
	struct index *by_object; /* targets */
	uint64_t filter[FILTER_BITS / 64];
	struct reference *references;
	size_t n_references, references_capacity;
	struct index *by_word; /* references, by word and object */
	uint64_t *sudogs;      /* sorted */
	size_t n_sudogs;
	struct waiter *waiters; /* sorted */
	size_t n_waiters;
};

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
	if (slot >= n || slot >= IS_ROOT - 1)
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
	if (ways->n_roots >= IS_ROOT - 1 ||
	    !array__reserve(ways->roots, ways->roots_capacity, ways->n_roots + 1)) {
		ways->failed = true;
		return 0;
	}
	ways->roots[ways->n_roots] = *root;
	return IS_ROOT | (uint32_t)ways->n_roots++;
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

static uint32_t origin_of(struct heap_ways *ways, const struct heap_reference *reference)
{
	const struct heap_contents *in = reference->in;
	struct heap_root root;

	if (in->place == HEAP_IN_OBJECT)
		return in->slot < IS_ROOT - 1 ? (uint32_t)in->slot + 1 : 0;
	root = (struct heap_root){
		.kind = kind_of(ways, in->place),
		.address = reference->from,
		.goid = in->goid,
		.function = in->function,
	};
	return add_root(ways, &root);
}

static bool is_asked(const struct heap_ways *ways, uint64_t slot)
{
	return ways->filter[slot % FILTER_BITS / 64] >> slot % 64 & 1;
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
	const struct waiter *x = a, *y = b;

	if (x->goid != y->goid)
		return (x->goid > y->goid) - (x->goid < y->goid);
	return (x->object > y->object) - (x->object < y->object);
}

/* A goroutine that waits on a channel is known to it, and has it on its stack, but does not keep it. */
static bool is_waiter(const struct heap_ways *ways, const struct heap_reference *reference)
{
	const struct heap_contents *in = reference->in;
	const struct waiter waiter = {in->goid, reference->object};

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
		const struct reference *r = &ways->references[search.number];

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
	ways->references[ways->n_references++] = (struct reference){
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
		.contents = on_contents, .reference = on_reference, .ctx = ways};
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
			ways->waiters[ways->n_waiters++] = (struct waiter){
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
	if (ways->spans->n_words * 64 >= IS_ROOT - 1)
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
	ways->filter[slot % FILTER_BITS / 64] |= 1ULL << slot % 64;
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

/* --- ways --------------------------------------------------------------------------------------- */

/* The span of a slot: they are in the order of their first words. */
static const struct heap_span *span_of(const struct heap_ways *ways, uint64_t slot)
{
	size_t low = 0, high = ways->spans->n;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (ways->spans->all[middle].first_word <= slot / 64)
			low = middle;
		else
			high = middle;
	}
	return &ways->spans->all[low];
}

static struct heap_step step_at(const struct heap_ways *ways, uint64_t slot)
{
	const struct heap_span *span = span_of(ways, slot);

	return (struct heap_step){
		.object =
			heap_span__object(span, (uint32_t)(slot - (uint64_t)span->first_word * 64)),
		.size = span->elemsize,
		.slot = slot,
	};
}

static uint32_t parent_of(const struct heap_ways *ways, uint32_t origin)
{
	return origin - 1 < ways->n_parents ? ways->parents[origin - 1] : 0;
}

/* Objects from the root to the one that @origin leads to, which is one. */
static size_t length_of(const struct heap_ways *ways, uint32_t origin)
{
	size_t length = 1;

	for (; origin && !(origin & IS_ROOT) && length < MAX_LENGTH; length++)
		origin = parent_of(ways, origin);
	return length;
}

static int by_length(const void *a, const void *b)
{
	const struct reference *x = a, *y = b;

	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

static bool leads_through(const struct heap_ways *ways, uint32_t origin, uint64_t object)
{
	for (size_t n = 0; origin && !(origin & IS_ROOT) && n < MAX_LENGTH; n++) {
		if (step_at(ways, origin - 1).object == object)
			return true;
		origin = parent_of(ways, origin);
	}
	return false;
}

void heap_ways__settle(struct heap_ways *ways)
{
	size_t kept = 0;

	for (size_t i = 0; i < ways->n_references; i++) {
		struct reference *r = &ways->references[i];
		struct heap_ways_target *target = &ways->targets[r->target];

		if (leads_through(ways, r->origin, target->object))
			target->n_ways--;
		else
			ways->references[kept++] = *r;
	}
	ways->n_references = kept;
	/* It names references by numbers that they no longer have. */
	index__clear(ways->by_word);
}

/* The word of @object that leads into @next; 0: there is none any more. */
static int find_word(const struct heap_ways *ways, const struct heap_step *object,
		     const struct heap_step *next, uint64_t *ret_word)
{
	uint64_t size = min_of(object->size, MAX_SEARCHED);
	uint8_t data[CHUNK];

	*ret_word = 0;
	for (uint64_t at = 0; at < size; at += CHUNK) {
		size_t n = (size_t)min_of(size - at, (uint64_t)CHUNK);
		int err = remote__read(ways->spans->runtime->remote, object->object + at, data, n);

		if (err)
			return err == -EFAULT ? 0 : err;
		for (size_t i = 0; i + WORD <= n; i += WORD) {
			if (bytes__u64(data, i) - next->object < next->size) {
				*ret_word = object->object + at + i;
				return 0;
			}
		}
	}
	return 0;
}

/* Where in the result the object @i of a way belongs; false: it is left out. */
static bool place_of(const struct heap_way *way, size_t i, size_t *ret_place)
{
	if (way->length <= HEAP_WAY_STEPS || i < HALF)
		*ret_place = i;
	else if (i >= way->length - HALF)
		*ret_place = i - way->left_out;
	else
		return false;
	return true;
}

static int find_words(const struct heap_ways *ways, struct heap_way *way)
{
	int err = 0;

	for (size_t i = 1; i + 1 < way->n_steps && !err; i++) {
		if (!way->left_out || i != HALF)
			err = find_word(ways, &way->steps[i - 1], &way->steps[i],
					&way->steps[i].from);
	}
	return err;
}

/* Which goroutine has its g at @address; 0: it is none. */
static uint64_t goroutine_at(const struct heap_ways *ways, uint64_t address)
{
	const struct heap_goroutines *goroutines = heap_scan__goroutines(ways->scan);

	for (size_t i = 0; i < goroutines->n; i++) {
		if (goroutines->all[i].address == address)
			return goroutines->all[i].goid;
	}
	return 0;
}

static int make_way(const struct heap_ways *ways, const struct reference *reference,
		    struct heap_way *way)
{
	const struct heap_ways_target *target = &ways->targets[reference->target];
	uint32_t origin = reference->origin;
	struct heap_step last = {target->object, target->size, target->slot, reference->from};
	size_t place;

	*way = (struct heap_way){.length = reference->length};
	way->n_steps = min_of(way->length, (size_t)HEAP_WAY_STEPS);
	way->left_out = way->length - way->n_steps;
	way->steps[way->n_steps - 1] = last;
	for (size_t i = way->length - 1; i-- > 0;) {
		if (place_of(way, i, &place))
			way->steps[place] = step_at(ways, origin - 1);
		origin = parent_of(ways, origin);
	}
	if (origin & IS_ROOT)
		way->root = ways->roots[origin & ~IS_ROOT];
	if (way->root.kind == HEAP_WAY_GOROUTINE) {
		way->root.goid = goroutine_at(ways, way->steps[0].object);
		way->root.kind = way->root.goid ? HEAP_WAY_GOROUTINE : HEAP_WAY_UNKNOWN;
	}
	way->steps[0].from = way->length == 1 ? reference->from : way->root.address;
	return find_words(ways, way);
}

int heap_ways__to(struct heap_ways *ways, size_t target, struct heap_way *found, size_t max)
{
	struct reference *all = calloc(ways->n_references + 1, sizeof(*all));
	size_t n = 0;
	int err = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < ways->n_references; i++) {
		if (ways->references[i].target != target)
			continue;
		all[n] = ways->references[i];
		all[n].length = length_of(ways, all[n].origin);
		n++;
	}
	qsort(all, n, sizeof(*all), by_length);
	n = min_of(n, max);
	for (size_t i = 0; i < n && !err; i++)
		err = make_way(ways, &all[i], &found[i]);
	free(all);
	return err ? err : (int)n;
}
