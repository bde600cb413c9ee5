/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_CENSUS_SCRATCH_H
#define GLEAKD_OBSERVE_CENSUS_SCRATCH_H

/*
 * What a census works in. There is nothing in it between two steps, so all that are under way share one: a round may
 * be that of hundreds of processes, and its pages are not to be made for each of them. Private to the census.
 */
#include "observe/census_stacks.h"

/* Entries of allgs merged at a time. */
#define CENSUS_ADD_CHUNK ((size_t)64 << 10)

struct census_scratch {
	struct census_gather gather;
	struct census_parked parked[PARKED_BATCH];
	size_t n_parked;
	struct census_stacks_scratch stacks;
	uint8_t windows[512u << 10]; /* copies of g structs; stays in the L2 cache */
	uint64_t fresh[CENSUS_ADD_CHUNK];
	uint64_t fresh_scratch[CENSUS_ADD_CHUNK];
};

/* census_scratch__take - for one census; NULL: no memory. */
struct census_scratch *census_scratch__take(void);

/* census_scratch__drop - of one census; NULL is fine. Its memory goes back with the last. */
void census_scratch__drop(struct census_scratch *scratch);

#endif /* GLEAKD_OBSERVE_CENSUS_SCRATCH_H */
