// SPDX-License-Identifier: Apache-2.0
#include "track/alloc_followed.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"

#define MAX_WAITING (1u << 16) /* classes of all processors */
#define FIRST_RATE  64.0       /* bytes */
#define CACHED	    3u /* mspan.sweepgen of a processor's span is that much over the heap's */
#define FIRST_SMALL 2u
#define MAX_INDEX   1024u /* objects of a span, at most: 8 KiB by 8 */

struct alloc_followed {
	struct alloc_flow *flow;
	struct followed_wait *waiting;
	size_t n_waiting, waiting_capacity;
	struct index *by_class;
	struct followed_object *objects;
	size_t n, capacity, max;
	double rate; /* 0: all are kept */
	uint64_t drawn;
	uint32_t gaps;
	bool seeing;
	unsigned int thinned;
};

int alloc_followed__new(struct alloc_flow *flow, size_t max, struct alloc_followed **ret_followed)
{
	struct alloc_followed *followed = calloc(1, sizeof(*followed));

	if (!followed)
		return -ENOMEM;
	followed->flow = flow;
	followed->max = max;
	if (index__new(MAX_WAITING, &followed->by_class)) {
		free(followed);
		return -ENOMEM;
	}
	*ret_followed = followed;
	return 0;
}

void alloc_followed__free(struct alloc_followed *followed)
{
	if (!followed)
		return;
	free(followed->waiting);
	free(followed->objects);
	index__free(followed->by_class);
	free(followed);
}

/* --- objects ------------------------------------------------------------------------------------ */

static struct alloc_flow_entry *entry_of(struct alloc_followed *followed, uint32_t entry)
{
	size_t n;

	return &alloc_flow__entries(followed->flow, &n)[entry];
}

/* Of an entry's objects all have the same. */
static double chance_of(struct alloc_followed *followed, uint32_t entry)
{
	if (followed->rate <= 0)
		return 1;
	return 1 - exp(-(double)entry_of(followed, entry)->bytes / followed->rate);
}

static float draw(struct alloc_followed *followed)
{
	/* 24 bits: what a float holds. */
	return (float)(hash__keyed_word(++followed->drawn) >> 40) / (float)(1u << 24);
}

/* Those that would not have been kept at twice the rate. */
static void thin(struct alloc_followed *followed)
{
	size_t n = 0;

	followed->rate = followed->rate > 0 ? 2 * followed->rate : FIRST_RATE;
	followed->thinned++;
	for (size_t i = 0; i < followed->n; i++) {
		if (followed->objects[i].chance < chance_of(followed, followed->objects[i].entry))
			followed->objects[n++] = followed->objects[i];
	}
	followed->n = n;
}

static void add(struct alloc_followed *followed, const struct followed_wait *wait,
		struct followed_object *object)
{
	uint32_t entry = wait->entry;

	object->entry = entry;
	object->weight = wait->weight;
	object->born_ns = wait->time_ns;
	object->chance = draw(followed);
	object->born = followed->drawn;
	object->gaps = followed->gaps;
	entry_of(followed, entry)->followed += object->weight;
	while (followed->n >= followed->max)
		thin(followed);
	if (object->chance >= chance_of(followed, entry))
		return;
	if (array__reserve(followed->objects, followed->capacity, followed->n + 1))
		followed->objects[followed->n++] = *object;
	else
		entry_of(followed, entry)->followed -= object->weight;
}

/* --- hits --------------------------------------------------------------------------------------- */

/* NULL: there is no room. Of large objects both classes are one. */
static struct followed_wait *wait_of(struct alloc_followed *followed, uint64_t mcache,
				     uint8_t span_class)
{
	uint8_t class = span_class < FIRST_SMALL ? 0 : span_class;
	uint64_t hash = hash__keyed_word(mcache << 8 | class);
	struct index_search search = index__search(followed->by_class, hash);
	struct followed_wait *wait;

	while (index__next(&search)) {
		wait = &followed->waiting[search.number];
		if (wait->place.mcache == mcache && wait->place.span_class == class)
			return wait;
	}
	if (!array__reserve(followed->waiting, followed->waiting_capacity,
			    followed->n_waiting + 1) ||
	    index__add(followed->by_class, hash, (uint32_t)followed->n_waiting))
		return NULL;
	wait = &followed->waiting[followed->n_waiting++];
	*wait = (struct followed_wait){.place = {.mcache = mcache, .span_class = class}};
	return wait;
}

