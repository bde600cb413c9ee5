/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_RESOURCES_TARGET_POOLS_H
#define GLEAKD_SESSION_RESOURCES_TARGET_POOLS_H

/* The sync.Pools of a target: what lies in them, and how they are used as far as that was watched. */
#include "heap/resources/pools.h"
#include "session/target.h"
#include "track/pools.h"

/* Objects that lie in a pool, by looks. */
struct target_pool {
	uint64_t address; /* the target's */
	char *name;
	uint64_t objects, first;    /* at the last look, and at the first that has seen it */
	uint64_t first_ns, last_ns; /* of these two */
};

struct target_pools {
	bool looked_up; /* whether it was tried to find the lists */
	uint64_t lists[2];
	struct target_pool *all; /* by rising addresses */
	size_t n, capacity;
};

void target_pools__release(struct target_pools *pools);

/*
 * target_pools__take - one more look, at @now_ns, when @scan has ended. @uses: pools that no list
 * has are looked at as well; or NULL. -ENOMEM.
 */
int target_pools__take(struct target_pools *pools, const struct target *target,
		       const struct heap_runtime *runtime, const struct heap_paths *paths,
		       struct heap_scan *scan, const struct pool_uses *uses,
		       uint64_t now_ns) __must_check;

/* target_pools__place - how one of them is shown. */
struct resource_place target_pools__place(const struct target_pool *pool,
					  const struct pool_uses *uses);

#endif /* GLEAKD_SESSION_RESOURCES_TARGET_POOLS_H */
