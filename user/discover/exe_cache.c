// SPDX-License-Identifier: Apache-2.0
#include "discover/exe_cache.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"

#define N_BUCKETS 16384 /* four to a bucket when full */
#define FIRST	  256
#define NONE	  UINT32_MAX

struct kept {
	struct exe_file file;
	struct exe_knowledge knowledge;
	uint32_t next; /* in the bucket */
	bool used;     /* since the hand came by */
};

struct exe_cache {
	struct kept *kept;
	size_t n, size, max;
	size_t hand;
	uint64_t evicted;
	uint32_t buckets[N_BUCKETS];
};

/* The file alone: of one that changed, the older knowledge is in the same bucket. */
static uint32_t *bucket_of(struct exe_cache *cache, const struct exe_file *file)
{
	uint64_t hash = hash__combine(hash__mix64(file->file.device), file->file.inode);

	return &cache->buckets[hash % N_BUCKETS];
}

int exe_cache__new(size_t max, struct exe_cache **ret_cache)
{
	struct exe_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->max = min_of(max_of(max, (size_t)1), (size_t)EXE_CACHE_MAX);
	for (size_t i = 0; i < N_BUCKETS; i++)
		cache->buckets[i] = NONE;
	*ret_cache = cache;
	return 0;
}

void exe_cache__free(struct exe_cache *cache)
{
	if (!cache)
		return;
	free(cache->kept);
	free(cache);
}

/* The entry of @file, whatever its contents were then. */
static struct kept *find(struct exe_cache *cache, const struct exe_file *file)
{
	for (uint32_t i = *bucket_of(cache, file); i != NONE; i = cache->kept[i].next)
		if (exe_file__same_file(&cache->kept[i].file, file))
			return &cache->kept[i];
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

static bool grow(struct exe_cache *cache)
{
	size_t size = min_of(max_of(cache->size * 2, (size_t)FIRST), cache->max);
	struct kept *kept;

	if (cache->n < cache->size)
		return true;
	if (size == cache->size)
		return false;
	kept = reallocarray(cache->kept, size, sizeof(*kept));
	if (!kept)
		return false;
	cache->kept = kept;
	cache->size = size;
	return true;
}

static void unlink_kept(struct exe_cache *cache, uint32_t index)
{
	uint32_t *link = bucket_of(cache, &cache->kept[index].file);

	while (*link != index)
		link = &cache->kept[*link].next;
	*link = cache->kept[index].next;
}

/* The next one that nobody asked for since the last round; at most two rounds. */
static uint32_t evict(struct exe_cache *cache)
{
	uint32_t index;

	while (cache->kept[cache->hand].used) {
		cache->kept[cache->hand].used = false;
		cache->hand = (cache->hand + 1) % cache->n;
	}
	index = (uint32_t)cache->hand;
	cache->hand = (cache->hand + 1) % cache->n;
	unlink_kept(cache, index);
	cache->evicted++;
	return index;
}

void exe_cache__put(struct exe_cache *cache, const struct exe_file *file,
		    struct exe_knowledge knowledge)
{
	struct kept *kept = find(cache, file);
	uint32_t *bucket = bucket_of(cache, file);
	uint32_t index;

	if (kept) {
		kept->file = *file;
		kept->knowledge = knowledge;
		return;
	}
	if (grow(cache))
		index = (uint32_t)cache->n++;
	else if (cache->n)
		index = evict(cache);
	else
		return;
	cache->kept[index] = (struct kept){.file = *file, .knowledge = knowledge, .next = *bucket};
	*bucket = index;
}

size_t exe_cache__count(const struct exe_cache *cache)
{
	return cache->n;
}

uint64_t exe_cache__evicted(const struct exe_cache *cache)
{
	return cache->evicted;
}
