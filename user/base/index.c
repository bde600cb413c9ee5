// SPDX-License-Identifier: Apache-2.0
#include "base/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64u

int index__new(size_t max, struct index **ret_index)
{
	struct index *index = calloc(1, sizeof(*index));

	if (!index)
		return -ENOMEM;
	index->slots = calloc(FIRST_SLOTS, sizeof(*index->slots));
	if (!index->slots) {
		free(index);
		return -ENOMEM;
	}
	index->mask = FIRST_SLOTS - 1;
	index->max = (uint32_t)min_of(max, (size_t)INDEX_MAX);
	*ret_index = index;
	return 0;
}

void index__free(struct index *index)
{
	if (!index)
		return;
	free(index->slots);
	free(index);
}

/* The first free slot for @hash. Half of them are free. */
static struct index_slot *free_slot(struct index_slot *slots, uint32_t mask, uint32_t hash)
{
	uint32_t at = hash & mask;

	while (slots[at].entry)
		at = (at + 1) & mask;
	return &slots[at];
}

static int grow(struct index *index)
{
	uint32_t mask = index->mask * 2 + 1;
	struct index_slot *slots = calloc((size_t)mask + 1, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i <= index->mask; i++) {
		if (index->slots[i].entry)
			*free_slot(slots, mask, index->slots[i].hash) = index->slots[i];
	}
	free(index->slots);
	index->slots = slots;
	index->mask = mask;
	return 0;
}

int index__add(struct index *index, uint64_t hash, uint32_t number)
{
	if (index->n == index->max)
		return -ENOSPC;
	if (index->n > index->mask / 2 && grow(index))
		return -ENOMEM;
	*free_slot(index->slots, index->mask, (uint32_t)hash) =
		(struct index_slot){(uint32_t)hash, number + 1};
	index->n++;
	return 0;
}

/*
 * Entries behind the gap move into it, unless that would put them before the slot that their hash
 * chose: a search goes on to the first free slot and would miss what is behind the gap (Knuth, The
 * Art of Computer Programming 3, 6.4, algorithm R).
 */
static void close_gap(struct index *index, uint32_t gap)
{
	uint32_t mask = index->mask;

	for (uint32_t at = (gap + 1) & mask; index->slots[at].entry; at = (at + 1) & mask) {
		uint32_t home = index->slots[at].hash & mask;

		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		index->slots[gap] = index->slots[at];
		gap = at;
	}
	index->slots[gap] = (struct index_slot){0, 0};
}

void index__remove(struct index *index, uint64_t hash, uint32_t number)
{
	struct index_search search = index__search(index, hash);

	while (index__next(&search)) {
		if (search.number != number)
			continue;
		close_gap(index, (search.at - 1) & index->mask);
		index->n--;
		return;
	}
}

void index__clear(struct index *index)
{
	memset(index->slots, 0, ((size_t)index->mask + 1) * sizeof(*index->slots));
	index->n = 0;
}
