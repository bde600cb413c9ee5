/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_PATHS_GROWTH_H
#define GLEAKD_HEAP_PATHS_GROWTH_H

/*
 * Which containers grow: those with more in them at each look than at the one before, by about as much
 * each time. What grows while a program warms up gets slower, a cache at its limit does not grow, and
 * what comes and goes has as often less as it has more. What has more in it each time that is looked, and is filled
 * anew in between, does not grow either: then few of those stay that would make up the growth.
 *
 * Pure: looks are given with their time.
 */
#include "heap/paths/members.h"
#include "heap/paths/tree.h"

#define GROWTH_MIN_LOOKS 4u

struct heap_growth;

/*
 * Monotonic. What is counted is read at some time in between; so at least what is between the end of a
 * look and the beginning of the next has gone by.
 */
struct heap_look {
	uint64_t begin_ns, end_ns;
};

struct heap_growth_series {
	uint64_t first, last;		    /* entries, or bytes where they are not known */
	uint64_t bytes_before, bytes_after; /* that the container retains */
	double per_minute;
};

int heap_growth__new(struct heap_growth **ret_growth) __must_check;
void heap_growth__free(struct heap_growth *growth);

/* heap_growth__members - to be told of all objects before each look is taken. */
struct path_members *heap_growth__members(struct heap_growth *growth);

/*
 * heap_growth__take - one more look: the @tree after all objects have been counted, and memory that is
 * not Go's. @sums: bytes per node with all that hangs from it. -ENOMEM.
 */
int heap_growth__take(struct heap_growth *growth, const struct path_tree *tree,
		      const uint64_t *sums, uint64_t other_bytes,
		      const struct heap_look *look) __must_check;

size_t heap_growth__looks(const struct heap_growth *growth);
uint64_t heap_growth__elapsed_ns(const struct heap_growth *growth); /* from the first to the last */

/* heap_growth__of - whether @node has grown in all looks, and how. */
bool heap_growth__of(const struct heap_growth *growth, const struct path_tree *tree, uint16_t node,
		     struct heap_growth_series *ret_series);

/* heap_growth__of_other - the same for memory that is not Go's; entries are bytes. */
bool heap_growth__of_other(const struct heap_growth *growth, struct heap_growth_series *ret_series);

#endif /* GLEAKD_HEAP_PATHS_GROWTH_H */
