// SPDX-License-Identifier: Apache-2.0
#include "track/alloc_flow.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"

#define DEFAULT_MAX (1u << 20)

/* The last hit at an address. */
struct object {
	uint64_t address;
	uint32_t entry;
};

struct alloc_flow {
	struct alloc_flow_entry *entries;
	struct alloc_flow_goroutine *goroutines;
	struct object *objects;
	size_t n_entries, n_goroutines, n_objects;
	size_t entries_capacity, goroutines_capacity, objects_capacity;
	struct index *by_key, *by_goid, *by_address;
	uint64_t hits, refused;
};

static size_t or_default(size_t n)
{
	return n ? n : DEFAULT_MAX;
}

int alloc_flow__new(const struct alloc_flow_limits *limits, struct alloc_flow **ret_flow)
{
	struct alloc_flow *flow = calloc(1, sizeof(*flow));
	int err;

	if (!flow)
		return -ENOMEM;
	err = index__new(or_default(limits->entries), &flow->by_key);
	if (!err)
		err = index__new(or_default(limits->goroutines), &flow->by_goid);
	if (!err)
		err = index__new(or_default(limits->objects), &flow->by_address);
	if (err) {
		alloc_flow__free(flow);
		return err;
	}
	*ret_flow = flow;
	return 0;
}

void alloc_flow__free(struct alloc_flow *flow)
{
	if (!flow)
		return;
	free(flow->entries);
	free(flow->goroutines);
	free(flow->objects);
	index__free(flow->by_key);
	index__free(flow->by_goid);
	index__free(flow->by_address);
	free(flow);
}

/* A number that was used once belongs to the same goroutine for ever. */
static int goroutine_of(struct alloc_flow *flow, const struct alloc_hit *hit, uint32_t *ret_number)
{
	uint64_t hash = hash__keyed_word(hit->goid);
	struct index_search search = index__search(flow->by_goid, hash);
	int err;

	while (index__next(&search)) {
		*ret_number = search.number;
		if (flow->goroutines[search.number].goid == hit->goid)
			return 0;
	}
	if (!array__reserve(flow->goroutines, flow->goroutines_capacity, flow->n_goroutines + 1))
		return -ENOMEM;
	err = index__add(flow->by_goid, hash, (uint32_t)flow->n_goroutines);
	if (err)
		return err;
	*ret_number = (uint32_t)flow->n_goroutines;
	flow->goroutines[flow->n_goroutines++] = (struct alloc_flow_goroutine){
		.goid = hit->goid,
		.creation_pc = hit->creation_pc,
		.start_pc = hit->start_pc,
	};
	return 0;
}

static uint64_t hash_of_hit(const struct alloc_hit *hit, uint32_t goroutine)
{
	const uint64_t key[] = {(uint64_t)hit->stack << 32 | goroutine, hit->bytes << 1 | hit->tiny,
				hit->type, hit->labels};

	return hash__keyed(key, sizeof(key));
}

static bool is_same(const struct alloc_flow_entry *entry, const struct alloc_hit *hit,
		    uint32_t goroutine)
{
	return entry->stack == hit->stack && entry->goroutine == goroutine &&
	       entry->bytes == hit->bytes && entry->tiny == hit->tiny && entry->type == hit->type &&
	       entry->labels == hit->labels;
}

static int entry_of(struct alloc_flow *flow, const struct alloc_hit *hit, uint32_t goroutine,
		    uint32_t *ret_number)
{
	uint64_t hash = hash_of_hit(hit, goroutine);
	struct index_search search = index__search(flow->by_key, hash);
	int err;

	while (index__next(&search)) {
		*ret_number = search.number;
		if (is_same(&flow->entries[search.number], hit, goroutine))
			return 0;
	}
	if (!array__reserve(flow->entries, flow->entries_capacity, flow->n_entries + 1))
		return -ENOMEM;
	err = index__add(flow->by_key, hash, (uint32_t)flow->n_entries);
	if (err)
		return err;
	*ret_number = (uint32_t)flow->n_entries;
	flow->entries[flow->n_entries++] = (struct alloc_flow_entry){
		.type = hit->type,
		.bytes = hit->bytes,
		.size_class = hit->size_class,
		.tiny = hit->tiny,
		.stack = hit->stack,
		.labels = hit->labels,
		.goroutine = goroutine,
	};
	return 0;
}

/* --- without goroutines --------------------------------------------------------------------------- */

static void merge(struct alloc_flow_entry *into, const struct alloc_flow_entry *entry)
{
	into->live += entry->live;
	into->live_weight += entry->live_weight;
	into->live_squares += entry->live_squares;
	into->old_weight += entry->old_weight;
	into->young += entry->young;
	into->young_squares += entry->young_squares;
	into->followed += entry->followed;
	into->lost += entry->lost;
	into->hits += entry->hits;
	into->told += entry->told;
	into->shared += entry->shared;
	into->objects += entry->objects;
	for (size_t i = 0; i < ALLOC_WINDOW_GROUPS; i++)
		into->of_group[i] += entry->of_group[i];
	into->variance += entry->variance;
	into->paced[0] += entry->paced[0];
	into->paced[1] += entry->paced[1];
}

