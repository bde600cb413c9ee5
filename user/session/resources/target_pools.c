// SPDX-License-Identifier: Apache-2.0
#include "session/resources/target_pools.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"
#include "session/target_internal.h"

#define NAME_MAX_SIZE 512

struct pools_look {
	const struct heap_runtime *runtime;
	const struct heap_paths *paths;
	struct heap_scan *scan;
	uint64_t now_ns;
};

void target_pools__release(struct target_pools *pools)
{
	for (size_t i = 0; i < pools->n; i++)
		free(pools->all[i].name);
	free(pools->all);
	*pools = (struct target_pools){0};
}

/* Without symbols only those pools are known that are seen to be used. */
static void look_up(struct target_pools *pools, const struct target *target,
		    const struct heap_runtime *runtime)
{
	static const char *const names[] = {"sync.allPools", "sync.oldPools"};
	struct elf_symbol symbols[ARRAY_SIZE(names)] = {0};

	pools->looked_up = true;
	if (elf_image__symbols(go_binary__image(target->executable->binary), names, symbols,
			       ARRAY_SIZE(names)) <= 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (symbols[i].address)
			pools->lists[i] = symbols[i].address + runtime->bias;
	}
}

static size_t position_of(const struct target_pools *pools, uint64_t address)
{
	return bisect(pools->n, i, pools->all[i].address < address);
}

/* What is beyond HEAP_MAX_POOLS is left out. */
static int add(struct target_pools *pools, const struct pools_look *look, uint64_t address)
{
	size_t at = position_of(pools, address);
	char name[NAME_MAX_SIZE];
	struct target_pool pool = {.address = address, .first_ns = look->now_ns};

	if (!address || pools->n == HEAP_MAX_POOLS ||
	    (at < pools->n && pools->all[at].address == address))
		return 0;
	heap_pools__name(look->paths, look->scan, address, name, sizeof(name));
	pool.first = heap_pools__objects(look->runtime, address);
	pool.name = strdup(name);
	if (!pool.name || !array__reserve(pools->all, pools->capacity, pools->n + 1)) {
		free(pool.name);
		return -ENOMEM;
	}
	memmove(&pools->all[at + 1], &pools->all[at], (pools->n - at) * sizeof(*pools->all));
	pools->all[at] = pool;
	pools->n++;
	return 0;
}

int target_pools__take(struct target_pools *pools, const struct target *target,
		       const struct heap_runtime *runtime, const struct heap_paths *paths,
		       struct heap_scan *scan, const struct pool_uses *uses, uint64_t now_ns)
{
	const struct pools_look look = {runtime, paths, scan, now_ns};
	uint64_t *listed = calloc(HEAP_MAX_POOLS, sizeof(*listed)), used = 0;
	size_t n;
	int err = 0;

	if (!listed)
		return -ENOMEM;
	if (!pools->looked_up)
		look_up(pools, target, runtime);
	n = heap_pools__list(runtime, pools->lists, listed);
	for (size_t i = 0; i < n && !err; i++)
		err = add(pools, &look, listed[i]);
	free(listed);
	while (uses && !err && (used = pool_uses__next(uses, used)) != 0)
		err = add(pools, &look, used);
	for (size_t i = 0; i < pools->n && !err; i++) {
		pools->all[i].objects = heap_pools__objects(runtime, pools->all[i].address);
		pools->all[i].last_ns = now_ns;
	}
	return err;
}

struct resource_place target_pools__place(const struct target_pool *pool,
					  const struct pool_uses *uses)
{
	double minutes = (double)(pool->last_ns - pool->first_ns) / 60e9;
	struct resource_place place = {
		.kind = RESOURCE_POOL,
		.held = true,
		.outstanding = pool->objects,
		.first = pool->first,
		.oldest_ns = pool->last_ns - pool->first_ns,
	};

	if (minutes > 0)
		place.per_minute = ((double)pool->objects - (double)pool->first) / minutes;
	pool_uses__describe(uses, pool->address, &place);
	return place;
}
