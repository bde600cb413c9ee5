// SPDX-License-Identifier: Apache-2.0
#include "discover/exe_cache.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"

struct kept {
	struct exe_file file;
	struct exe_knowledge knowledge;
	bool used; /* since the hand came by */
};

struct exe_cache {
	struct kept *kept;
	size_t n, size, max;
	size_t hand;
	uint64_t evicted;
	struct index *index; /* of what is kept, by file */
};

/* The file alone: what was known of it before it changed has the same hash. */
static uint64_t hash_of(const struct exe_file *file)
{
	const uint64_t words[] = {file->file.device, file->file.inode};

	return hash__keyed(words, sizeof(words));
}

int exe_cache__new(size_t max, struct exe_cache **ret_cache)
{
	struct exe_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->max = min_of(max_of(max, (size_t)1), (size_t)EXE_CACHE_MAX);
	if (index__new(cache->max, &cache->index)) {
		free(cache);
		return -ENOMEM;
	}
	*ret_cache = cache;
	return 0;
}

void exe_cache__free(struct exe_cache *cache)
{
	if (!cache)
		return;
	index__free(cache->index);
	free(cache->kept);
	free(cache);
}

/* The entry of @file, whatever its contents were then. */
static struct kept *find(struct exe_cache *cache, const struct exe_file *file)
{
	struct index_search search = index__search(cache->index, hash_of(file));

	while (index__next(&search)) {
		if (exe_file__same_file(&cache->kept[search.number].file, file))
			return &cache->kept[search.number];
	}
	return NULL;
}

bool exe_cache__get(struct exe_cache *cache, const struct exe_file *file,
		    struct exe_knowledge *ret_knowledge)
{
	struct kept *kept = find(cache, file);

	if (!kept || !exe_file__same_contents(&kept->file, file))
		return false;
	kept->used = true;
	*ret_knowledge = kept->knowledge;
	return true;
}

/* The next entry that was not asked for since the last round; at most two rounds. */
static uint32_t evict(struct exe_cache *cache)
{
	uint32_t number;

	while (cache->kept[cache->hand].used) {
		cache->kept[cache->hand].used = false;
		cache->hand = (cache->hand + 1) % cache->n;
	}
	number = (uint32_t)cache->hand;
	cache->hand = (cache->hand + 1) % cache->n;
	index__remove(cache->index, hash_of(&cache->kept[number].file), number);
	cache->evicted++;
	return number;
}

/* A place in `kept` that the index does not know. False: neither room nor anything to make room. */
static bool take_place(struct exe_cache *cache, uint32_t *ret_number)
{
	if (cache->n < cache->max && array__reserve(cache->kept, cache->size, cache->n + 1))
		*ret_number = (uint32_t)cache->n++;
	else if (cache->n)
		*ret_number = evict(cache);
	else
		return false;
	return true;
}

void exe_cache__put(struct exe_cache *cache, const struct exe_file *file,
		    struct exe_knowledge knowledge)
{
	struct kept *kept = find(cache, file);
	uint32_t number;

	if (kept) {
		kept->file = *file;
		kept->knowledge = knowledge;
		return;
	}
	if (!take_place(cache, &number))
		return;
	cache->kept[number] = (struct kept){.file = *file, .knowledge = knowledge};
	/* Without memory the place stays empty to the index until the hand comes by. */
	(void)!index__add(cache->index, hash_of(file), number);
}

size_t exe_cache__count(const struct exe_cache *cache)
{
	return cache->n;
}

uint64_t exe_cache__evicted(const struct exe_cache *cache)
{
	return cache->evicted;
}
