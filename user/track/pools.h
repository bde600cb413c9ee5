/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_POOLS_H
#define GLEAKD_TRACK_POOLS_H

/*
 * How often each sync.Pool was asked for something (Get) and given something back (Put) while that was watched, and by
 * which lines. What is not given back is no leak, the collector takes it: it is the reuse that the pool is there for
 * which is lost. Pure.
 */
#include "track/resources.h"

#define POOL_USES_MAX	 16384 /* pairs of a pool and a line */
#define POOL_MIN_GETS	 500   /* before anything is said of one */
#define POOL_MAX_RATIO	 2.5   /* Get ÷ Put: reuse is lost above it */
#define POOL_ENOUGH_USES 16384 /* of all pools: by then what is used much is known */

struct pool_uses;

int pool_uses__new(struct pool_uses **ret_uses) __must_check;
void pool_uses__free(struct pool_uses *uses);

/*
 * pool_uses__note - by @opener (0: not known) of the pool at @pool. What is beyond POOL_USES_MAX is
 * refused. -ENOMEM.
 */
int pool_uses__note(struct pool_uses *uses, uint64_t pool, uint32_t opener, bool put) __must_check;

uint64_t pool_uses__count(const struct pool_uses *uses); /* of all pools */
uint64_t pool_uses__refused(const struct pool_uses *uses);

/*
 * pool_uses__next - the next pool behind @pool (0: the first) that was seen to be used, by rising
 * addresses; 0: none.
 */
uint64_t pool_uses__next(const struct pool_uses *uses, uint64_t pool);

/*
 * pool_uses__describe - how @place, the pool at @pool, was used: opened is Get, closed is Put; the lines with most Get
 * first. @uses may be NULL: nobody watched.
 */
void pool_uses__describe(const struct pool_uses *uses, uint64_t pool, struct resource_place *place);

#endif /* GLEAKD_TRACK_POOLS_H */
