// SPDX-License-Identifier: Apache-2.0
/* Ways, backwards from what was asked about: each object knows what led to it. */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "heap/ways/private.h"

#define WORD	     8u
#define CHUNK	     (64u << 10) /* of an object that is looked through for a reference */
#define MAX_SEARCHED (64ULL << 20)
#define HALF	     (HEAP_WAY_STEPS / 2)
#define MAX_LENGTH   (1u << 28)

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

	for (; origin && !(origin & WAYS_ROOT) && length < MAX_LENGTH; length++)
		origin = parent_of(ways, origin);
	return length;
}

static int by_length(const void *a, const void *b)
{
	const struct ways_reference *x = a, *y = b;

	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

static bool leads_through(const struct heap_ways *ways, uint32_t origin, uint64_t object)
{
	for (size_t n = 0; origin && !(origin & WAYS_ROOT) && n < MAX_LENGTH; n++) {
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
		struct ways_reference *r = &ways->references[i];
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

static int make_way(const struct heap_ways *ways, const struct ways_reference *reference,
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
	if (origin & WAYS_ROOT)
		way->root = ways->roots[origin & ~WAYS_ROOT];
	if (way->root.kind == HEAP_WAY_GOROUTINE) {
		way->root.goid = goroutine_at(ways, way->steps[0].object);
		way->root.kind = way->root.goid ? HEAP_WAY_GOROUTINE : HEAP_WAY_UNKNOWN;
	}
	way->steps[0].from = way->length == 1 ? reference->from : way->root.address;
	return find_words(ways, way);
}

int heap_ways__to(struct heap_ways *ways, size_t target, struct heap_way *found, size_t max)
{
	struct ways_reference *all = calloc(ways->n_references + 1, sizeof(*all));
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
