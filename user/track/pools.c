// SPDX-License-Identifier: Apache-2.0
#include "track/pools.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"

struct pool_use {
	uint64_t pool;
	uint32_t opener;
	uint64_t gets, puts;
};

struct pool_uses {
	struct pool_use *all;
	size_t n, capacity;
	struct index *by_both;
	uint64_t count, refused;
};

int pool_uses__new(struct pool_uses **ret_uses)
{
	struct pool_uses *uses = calloc(1, sizeof(*uses));
	int err = uses ? index__new(POOL_USES_MAX, &uses->by_both) : -ENOMEM;

	if (err) {
		pool_uses__free(uses);
		return err;
	}
	*ret_uses = uses;
	return 0;
}

void pool_uses__free(struct pool_uses *uses)
{
	if (!uses)
		return;
	index__free(uses->by_both);
	free(uses->all);
	free(uses);
}

static struct pool_use *find(const struct pool_uses *uses, uint64_t hash, uint64_t pool,
			     uint32_t opener)
{
	struct index_search search = index__search(uses->by_both, hash);

	while (index__next(&search)) {
		struct pool_use *use = &uses->all[search.number];

		if (use->pool == pool && use->opener == opener)
			return use;
	}
	return NULL;
}

int pool_uses__note(struct pool_uses *uses, uint64_t pool, uint32_t opener, bool put)
{
	uint64_t hash = hash__combine(hash__keyed_word(pool), opener);
	struct pool_use *use = find(uses, hash, pool, opener);
	int err;

	if (!use && uses->n == POOL_USES_MAX) {
		uses->refused++;
		return 0;
	}
	if (!use) {
		if (!array__reserve(uses->all, uses->capacity, uses->n + 1))
			return -ENOMEM;
		err = index__add(uses->by_both, hash, (uint32_t)uses->n);
		if (err)
			return err;
		use = &uses->all[uses->n++];
		*use = (struct pool_use){.pool = pool, .opener = opener};
	}
	uses->count++;
	++*(put ? &use->puts : &use->gets);
	return 0;
}

uint64_t pool_uses__count(const struct pool_uses *uses)
{
	return uses->count;
}

uint64_t pool_uses__refused(const struct pool_uses *uses)
{
	return uses->refused;
}

uint64_t pool_uses__next(const struct pool_uses *uses, uint64_t pool)
{
	uint64_t next = 0;

	for (size_t i = 0; i < uses->n; i++) {
		uint64_t at = uses->all[i].pool;

		if (at > pool && (!next || at < next))
			next = at;
	}
	return next;
}

static bool is_lost(uint64_t gets, uint64_t puts)
{
	return (double)gets > POOL_MAX_RATIO * (double)puts;
}

static int most_first(const void *a, const void *b)
{
	const struct pool_use *x = *(const struct pool_use *const *)a;
	const struct pool_use *y = *(const struct pool_use *const *)b;

	if (x->gets != y->gets)
		return x->gets > y->gets ? -1 : 1;
	return (x->opener > y->opener) - (x->opener < y->opener);
}

/* The last one is for all others when there are more. */
static void add_opener(struct resource_place *place, const struct pool_use *use, bool more)
{
	struct resource_opener *opener = &place->openers[place->n_openers];

	if (place->n_openers == RESOURCE_OPENERS)
		opener--;
	else
		place->n_openers++;
	if (place->n_openers == RESOURCE_OPENERS && more)
		opener->number = 0;
	else
		opener->number = use->opener;
	opener->opened += use->gets;
	opener->closed += use->puts;
}

static void add_openers(struct resource_place *place, const struct pool_use **used, size_t n)
{
	if (n)
		qsort(used, n, sizeof(*used), most_first);
	for (size_t i = 0; i < n; i++)
		add_opener(place, used[i], n > RESOURCE_OPENERS);
	for (size_t i = 0; i < place->n_openers; i++) {
		struct resource_opener *opener = &place->openers[i];

		opener->verdict = place->verdict;
		if (place->verdict == RESOURCE_REUSE_LOST &&
		    !is_lost(opener->opened, opener->closed))
			opener->verdict = RESOURCE_STEADY;
	}
}

void pool_uses__describe(const struct pool_uses *uses, uint64_t pool, struct resource_place *place)
{
	const struct pool_use **used = uses ? calloc(uses->n + 1, sizeof(struct pool_use *)) : NULL;
	size_t n = 0;

	for (size_t i = 0; uses && i < uses->n; i++) {
		if (uses->all[i].pool != pool)
			continue;
		place->opened += uses->all[i].gets;
		place->closed += uses->all[i].puts;
		if (used)
			used[n++] = &uses->all[i];
	}
	if (place->opened >= POOL_MIN_GETS)
		place->verdict = is_lost(place->opened, place->closed) ? RESOURCE_REUSE_LOST :
									 RESOURCE_STEADY;
	/* Without memory the lines are left out. */
	add_openers(place, used, n);
	free(used);
}
