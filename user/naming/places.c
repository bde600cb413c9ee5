// SPDX-License-Identifier: Apache-2.0
/*
 * Caches in front of site_frames, which knows how to name places. Nothing is evicted: the lines of a
 * program are limited in number, and what a hostile one makes up beyond the limits is worked out
 * again each time.
 */
#include "naming/places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"
#include "naming/site_frames.h"

#define MAX_PAIRS 65536 /* as many pcs as the symbolizer remembers */

/* Numbers by number. */
struct pair {
	uint64_t key, value;
};

struct pair_table {
	struct pair *pairs;
	size_t size, n;
	struct index *index; /* of the pairs, by key */
};

/* One for creations, one for starts, one for calls. */
struct pc_cache {
	struct pair_table canonical; /* by pc */
	struct pair_table first;     /* the first pc of a name */
	uint64_t (*name)(struct symbolizer *symbolizer, uint64_t pc);
};

struct places {
	struct symbolizer *symbolizer;
	const struct stack_table *stacks;
	struct pc_cache creations, starts, calls;
	uint64_t *parks; /* by stack id, which are dense; 0: not asked for yet */
	size_t n_parks;
	struct site_frames frames; /* scratch: big */
};

/* The tracker has as many stacks at most, see target.c. */
#define MAX_PARKS ((size_t)1 << 18)

/* --- pairs --------------------------------------------------------------------------------------- */

static const struct pair *find_pair(const struct pair_table *table, uint64_t key)
{
	struct index_search search = index__search(table->index, hash__keyed_word(key));

	while (index__next(&search)) {
		if (table->pairs[search.number].key == key)
			return &table->pairs[search.number];
	}
	return NULL;
}

/* When there is room. */
static void add_pair(struct pair_table *table, uint64_t key, uint64_t value)
{
	if (array__reserve(table->pairs, table->size, table->n + 1) &&
	    !index__add(table->index, hash__keyed_word(key), (uint32_t)table->n))
		table->pairs[table->n++] = (struct pair){key, value};
}

/* --- creations, starts and calls ------------------------------------------------------------------------ */

static uint64_t first_pc(struct places *places, struct pc_cache *cache, uint64_t pc)
{
	uint64_t name = cache->name(places->symbolizer, pc);
	const struct pair *first = find_pair(&cache->first, name);
	uint64_t canonical = first ? first->value : name ? pc : 0;

	if (!first && name)
		add_pair(&cache->first, name, pc);
	add_pair(&cache->canonical, pc, canonical);
	return canonical;
}

static inline uint64_t canonical_pc(struct places *places, struct pc_cache *cache, uint64_t pc)
{
	const struct pair *pair;

	if (!pc)
		return 0;
	pair = find_pair(&cache->canonical, pc);
	return pair ? pair->value : first_pc(places, cache, pc);
}

uint64_t places__creation(struct places *places, uint64_t pc)
{
	return canonical_pc(places, &places->creations, pc);
}

uint64_t places__start(struct places *places, uint64_t pc)
{
	return canonical_pc(places, &places->starts, pc);
}

uint64_t places__call(struct places *places, uint64_t pc)
{
	return canonical_pc(places, &places->calls, pc);
}

/* --- parks --------------------------------------------------------------------------------------- */

/* Room for @stack_id, and behind it zeroes. */
static int grow_parks(struct places *places, uint32_t stack_id)
{
	size_t n = places->n_parks;

	if (stack_id >= MAX_PARKS)
		return -ENOSPC;
	if (!array__reserve(places->parks, places->n_parks, (size_t)stack_id + 1))
		return -ENOMEM;
	memset(places->parks + n, 0, (places->n_parks - n) * sizeof(places->parks[0]));
	return 0;
}

uint64_t places__park(struct places *places, uint32_t stack_id)
{
	if (stack_id == STACK_ID_NONE)
		return 0;
	if (stack_id < places->n_parks && places->parks[stack_id])
		return places->parks[stack_id];
	site_frames__resolve(places->symbolizer, places->stacks, 0, 0, stack_id, &places->frames);
	if (stack_id < places->n_parks || !grow_parks(places, stack_id))
		places->parks[stack_id] = places->frames.place;
	return places->frames.place;
}

/* --- life ---------------------------------------------------------------------------------------- */

static int pc_cache__init(struct pc_cache *cache,
			  uint64_t (*name)(struct symbolizer *symbolizer, uint64_t pc))
{
	cache->name = name;
	return index__new(MAX_PAIRS, &cache->canonical.index) ||
			       index__new(MAX_PAIRS, &cache->first.index) ?
		       -ENOMEM :
		       0;
}

static void pc_cache__fini(struct pc_cache *cache)
{
	index__free(cache->canonical.index);
	index__free(cache->first.index);
	free(cache->canonical.pairs);
	free(cache->first.pairs);
}

int places__new(struct symbolizer *symbolizer, const struct stack_table *stacks,
		struct places **ret_places)
{
	struct places *places = calloc(1, sizeof(*places));

	if (!places)
		return -ENOMEM;
	places->symbolizer = symbolizer;
	places->stacks = stacks;
	if (pc_cache__init(&places->creations, site_frames__creation) ||
	    pc_cache__init(&places->starts, site_frames__start) ||
	    pc_cache__init(&places->calls, site_frames__call)) {
		places__free(places);
		return -ENOMEM;
	}
	*ret_places = places;
	return 0;
}

void places__free(struct places *places)
{
	if (!places)
		return;
	pc_cache__fini(&places->creations);
	pc_cache__fini(&places->starts);
	pc_cache__fini(&places->calls);
	free(places->parks);
	free(places);
}
