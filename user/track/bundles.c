// SPDX-License-Identifier: Apache-2.0
#include "track/bundles.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/bisect.h"
#include "track/ticks.h"
#include "track/verdict_limits.h"

/*
 * Each P of the runtime takes 16 goids at a time (src/runtime/proc.go _GoidCacheBatch), so goroutines
 * of one moment differ by that much and more. Where not many are created between two members, goids
 * tell nothing.
 */
#define LEAST_GOID_GAP 64.0
/* The time that the members of one bundle may take to begin: a handshake and the like. */
#define MOST_TIME ticks__of(NSEC_PER_SEC)

struct births {
	size_t n;
	uint64_t *
		keys; /* owned, of twice BUNDLES_MAX_BIRTHS; rising once the bundles are looked for */
	size_t bundle;
};

struct bundles {
	bool exact; /* keys are ticks, else goids */
	size_t n;
	struct births sites[BUNDLES_MAX_SITES];
};

struct bundles *bundles__new(bool exact)
{
	struct bundles *bundles = calloc(1, sizeof(*bundles));

	if (bundles)
		bundles->exact = exact;
	return bundles;
}

void bundles__free(struct bundles *bundles)
{
	for (size_t i = 0; bundles && i < bundles->n; i++)
		free(bundles->sites[i].keys);
	free(bundles);
}

int bundles__add_site(struct bundles *bundles)
{
	struct births *births = &bundles->sites[bundles->n];

	if (bundles->n == BUNDLES_MAX_SITES)
		return -ENOSPC;
	births->keys = calloc(2 * BUNDLES_MAX_BIRTHS, sizeof(*births->keys));
	if (!births->keys)
		return -ENOMEM;
	births->bundle = bundles->n;
	return (int)bundles->n++;
}

size_t bundles__count(const struct bundles *bundles)
{
	return bundles->n;
}

static int compare_keys(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sort(struct births *births)
{
	if (births->n)
		qsort(births->keys, births->n, sizeof(*births->keys), compare_keys);
}

static void keep_latest(struct births *births)
{
	sort(births);
	if (births->n <= BUNDLES_MAX_BIRTHS)
		return;
	for (size_t i = 0; i < BUNDLES_MAX_BIRTHS; i++)
		births->keys[i] = births->keys[births->n - BUNDLES_MAX_BIRTHS + i];
	births->n = BUNDLES_MAX_BIRTHS;
}

void bundles__add_birth(struct bundles *bundles, size_t slot, uint64_t goid, uint64_t ticks)
{
	struct births *births = &bundles->sites[slot];

	if (births->n == (size_t)2 * BUNDLES_MAX_BIRTHS)
		keep_latest(births);
	births->keys[births->n++] = bundles->exact ? ticks : goid;
}

/* Index of the first of @births that is not below @key. */
static size_t first_from(const struct births *births, uint64_t key)
{
	return bisect(births->n, i, births->keys[i] < key);
}

/* The members that were created in the time from which both sites have some. */
struct span {
	uint64_t from, to;
};

static double count_in(const struct births *births, struct span span)
{
	return (double)(first_from(births, span.to + 1) - first_from(births, span.from));
}

static bool has_near(const struct births *births, uint64_t key, uint64_t near)
{
	size_t i = first_from(births, key - min_of(key, near));

	return i < births->n && births->keys[i] <= key + near;
}

/* Whether nearly every member of @a within @span has one of @b near it. */
static bool accompanies(const struct births *a, const struct births *b, struct span span,
			uint64_t near)
{
	double with = 0, all = count_in(a, span);

	for (size_t i = first_from(a, span.from); i < a->n && a->keys[i] <= span.to; i++)
		with += has_near(b, a->keys[i], near);
	return with >= all * BUNDLE_MIN_SHARE;
}

/* As many of one as of the other, or a whole number of times as many. */
static bool are_in_proportion(double fewer, double more)
{
	double times = round(more / fewer);

	return times <= BUNDLE_MAX_TIMES && fabs(more - times * fewer) <= more / 10 + 1;
}

static bool are_born_together(const struct bundles *bundles, const struct births *a,
			      const struct births *b)
{
	struct span span;
	double fewer, more, gap;
	uint64_t near;

	if (!a->n || !b->n)
		return false;
	span.from = max_of(a->keys[0], b->keys[0]);
	span.to = min_of(a->keys[a->n - 1], b->keys[b->n - 1]);
	if (span.from >= span.to)
		return false;
	fewer = min_of(count_in(a, span), count_in(b, span));
	more = max_of(count_in(a, span), count_in(b, span));
	if (fewer < GROWTH_MIN_STAYED || !are_in_proportion(fewer, more))
		return false;
	gap = (double)(span.to - span.from) / fewer;
	if (!bundles->exact && gap < LEAST_GOID_GAP)
		return false;
	near = (uint64_t)(gap / BUNDLE_GAP_PART);
	if (bundles->exact)
		near = min_of(near, MOST_TIME);
	return accompanies(a, b, span, near) && accompanies(b, a, span, near);
}

static void join(struct bundles *bundles, size_t a, size_t b)
{
	size_t from = bundles->sites[b].bundle, into = bundles->sites[a].bundle;

	for (size_t i = 0; i < bundles->n; i++)
		if (bundles->sites[i].bundle == max_of(from, into))
			bundles->sites[i].bundle = min_of(from, into);
}

void bundles__find(struct bundles *bundles)
{
	for (size_t i = 0; i < bundles->n; i++)
		keep_latest(&bundles->sites[i]);
	for (size_t i = 0; i < bundles->n; i++)
		for (size_t j = i + 1; j < bundles->n; j++)
			if (bundles->sites[i].bundle != bundles->sites[j].bundle &&
			    are_born_together(bundles, &bundles->sites[i], &bundles->sites[j]))
				join(bundles, i, j);
}

size_t bundles__of(const struct bundles *bundles, size_t slot)
{
	return bundles->sites[slot].bundle;
}
