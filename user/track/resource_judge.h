/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_RESOURCE_JUDGE_H
#define GLEAKD_TRACK_RESOURCE_JUDGE_H

/* Whether what is open at a place only ever comes, by how much of it was there at each look. Pure. */
#include "track/resources.h"

/* The looks that are kept. */
struct resource_series {
	size_t n;
	uint64_t times[RESOURCE_MAX_LOOKS];
	uint64_t clients[RESOURCE_MAX_LOOKS]; /* as counts of a place, of what is served */
};

/*
 * resource_series__clients - how many clients, connections or requests of HTTP/2, came after the first look and are
 * there, if what has come to @place since is no more than what they may have open: it goes with them. Else 0.
 */
uint64_t resource_series__clients(const struct resource_series *series,
				  const struct resource_place *place);

/* After that long a watch, as many timers that fire @left_ns from now go as come. */
static inline uint64_t resource_timers__told_after(uint64_t left_ns)
{
	return left_ns + left_ns / 2;
}

/* From the first look to the last. */
struct resource_times {
	size_t looks;
	uint64_t elapsed_ns;
	uint64_t watched_ns; /* of it, in which it was watched who opens things */
};

/* resource_place__judge - by its counts: it and its openers. */
void resource_place__judge(struct resource_place *place, const struct resource_series *series,
			   const struct resource_times *times);

#endif /* GLEAKD_TRACK_RESOURCE_JUDGE_H */
