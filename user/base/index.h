/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_INDEX_H
#define GLEAKD_BASE_INDEX_H

/*
 * Finds entries by key. The index holds neither entries nor keys: its owner has the entries in an
 * array, adds each entry's number with the hash of its key, and compares keys when it searches:
 *
 *	struct index_search search = index__search(index, hash__keyed_word(pid));
 *
 *	while (index__next(&search))
 *		if (processes[search.number].pid == pid)
 *			return &processes[search.number];
 *	return NULL;
 *
 * Open addressing with linear probing, at most half full. It begins small, doubles, and takes no more
 * entries than its maximum. Slots keep 32 bits of the hash: the index can grow without its owner, and
 * a search hardly ever names an entry with another key. Hash keys that come from a target with
 * hash__keyed().
 */
#include "base/common.h"

#define INDEX_MAX (1u << 30)

struct index_slot {
	uint32_t hash;	/* the lower half; its lowest bits chose the place */
	uint32_t entry; /* its number plus one; 0: free */
};

/* The members are public so that a search is compiled into its caller: every event makes some. */
struct index {
	struct index_slot *slots;
	uint32_t mask; /* number of slots, a power of two, minus one */
	uint32_t n, max;
};

/* index__new - for @max entries, at most INDEX_MAX; it allocates as it grows. -ENOMEM. */
int index__new(size_t max, struct index **ret_index) __must_check;
void index__free(struct index *index);

/*
 * index__add - add @number, below INDEX_MAX, whose key has @hash. It must not be in the index yet.
 * -ENOSPC: the maximum is reached; -ENOMEM. An index never shrinks: after index__remove() or
 * index__clear(), adding as many entries again does not fail.
 */
int index__add(struct index *index, uint64_t hash, uint32_t number) __must_check;

/*
 * index__remove - remove @number, which was added with @hash; nothing happens when it is not there.
 */
void index__remove(struct index *index, uint64_t hash, uint32_t number);

/* index__clear - remove all entries and keep the memory. */
void index__clear(struct index *index);

/* A search: valid until something is added or removed. */
struct index_search {
	const struct index *index;
	uint32_t hash, at;
	uint32_t number; /* the last one found */
};

/* index__search - begin a search for entries whose keys have @hash. Some that are found may not. */
static inline struct index_search index__search(const struct index *index, uint64_t hash)
{
	return (struct index_search){
		.index = index,
		.hash = (uint32_t)hash,
		.at = (uint32_t)hash & index->mask,
	};
}

/* index__next - the next one, in search->number; false: there is none. */
static inline bool index__next(struct index_search *search)
{
	const struct index *index = search->index;

	while (index->slots[search->at].entry) {
		const struct index_slot *slot = &index->slots[search->at];

		search->at = (search->at + 1) & index->mask;
		if (slot->hash != search->hash)
			continue;
		search->number = slot->entry - 1;
		return true;
	}
	return false;
}

#endif /* GLEAKD_BASE_INDEX_H */
