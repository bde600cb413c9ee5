// SPDX-License-Identifier: Apache-2.0
#include "track/departed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct set {
	struct departed_entry entries[DEPARTED_WAYS]; /* latest first */
};

struct departed {
	size_t n_sets; /* a power of two */
	struct set *sets;
	/* Since it last filled up: entries added, and entries overwritten that were not old yet. */
	size_t added, too_early;
};

int departed__new(struct departed **ret_departed)
{
	struct departed *departed = calloc(1, sizeof(*departed));

	if (!departed)
		return -ENOMEM;
	departed->n_sets = DEPARTED_MIN_SETS;
	departed->sets = calloc(departed->n_sets, sizeof(*departed->sets));
	if (!departed->sets) {
		free(departed);
		return -ENOMEM;
	}
	*ret_departed = departed;
	return 0;
}

void departed__free(struct departed *departed)
{
	if (!departed)
		return;
	free(departed->sets);
	free(departed);
}

/* No key: who makes goids collide has his own forgotten sooner, and nobody waits for it. */
static struct set *set_of(struct departed *departed, uint64_t goid)
{
	return &departed->sets[hash__mix64(goid) & (departed->n_sets - 1)];
}

struct departed_entry *departed__find(struct departed *departed, uint64_t goid)
{
	struct departed_entry *entries = set_of(departed, goid)->entries;

	for (size_t i = 0; i < DEPARTED_WAYS; i++)
		if (entries[i].goid == goid)
			return &entries[i];
	return NULL;
}

static void push(struct set *set, struct departed_entry entry)
{
	memmove(&set->entries[1], &set->entries[0], (DEPARTED_WAYS - 1) * sizeof(set->entries[0]));
	set->entries[0] = entry;
}

/* Without memory for more it stays as it is, and overwrites entries sooner. */
static void grow(struct departed *departed)
{
	struct set *old = departed->sets;
	struct set *sets = calloc(departed->n_sets * 2, sizeof(*sets));
	size_t n_old = departed->n_sets;

	if (!sets)
		return;
	departed->sets = sets;
	departed->n_sets *= 2;
	for (size_t i = 0; i < n_old; i++)
		for (size_t way = DEPARTED_WAYS; way-- > 0;)
			if (old[i].entries[way].goid)
				push(set_of(departed, old[i].entries[way].goid),
				     old[i].entries[way]);
	free(old);
}

/* A few entries overwritten early do no harm, and with sets of four there always are some. */
static void grow_if_too_small(struct departed *departed)
{
	size_t room = departed->n_sets * DEPARTED_WAYS;
	bool too_small = departed->too_early > room / 16;

	if (!too_small && departed->added < room)
		return;
	departed->added = departed->too_early = 0;
	if (too_small && departed->n_sets < DEPARTED_MAX_SETS)
		grow(departed);
}

void departed__add(struct departed *departed, uint64_t goid, uint64_t ticks, unsigned int flags)
{
	struct set *set = set_of(departed, goid);
	const struct departed_entry *oldest = &set->entries[DEPARTED_WAYS - 1];
	struct departed_entry entry = {.goid = goid, .ticks = ticks, .flags = flags};

	departed->added++;
	departed->too_early += oldest->goid && oldest->ticks + DEPARTED_KEEP_TICKS > ticks;
	push(set, entry);
	grow_if_too_small(departed);
}
