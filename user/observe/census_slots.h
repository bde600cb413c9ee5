/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_CENSUS_SLOTS_H
#define GLEAKD_OBSERVE_CENSUS_SLOTS_H

/*
 * Every g struct a process has, in address order. 20 bytes each in three parallel arrays, since
 * there may be millions: the walk over addresses and fingerprints is sequential, and handles are
 * only touched for slots that are alive. The arrays grow with mremap(2), which moves pages and
 * never holds two copies.
 */
#include "base/common.h"

struct census_slots {
	uint64_t *addresses;	/* ascending, no two alike */
	uint64_t *fingerprints; /* of the goroutine last seen there; 0: read it again */
	uint32_t *handles;	/* what seen() returned for it; 0: none */
	size_t n;
	size_t capacity;
	size_t mapped[3]; /* bytes behind each array, in the order above */
};

/* census_slots__usable - remove what cannot be the address of a g; returns how many of @n stay, in their order. */
size_t census_slots__usable(uint64_t *addresses, size_t n);

/*
 * census_slots__add - insert @n addresses in any order; those known already are ignored. @fresh is
 * sorted in place, @scratch is as large. On -ENOMEM nothing was inserted.
 */
int census_slots__add(struct census_slots *slots, uint64_t *fresh, size_t n,
		      uint64_t *scratch) __must_check;
/* census_slots__visit - those with a handle, in address order, until @visit returns false. */
void census_slots__visit(const struct census_slots *slots,
			 bool (*visit)(void *ctx, uint32_t handle, uint64_t address), void *ctx);
void census_slots__free(struct census_slots *slots);

#endif /* GLEAKD_OBSERVE_CENSUS_SLOTS_H */
