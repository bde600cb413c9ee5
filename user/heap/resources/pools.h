/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_RESOURCES_POOLS_H
#define GLEAKD_HEAP_RESOURCES_POOLS_H

/* What lies in the sync.Pools of a program: by package sync's own list of those that are not empty. */
#include "heap/paths/paths.h"
#include "heap/scan/scan.h"

#define HEAP_MAX_POOLS 4096

/*
 * heap_pools__list - addresses of pools in the two lists at the target's @lists (sync.allPools, sync.oldPools; 0: not
 * known), into @pools, HEAP_MAX_POOLS of them. Returns how many.
 */
size_t heap_pools__list(const struct heap_runtime *runtime, const uint64_t lists[2],
			uint64_t *pools);

/* heap_pools__objects - how many lie in the pool at @address, of all processors; what cannot be read is none. */
uint64_t heap_pools__objects(const struct heap_runtime *runtime, uint64_t address);

/*
 * heap_pools__name - what the pool at @address is called, by what @scan and its @paths have found: the variable or the
 * field, main.buffers; else its address.
 */
void heap_pools__name(const struct heap_paths *paths, struct heap_scan *scan, uint64_t address,
		      char *name, size_t size);

#endif /* GLEAKD_HEAP_RESOURCES_POOLS_H */
