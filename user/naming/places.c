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

#include "base/hash.h"
#include "naming/site_frames.h"

#define FIRST_SIZE 256
#define MAX_PAIRS  65536 /* as many pcs as the symbolizer remembers */

/* Numbers by number, open addressing; no key is 0. */
struct pair {
	uint64_t key, value;
};

struct pair_table {
	struct pair *slots;
	size_t size, n; /* a power of two, at least twice n */
};

/* One for creations, one for starts. */
struct pc_cache {
	struct pair_table canonical; /* by pc */
	struct pair_table first;     /* the first pc of a name */
	uint64_t (*name)(struct symbolizer *symbolizer, uint64_t pc);
};

struct places {
	struct symbolizer *symbolizer;
	const struct stack_table *stacks;
	struct pc_cache creations, starts;
	uint64_t *parks; /* by stack id, which are dense; 0: not asked for yet */
	size_t n_parks;
	uint64_t refused;
	struct site_frames frames; /* scratch: big */
};

/* The tracker has as many stacks at most, see target.c. */
#define MAX_PARKS ((size_t)1 << 18)

/* --- pairs --------------------------------------------------------------------------------------- */

static int pair_table__init(struct pair_table *table)
{
	table->size = FIRST_SIZE;
	table->slots = calloc(table->size, sizeof(*table->slots));
	return table->slots ? 0 : -ENOMEM;
}

/* The slot with @key, or the empty one where it belongs. */
static struct pair *find_pair(struct pair *slots, size_t size, uint64_t key)
{
	size_t i = hash__mix64(key) & (size - 1);

	while (slots[i].key && slots[i].key != key)
		i = (i + 1) & (size - 1);
	return &slots[i];
}

static int grow_pairs(struct pair_table *table)
{
	size_t size = table->size * 2;
	struct pair *slots;

	if (table->n < table->size / 2)
		return 0;
	slots = calloc(size, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < table->size; i++) {
		if (table->slots[i].key)
			*find_pair(slots, size, table->slots[i].key) = table->slots[i];
	}
	free(table->slots);
	table->slots = slots;
	table->size = size;
	return 0;
}

/* Returns whether there was room. */
static bool add_pair(struct pair_table *table, uint64_t key, uint64_t value)
{
	if (table->n >= MAX_PAIRS || grow_pairs(table))
		return false;
	*find_pair(table->slots, table->size, key) = (struct pair){key, value};
	table->n++;
	return true;
}

/* --- creations and starts ------------------------------------------------------------------------ */

static uint64_t first_pc(struct places *places, struct pc_cache *cache, uint64_t pc)
{
	uint64_t name = cache->name(places->symbolizer, pc);
	uint64_t canonical = find_pair(cache->first.slots, cache->first.size, name)->value;

	if (!canonical) {
		canonical = pc;
		places->refused += !add_pair(&cache->first, name, pc);
	}
	places->refused += !add_pair(&cache->canonical, pc, canonical);
	return canonical;
}

static inline uint64_t canonical_pc(struct places *places, struct pc_cache *cache, uint64_t pc)
{
	const struct pair *pair;

	if (!pc)
		return 0;
	pair = find_pair(cache->canonical.slots, cache->canonical.size, pc);
	return pair->key ? pair->value : first_pc(places, cache, pc);
}

uint64_t places__creation(struct places *places, uint64_t pc)
{
	return canonical_pc(places, &places->creations, pc);
}

uint64_t places__start(struct places *places, uint64_t pc)
{
	return canonical_pc(places, &places->starts, pc);
}

/* --- parks --------------------------------------------------------------------------------------- */

static int grow_parks(struct places *places, uint32_t stack_id)
{
	size_t n = max_of(places->n_parks, (size_t)FIRST_SIZE);
	uint64_t *parks;

	if (stack_id >= MAX_PARKS)
		return -ENOSPC;
	while (n <= stack_id)
		n *= 2;
	parks = reallocarray(places->parks, n, sizeof(*parks));
	if (!parks)
		return -ENOMEM;
	memset(parks + places->n_parks, 0, (n - places->n_parks) * sizeof(*parks));
	places->parks = parks;
	places->n_parks = n;
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
	else
		places->refused++;
	return places->frames.place;
}

/* --- life ---------------------------------------------------------------------------------------- */

static int pc_cache__init(struct pc_cache *cache,
			  uint64_t (*name)(struct symbolizer *symbolizer, uint64_t pc))
{
	cache->name = name;
	return pair_table__init(&cache->canonical) || pair_table__init(&cache->first) ? -ENOMEM : 0;
}

static void pc_cache__fini(struct pc_cache *cache)
{
	free(cache->canonical.slots);
	free(cache->first.slots);
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
	    pc_cache__init(&places->starts, site_frames__start)) {
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
	free(places->parks);
	free(places);
}

uint64_t places__refused(const struct places *places)
{
	return places->refused;
}
