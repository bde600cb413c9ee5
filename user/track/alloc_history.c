// SPDX-License-Identifier: Apache-2.0
#include "track/alloc_history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"

struct seen_object {
	struct alloc_object object;
	bool stayed;
};

struct bucket_past {
	uint64_t bucket;
	struct alloc_past past;
};

struct alloc_history {
	struct alloc_history_options options; /* the period becomes longer */
	struct seen_object *seen;	      /* at the last look, by address */
	size_t n_seen;
	bool looked; /* @seen is that of a look at @last_ns, after @gc_cycles */
	uint64_t last_ns, gc_cycles;
	struct alloc_times times;
	struct bucket_past *buckets;
	size_t n_buckets, capacity;
	struct index *by_bucket;
};

int alloc_history__new(const struct alloc_history_options *options,
		       struct alloc_history **ret_history)
{
	struct alloc_history *history = calloc(1, sizeof(*history));

	if (!history)
		return -ENOMEM;
	history->options = *options;
	if (!history->options.period_ns)
		history->options.period_ns = ALLOC_MIN_PERIOD_NS;
	if (index__new(options->max, &history->by_bucket)) {
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
	history->looked = false;
	history->times.n = 0;
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

static int count(struct alloc_history *history, uint64_t bucket, unsigned int look, bool stayed)
{
	struct bucket_past *of;
	int err = past_of(history, bucket, &of);

	if (err)
		return err;
	if (stayed)
		of->past.stayed[look]++;
	else
		of->past.freed[look]++;
	return 0;
}

/* Both are sorted: walks through the last look and this one side by side. */
static int match(struct alloc_history *history, struct seen_object *now, size_t n,
		 unsigned int look)
{
	size_t last = 0, i = 0;
	int err = 0;

	while ((last < history->n_seen || i < n) && !err) {
		const struct seen_object *before =
			last < history->n_seen ? &history->seen[last] : NULL;
		int order = !before ? 1 : i == n ? -1 : compare(&before->object, &now[i].object);

		if (order == 0) {
			now[i].stayed = true;
			err = count(history, now[i].object.bucket, look, true);
		} else if (order < 0 && before->stayed) {
			err = count(history, before->object.bucket, look, false);
		}
		last += order <= 0;
		i += order >= 0;
	}
	return err;
}

/* Look @from becomes look @to, with what was freed between it and the one before. */
static void move(struct alloc_past *past, unsigned int from, unsigned int to, uint32_t freed)
{
	past->stayed[to] = past->stayed[from];
	past->freed[to] = past->freed[from] + freed;
}

/* Every other one is forgotten, the latest stays. */
static void thin(struct alloc_history *history)
{
	for (unsigned int to = 1; 2 * to < ALLOC_LOOKS; to++) {
		history->times.ns[to] = history->times.ns[2 * to];
		for (size_t i = 0; i < history->n_buckets; i++) {
			struct alloc_past *past = &history->buckets[i].past;

			move(past, 2 * to, to, past->freed[2 * to - 1]);
		}
	}
	history->times.n = ALLOC_LOOKS / 2 + 1;
	history->options.period_ns *= 2;
}

static void forget_oldest(struct alloc_history *history)
{
	for (unsigned int to = 0; to + 1 < ALLOC_LOOKS; to++) {
		history->times.ns[to] = history->times.ns[to + 1];
		for (size_t i = 0; i < history->n_buckets; i++)
			move(&history->buckets[i].past, to + 1, to, 0);
	}
	history->times.n = ALLOC_LOOKS - 1;
}

/* Returns the number of the next look, which has nothing yet. */
static unsigned int make_room(struct alloc_history *history)
{
	unsigned int look;

	if (history->times.n == ALLOC_LOOKS) {
		if (history->options.period_ns * 2 <= ALLOC_MAX_PERIOD_NS)
			thin(history);
		else
			forget_oldest(history);
	}
	look = history->times.n;
	for (size_t i = 0; i < history->n_buckets; i++) {
		history->buckets[i].past.stayed[look] = 0;
		history->buckets[i].past.freed[look] = 0;
	}
	return look;
}

static int take(struct alloc_history *history, uint64_t time_ns, const struct alloc_object *objects,
		size_t n)
{
	struct seen_object *now = calloc(n + 1, sizeof(*now));
	int err = 0;

	if (!now)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		now[i].object = objects[i];
	if (history->looked) {
		unsigned int look = make_room(history);

		err = match(history, now, n, look);
		history->times.ns[look] = time_ns;
		history->times.n = look + 1;
	}
	if (err) {
		free(now);
		return err;
	}
	free(history->seen);
	history->seen = now;
	history->n_seen = n;
	return 0;
}

bool alloc_history__is_due(const struct alloc_history *history, uint64_t time_ns,
			   uint64_t gc_cycles)
{
	uint64_t period_ns = history->options.period_ns;

	return !history->looked ||
	       (gc_cycles >= history->gc_cycles + ALLOC_MIN_CYCLES &&
		time_ns >= history->last_ns + period_ns - period_ns / ALLOC_SLACK_PART);
}

int alloc_history__take(struct alloc_history *history, uint64_t time_ns, uint64_t gc_cycles,
			struct alloc_object *objects, size_t n)
{
	int err;

	if (!alloc_history__is_due(history, time_ns, gc_cycles))
		return 0;
	if (n)
		qsort(objects, n, sizeof(*objects), by_address);
	err = n > history->options.max ? -E2BIG : take(history, time_ns, objects, n);
	if (err) {
		begin_anew(history);
		return err;
	}
	history->looked = true;
	history->last_ns = time_ns;
	history->gc_cycles = gc_cycles;
	return 1;
}

/* --- what it tells ------------------------------------------------------------------------------ */

const struct alloc_times *alloc_history__times(const struct alloc_history *history)
{
	return &history->times;
}

void alloc_history__past(const struct alloc_history *history, uint64_t bucket,
			 struct alloc_past *ret_past)
{
	const struct bucket_past *of = find(history, bucket);

	*ret_past = of ? of->past : (struct alloc_past){0};
}

/* --- across restarts ---------------------------------------------------------------------------- */

static bool has_any(const struct alloc_history *history, const struct alloc_past *past)
{
	for (unsigned int i = 0; i < history->times.n; i++) {
		if (past->stayed[i] || past->freed[i])
			return true;
	}
	return false;
}

void alloc_history__each(const struct alloc_history *history,
			 bool (*visit)(void *ctx, uint64_t bucket, const struct alloc_past *past),
			 void *ctx)
{
	for (size_t i = 0; i < history->n_buckets; i++) {
		const struct bucket_past *of = &history->buckets[i];

		if (has_any(history, &of->past) && !visit(ctx, of->bucket, &of->past))
			return;
	}
}

/* As far apart as looks were at the end. */
static void set_period(struct alloc_history *history)
{
	const struct alloc_times *times = &history->times;
	uint64_t last_ns = times->ns[times->n - 1] - times->ns[times->n - 2];

	while (history->options.period_ns * 2 <= min_of(last_ns, (uint64_t)ALLOC_MAX_PERIOD_NS))
		history->options.period_ns *= 2;
}

int alloc_history__restore_times(struct alloc_history *history, const struct alloc_times *times)
{
	if (history->looked || history->times.n || times->n > ALLOC_LOOKS)
		return -EINVAL;
	for (unsigned int i = 1; i < times->n; i++) {
		if (times->ns[i] <= times->ns[i - 1])
			return -EINVAL;
	}
	history->times = *times;
	if (times->n > ALLOC_LOOKS / 2)
		set_period(history);
	return 0;
}

int alloc_history__restore_past(struct alloc_history *history, uint64_t bucket,
				const struct alloc_past *past)
{
	struct bucket_past *of;
	int err = past_of(history, bucket, &of);

	if (!err)
		of->past = *past;
	return err;
}