static uint64_t hash_of(const struct alloc_flow_entry *entry)
{
	const struct alloc_hit hit = {
		.stack = entry->stack,
		.bytes = entry->bytes,
		.tiny = entry->tiny,
		.type = entry->type,
		.labels = entry->labels,
	};

	return hash_of_hit(&hit, entry->goroutine);
}

/* Of the first @n, which have no goroutines any more, the one that @entry belongs to; @n: none. */
static size_t equal_entry(const struct alloc_flow *flow, const struct alloc_flow_entry *entry,
			  uint64_t hash, size_t n)
{
	struct index_search search = index__search(flow->by_key, hash);

	while (index__next(&search)) {
		const struct alloc_flow_entry *other = &flow->entries[search.number];

		if (other->stack == entry->stack && other->bytes == entry->bytes &&
		    other->tiny == entry->tiny && other->type == entry->type &&
		    other->labels == entry->labels)
			return search.number;
	}
	return n;
}

int alloc_flow__fold(struct alloc_flow *flow, uint32_t **ret_map)
{
	const struct alloc_hit nobody = {.goid = 0};
	uint32_t *map = malloc((flow->n_entries + 1) * sizeof(*map)), number;
	size_t n = 0;

	if (!map)
		return -ENOMEM;
	index__clear(flow->by_key);
	for (size_t i = 0; i < flow->n_entries; i++) {
		struct alloc_flow_entry entry = flow->entries[i];
		size_t found;
		uint64_t hash;

		entry.goroutine = 0;
		hash = hash_of(&entry);
		found = equal_entry(flow, &entry, hash, n);

		map[i] = (uint32_t)found;
		if (found < n) {
			merge(&flow->entries[found], &entry);
			continue;
		}
		flow->entries[n] = entry;
		/* It has had as many and more. */
		(void)!index__add(flow->by_key, hash, (uint32_t)n++);
	}
	flow->n_entries = n;
	for (size_t i = 0; i < flow->n_objects; i++)
		flow->objects[i].entry = map[flow->objects[i].entry];
	index__clear(flow->by_goid);
	flow->n_goroutines = 0;
	(void)!goroutine_of(flow, &nobody, &number);
	*ret_map = map;
	return 0;
}

/* --- objects --------------------------------------------------------------------------------------- */

static struct object *find_object(struct alloc_flow *flow, uint64_t address)
{
	struct index_search search = index__search(flow->by_address, hash__keyed_word(address));

	while (index__next(&search)) {
		if (flow->objects[search.number].address == address)
			return &flow->objects[search.number];
	}
	return NULL;
}

/* Of one that has no room it is not known whether it lives: it counts as dead. */
static void note_object(struct alloc_flow *flow, uint64_t address, uint32_t entry)
{
	struct object *object = address ? find_object(flow, address) : NULL;

	if (object) {
		object->entry = entry;
		return;
	}
	if (!address ||
	    !array__reserve(flow->objects, flow->objects_capacity, flow->n_objects + 1) ||
	    index__add(flow->by_address, hash__keyed_word(address), (uint32_t)flow->n_objects))
		return;
	flow->objects[flow->n_objects++] = (struct object){address, entry};
}

uint32_t alloc_flow__take(struct alloc_flow *flow, const struct alloc_hit *hit)
{
	uint32_t goroutine, entry;

	flow->hits++;
	if (goroutine_of(flow, hit, &goroutine) || entry_of(flow, hit, goroutine, &entry)) {
		flow->refused++;
		return ALLOC_NO_ENTRY;
	}
	flow->goroutines[goroutine].window_hits += hit->weight;
	flow->entries[entry].hits++;
	flow->entries[entry].window_hits += hit->weight;
	flow->entries[entry].window_squares += hit->weight * hit->weight;
	note_object(flow, hit->object, entry);
	return entry;
}

void alloc_flow__live(struct alloc_flow *flow)
{
	for (size_t i = 0; i < flow->n_entries; i++)
		flow->entries[i].live = 0;
}

void alloc_flow__is_alive(struct alloc_flow *flow, uint64_t address)
{
	const struct object *object = find_object(flow, address);

	if (object)
		flow->entries[object->entry].live++;
}

struct alloc_flow_entry *alloc_flow__entries(struct alloc_flow *flow, size_t *ret_n)
{
	*ret_n = flow->n_entries;
	return flow->entries;
}

struct alloc_flow_goroutine *alloc_flow__goroutines(struct alloc_flow *flow, size_t *ret_n)
{
	*ret_n = flow->n_goroutines;
	return flow->goroutines;
}

uint64_t alloc_flow__hits(const struct alloc_flow *flow)
{
	return flow->hits;
}

uint64_t alloc_flow__refused(const struct alloc_flow *flow)
{
	return flow->refused;
}

const char *alloc_source__name(enum alloc_source source)
{
	switch (source) {
	case ALLOC_SOURCE_NONE:
		break;
	case ALLOC_SOURCE_SAMPLES:
		return "runtime_samples";
	case ALLOC_SOURCE_SAMPLE_HITS:
		return "sampled_allocations";
	case ALLOC_SOURCE_WINDOWS:
		return "allocation_windows";
	case ALLOC_SOURCE_ALL:
		return "all_allocations";
	}
	return "";
}
