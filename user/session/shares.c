// SPDX-License-Identifier: Apache-2.0
#include "session/shares.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "host/owner.h"

/* A user id has 32 bits. */
#define OWNER_CONTAINER (1ULL << 63)

uint64_t shares__owner(const struct target *target)
{
	const char *container = target__origin(target)->container_id;
	uid_t owner = target__owner(target);

	if (!owner__is_host(owner))
		return owner;
	return *container ? hash__keyed(container, strlen(container)) | OWNER_CONTAINER :
			    SHARES_HOST;
}

/* --- dividing ------------------------------------------------------------------------------------ */

static int by_owner(const void *a, const void *b)
{
	const struct share *x = *(struct share *const *)a, *y = *(struct share *const *)b;

	return (x->owner > y->owner) - (x->owner < y->owner);
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The most that one of @n may have so that all have @total at most; sorts @sizes. */
static double level_of(double *sizes, size_t n, double total)
{
	qsort(sizes, n, sizeof(*sizes), by_size);
	for (size_t i = 0; i < n; i++) {
		double level = total / (double)(n - i);

		if (sizes[i] > level)
			return level;
		total -= sizes[i];
	}
	return sizes[n - 1];
}

/* Of @n shares of one owner, who may have @total. @sizes has room for them. */
static void judge_owner(struct share **shares, size_t n, double total, double *sizes)
{
	double level;

	for (size_t i = 0; i < n; i++)
		sizes[i] = shares[i]->used;
	level = level_of(sizes, n, total);
	for (size_t i = 0; i < n; i++)
		shares[i]->over = shares[i]->used > level;
}

/* How many of the sorted @shares, from the first on, are one owner's. */
static size_t count_group(struct share **shares, size_t n, double *ret_used)
{
	size_t end = 0;

	*ret_used = 0;
	do
		*ret_used += shares[end++]->used;
	while (end < n && shares[0]->owner != SHARES_HOST &&
	       shares[end]->owner == shares[0]->owner);
	return end;
}

static void judge_sorted(struct share **shares, size_t n, double total, double *sizes)
{
	size_t groups = 0, length;
	double level, used;

	for (size_t i = 0; i < n; i += length)
		length = count_group(&shares[i], n - i, &sizes[groups++]);
	level = level_of(sizes, groups, total);
	for (size_t i = 0; i < n; i += length) {
		length = count_group(&shares[i], n - i, &used);
		if (used > level)
			judge_owner(&shares[i], length, level, sizes);
	}
}

void shares__judge(struct share *shares, size_t n, double total)
{
	struct share **sorted = calloc(n + 1, sizeof(struct share *));
	double *sizes = calloc(n + 1, sizeof(*sizes));

	for (size_t i = 0; i < n; i++) {
		shares[i].over = false;
		if (sorted)
			sorted[i] = &shares[i];
	}
	if (n && sorted && sizes) {
		qsort(sorted, n, sizeof(struct share *), by_owner);
		judge_sorted(sorted, n, total, sizes);
	}
	free(sorted);
	free(sizes);
}

/* --- memory -------------------------------------------------------------------------------------- */

static uint64_t used_by(const struct session *session, uint64_t owner)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < session__n_targets(session); i++) {
		const struct target *target = session__target(session, i);

		if (shares__owner(target) == owner)
			bytes += target__memory(target);
	}
	return bytes;
}

/* Large ones alone are asked for the sum: there are few. */
static bool is_over(const struct session *session, const struct target *target, uint64_t max_memory)
{
	uint64_t owner = shares__owner(target), limit = max_memory / 2;

	if (!max_memory || owner == SHARES_HOST)
		return false;
	/* Again only when there is some room, or it would go to and fro. */
	if (target__is_frozen(target))
		limit -= limit / 10;
	return target__memory(target) > limit / SESSION_MAX_TARGETS &&
	       used_by(session, owner) > limit;
}

void shares__keep_memory(struct session *session, uint64_t max_memory, bool full)
{
	for (size_t i = 0; i < session__n_targets(session); i++) {
		struct target *target = session__target(session, i);
		bool frozen = full || is_over(session, target, max_memory);

		if (frozen != target__is_frozen(target))
			target__freeze(target, frozen);
	}
}

/* --- processor time ------------------------------------------------------------------------------ */

size_t shares__slow_down(struct session *session, double max_cpu, uint64_t elapsed_ns)
{
	size_t n = session__n_targets(session), slowed = 0;
	struct share *shares = calloc(n + 1, sizeof(*shares));

	for (size_t i = 0; shares && i < n; i++) {
		struct target *target = session__target(session, i);

		shares[i].owner = shares__owner(target);
		shares[i].used = (double)target__take_cpu(target);
	}
	if (shares)
		shares__judge(shares, n, max_cpu * (double)elapsed_ns);
	for (size_t i = 0; shares && i < n; i++) {
		struct target *target = session__target(session, i);
		unsigned int stretch = target__stretch(target);

		if (!shares[i].over || stretch >= SHARES_MAX_STRETCH)
			continue;
		target__set_stretch(target, stretch * 2);
		slowed++;
	}
	free(shares);
	return slowed;
}

void shares__speed_up(struct session *session)
{
	for (size_t i = 0; i < session__n_targets(session); i++) {
		struct target *target = session__target(session, i);

		(void)target__take_cpu(target);
		target__set_stretch(target, max_of(target__stretch(target) / 2, 1u));
	}
}