static void resolve(struct alloc_followed *followed, const struct followed_wait *wait,
		    const struct followed_place *now)
{
	uint32_t sweepgen = now->sweepgen - CACHED, index = now->free_index - 1u;
	const struct alloc_flow_entry *entry = entry_of(followed, wait->entry);
	/* Tiny objects share a block, of which only the first that it was taken for is told here. */
	uint64_t bytes = entry->tiny ? 16 : entry->bytes;
	struct followed_object object = {
		.address = now->base + index * bytes,
		.mspan = now->span,
		.base = now->base,
		.index = index,
		.sweepgen = sweepgen,
	};

	/* A processor's spans are taken from it when a collection ends: then there is none. */
	if (!now->base || !now->free_index || index >= MAX_INDEX || sweepgen % 2)
		return;
	if (now->span == wait->place.span && now->free_index <= wait->place.free_index)
		return;
	add(followed, wait, &object);
}

void alloc_followed__hit(struct alloc_followed *followed, const struct followed_place *place,
			 const struct followed_hit *hit)
{
	struct followed_wait *wait = wait_of(followed, place->mcache, place->span_class);
	uint8_t class;

	if (!wait)
		return;
	class = wait->place.span_class;
	if (wait->valid && class && !hit->drawn)
		resolve(followed, wait, place);
	wait->place = *place;
	wait->place.span_class = class;
	wait->entry = hit->entry;
	wait->weight = hit->weight;
	wait->time_ns = hit->time_ns;
	wait->hits++;
	wait->valid = hit->entry != ALLOC_NO_ENTRY;
}

void alloc_followed__found(struct alloc_followed *followed, const struct followed_place *place)
{
	struct followed_wait *wait = wait_of(followed, place->mcache, place->span_class);

	if (!wait || !wait->valid || !wait->place.span_class)
		return;
	resolve(followed, wait, place);
	wait->valid = false;
}

void alloc_followed__large(struct alloc_followed *followed, const struct followed_place *place)
{
	struct followed_wait *wait = wait_of(followed, place->mcache, 0);
	struct followed_object object = {
		.address = place->base,
		.mspan = place->span,
		.base = place->base,
		.sweepgen = place->sweepgen,
	};

	if (!wait || !wait->valid)
		return;
	wait->valid = false;
	if (place->base && place->sweepgen % 2 == 0)
		add(followed, wait, &object);
}

const struct followed_wait *alloc_followed__waits(const struct alloc_followed *followed,
						  size_t *ret_n)
{
	*ret_n = followed->n_waiting;
	return followed->waiting;
}

void alloc_followed__seen(struct alloc_followed *followed, size_t i, uint32_t hits,
			  const struct followed_place *place)
{
	struct followed_wait *wait = &followed->waiting[i];

	if (!wait->valid || wait->hits != hits || !wait->place.span_class)
		return;
	resolve(followed, wait, place);
	wait->valid = false;
}

void alloc_followed__gap(struct alloc_followed *followed, bool seeing)
{
	followed->gaps++;
	followed->seeing = seeing;
	for (size_t i = 0; i < followed->n_waiting; i++)
		followed->waiting[i].valid = false;
}

/* --- from collection to collection --------------------------------------------------------------- */

struct followed_object *alloc_followed__objects(struct alloc_followed *followed, size_t *ret_n)
{
	*ret_n = followed->n;
	return followed->objects;
}

bool alloc_followed__all_seen(const struct alloc_followed *followed,
			      const struct followed_object *object)
{
	/* Of more than there is room for some were not kept. */
	return followed->seeing && object->gaps == followed->gaps && followed->rate <= 0;
}

