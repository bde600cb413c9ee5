// SPDX-License-Identifier: Apache-2.0
#include "track/alloc_history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"

#define LOOKS (ALLOC_PERIODS + 1)

struct seen_object {
	struct alloc_object object;
	bool stayed;
};

/* Rings: look number i is at i % LOOKS. */
struct bucket_past {
	uint64_t bucket;
	uint32_t stayed[LOOKS], freed[LOOKS];
};

struct alloc_history {
	size_t max;
	struct seen_object *seen; /* at the last look, by address */
	size_t n_seen;
	struct bucket_past *buckets;
	size_t n_buckets, capacity;
	struct index *by_bucket;
	uint64_t n_looks; /* the first of all says what is there, and not what stayed */
	uint64_t gc_cycles;
	uint64_t times_ns[LOOKS]; /* a ring likewise */
};

int alloc_history__new(size_t max, struct alloc_history **ret_history)
{
	struct alloc_history *history = calloc(1, sizeof(*history));

	if (!history)
		return -ENOMEM;
	history->max = max;
	if (index__new(max, &history->by_bucket)) {
		free(history);
		return -ENOMEM;
	}
	*ret_history = history;
	return 0;
}

void alloc_history__free(struct alloc_history *history)
{
	if (!history)
		return;
	free(history->seen);
	free(history->buckets);
	index__free(history->by_bucket);
	free(history);
}

static void begin_anew(struct alloc_history *history)
{
	free(history->seen);
	history->seen = NULL;
	history->n_seen = history->n_buckets = 0;
	history->n_looks = 0;
	index__clear(history->by_bucket);
}

/* --- by bucket ---------------------------------------------------------------------------------- */

static struct bucket_past *find(const struct alloc_history *history, uint64_t bucket)
{
	struct index_search search = index__search(history->by_bucket, hash__keyed_word(bucket));

	while (index__next(&search)) {
		if (history->buckets[search.number].bucket == bucket)
			return &history->buckets[search.number];
	}
	return NULL;
}

static int past_of(struct alloc_history *history, uint64_t bucket, struct bucket_past **ret_past)
{
	int err;

	*ret_past = find(history, bucket);
	if (*ret_past)
		return 0;
	if (!array__reserve(history->buckets, history->capacity, history->n_buckets + 1))
		return -ENOMEM;
	err = index__add(history->by_bucket, hash__keyed_word(bucket),
			 (uint32_t)history->n_buckets);
	if (err)
		return err == -ENOSPC ? -E2BIG : err;
	*ret_past = &history->buckets[history->n_buckets++];
	**ret_past = (struct bucket_past){.bucket = bucket};
	return 0;
}

/* --- from look to look -------------------------------------------------------------------------- */

static int compare(const struct alloc_object *x, const struct alloc_object *y)
{
	if (x->address != y->address)
		return (x->address > y->address) - (x->address < y->address);
	return (x->bucket > y->bucket) - (x->bucket < y->bucket);
}

static int by_address(const void *a, const void *b)
{
	return compare(a, b);
}

static int count(struct alloc_history *history, uint64_t bucket, size_t slot, bool stayed)
{
	struct bucket_past *past;
	int err = past_of(history, bucket, &past);

	if (err)
		return err;
	if (stayed)
		past->stayed[slot]++;
	else
		past->freed[slot]++;
	return 0;
}

/* Both are sorted: walks through the last look and this one side by side. */
static int match(struct alloc_history *history, struct seen_object *now, size_t n, size_t slot)
{
	size_t last = 0, i = 0;
	int err = 0;

	while ((last < history->n_seen || i < n) && !err) {
		const struct seen_object *before =
			last < history->n_seen ? &history->seen[last] : NULL;
		int order = !before ? 1 : i == n ? -1 : compare(&before->object, &now[i].object);

		if (order == 0) {
			now[i].stayed = true;
			err = count(history, now[i].object.bucket, slot, true);
		} else if (order < 0 && before->stayed) {
			err = count(history, before->object.bucket, slot, false);
		}
		last += order <= 0;
		i += order >= 0;
	}
	return err;
}

static int take(struct alloc_history *history, uint64_t time_ns, const struct alloc_object *objects,
		size_t n)
{
	struct seen_object *now = calloc(n + 1, sizeof(*now));
	size_t slot = history->n_looks % LOOKS;
	int err;

	if (!now)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		now[i].object = objects[i];
	for (size_t i = 0; i < history->n_buckets; i++)
		history->buckets[i].stayed[slot] = history->buckets[i].freed[slot] = 0;
	err = match(history, now, n, slot);
	if (err) {
		free(now);
		return err;
	}
	free(history->seen);
	history->seen = now;
	history->n_seen = n;
	history->times_ns[slot] = time_ns;
	history->n_looks++;
	return 0;
}

static uint64_t last_ns(const struct alloc_history *history)
{
	return history->times_ns[(history->n_looks - 1) % LOOKS];
}

int alloc_history__take(struct alloc_history *history, uint64_t time_ns, uint64_t gc_cycles,
			struct alloc_object *objects, size_t n)
{
	int err;

	if (history->n_looks && (gc_cycles < history->gc_cycles + ALLOC_MIN_CYCLES ||
				 time_ns < last_ns(history) + ALLOC_MIN_PERIOD_NS))
		return 0;
	if (n)
		qsort(objects, n, sizeof(*objects), by_address);
	err = n > history->max ? -E2BIG : take(history, time_ns, objects, n);
	if (err) {
		begin_anew(history);
		return err;
	}
	history->gc_cycles = gc_cycles;
	return 1;
}

/* --- what it tells ------------------------------------------------------------------------------ */

/* Looks that tell what stayed: all but the first of all. */
static unsigned int n_told(const struct alloc_history *history)
{
	uint64_t n = history->n_looks ? history->n_looks - 1 : 0;

	return (unsigned int)min_of(n, (uint64_t)LOOKS);
}

void alloc_history__past(const struct alloc_history *history, uint64_t bucket,
			 struct alloc_past *ret_past)
{
	const struct bucket_past *past = find(history, bucket);
	unsigned int n = n_told(history);

	*ret_past = (struct alloc_past){.n = n};
	for (unsigned int i = 0; past && i < n; i++) {
		size_t slot = (history->n_looks - n + i) % LOOKS;

		ret_past->stayed[i] = past->stayed[slot];
		ret_past->freed[i] = past->freed[slot];
	}
}

uint64_t alloc_history__window_ns(const struct alloc_history *history)
{
	unsigned int n = n_told(history);

	if (n < 2)
		return 0;
	return last_ns(history) - history->times_ns[(history->n_looks - n) % LOOKS];
}