static int by_address(const void *a, const void *b)
{
	const struct followed_object *x = a, *y = b;

	if (x->address != y->address)
		return (x->address > y->address) - (x->address < y->address);
	return (x->born > y->born) - (x->born < y->born);
}

void alloc_followed__replace(struct alloc_followed *followed)
{
	if (!followed->n)
		return;
	qsort(followed->objects, followed->n, sizeof(followed->objects[0]), by_address);
	for (size_t i = 0; i + 1 < followed->n; i++) {
		if (followed->objects[i].address == followed->objects[i + 1].address)
			followed->objects[i].state = FOLLOWED_DEAD;
	}
}

void alloc_followed__survived(const struct alloc_followed *followed, struct followed_object *object,
			      uint32_t sweepgen)
{
	object->sweepgen = sweepgen;
	object->gaps = followed->gaps;
	object->survived += object->survived < UINT8_MAX;
}

/* What it stands for of those that are followed. */
static double weight_of(struct alloc_followed *followed, const struct followed_object *object)
{
	return object->weight / chance_of(followed, object->entry);
}

static double young_ns(const struct followed_object *object, const struct followed_time *time)
{
	uint64_t age_ns = time->now_ns - min_of(time->now_ns, object->born_ns);

	return (double)min_of(age_ns, time->apart_ns);
}

void alloc_followed__drop(struct alloc_followed *followed, const struct followed_time *time)
{
	size_t n = 0;

	for (size_t i = 0; i < followed->n; i++) {
		const struct followed_object *object = &followed->objects[i];
		struct alloc_flow_entry *entry = entry_of(followed, object->entry);
		double weight = weight_of(followed, object),
		       young = young_ns(object, time) * weight;

		if (object->state == FOLLOWED_ALIVE) {
			followed->objects[n++] = *object;
		} else if (object->state == FOLLOWED_LOST) {
			entry->lost += weight;
		} else {
			entry->young += young;
			entry->young_squares += young * young;
		}
	}
	followed->n = n;
}

static void count_one(struct alloc_flow_entry *entry, double weight, double young,
		      const struct followed_time *time)
{
	double part = time->apart_ns ? young * weight / (double)time->watched_ns : 0;

	entry->live_weight += part;
	entry->live_squares += part * part;
	if (young < (double)time->apart_ns)
		return;
	entry->live++;
	entry->live_weight += weight;
	entry->live_squares += weight * weight;
	entry->old_weight += weight;
}

void alloc_followed__count(struct alloc_followed *followed, const struct followed_time *time)
{
	double watched = time->apart_ns ? (double)max_of(time->watched_ns, (uint64_t)1) : INFINITY;
	size_t n;
	struct alloc_flow_entry *entries = alloc_flow__entries(followed->flow, &n);

	for (size_t i = 0; i < n; i++) {
		entries[i].live = 0;
		entries[i].old_weight = 0;
		entries[i].live_weight = entries[i].young / watched;
		entries[i].live_squares = entries[i].young_squares / watched / watched;
	}
	for (size_t i = 0; i < followed->n; i++) {
		const struct followed_object *object = &followed->objects[i];

		count_one(&entries[object->entry], weight_of(followed, object),
			  young_ns(object, time), time);
	}
	/* Few windows are not spread evenly: what they saw long ago has been young once, and is not any more. */
	for (size_t i = 0; i < n; i++)
		entries[i].live_weight = fmin(entries[i].live_weight,
					      fmax(entries[i].followed - entries[i].lost, 0));
}

void alloc_followed__renumber(struct alloc_followed *followed, const uint32_t *map)
{
	for (size_t i = 0; i < followed->n; i++)
		followed->objects[i].entry = map[followed->objects[i].entry];
	for (size_t i = 0; i < followed->n_waiting; i++) {
		if (followed->waiting[i].valid)
			followed->waiting[i].entry = map[followed->waiting[i].entry];
	}
}

unsigned int alloc_followed__thinned(const struct alloc_followed *followed)
{
	return followed->thinned;
}
