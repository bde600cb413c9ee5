// SPDX-License-Identifier: Apache-2.0
#include "heap/paths/growth.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/array.h"

/*
 * In n looks at something that does not change in the long run each step is up as often as down. It is
 * up in all of them, and by no less than this share of the mean, once in more than 2^(n - 1) tries.
 */
#define MIN_STEP 0.4
/*
 * Entries that come and go independently of each other are N, give or take the root of N: what rises by
 * less than twice that may be such.
 */
#define MIN_ROOTS   2.0
#define MIN_ENTRIES 10.0
/* Memory that is not Go's comes in pages, of the executable among others. */
#define MIN_OTHER_BYTES ((double)(1u << 20))
/*
 * What a container has more than at the first look should still be there at the next one, if it grows: of it
 * this share at least, and no fewer than chance may leave of those that are drawn.
 */
#define MIN_STAYED    0.5
#define MAX_DEVIATION 3.0
/* Times as many as the objects that are known of it may be its entries. */
#define MIN_MEMBERS 2u

struct series {
	uint64_t first, last;
	uint64_t bytes_before, bytes_after;
	uint64_t bytes_most; /* in any look after the first */
	double least;	     /* step, per nanosecond */
};

/* Who is in a container, by those of the node below it that has most of them. */
struct turnover {
	uint16_t node;	      /* PATH_NONE: it has no objects in it */
	uint64_t first, last; /* objects there */
	/* Of those that were drawn: how many would have stayed of nothing but what it has grown by, and did. */
	double expected, variance, stayed;
};

struct heap_growth {
	struct series *all; /* per node */
	size_t n, capacity;
	struct turnover *turnovers; /* likewise */
	size_t turnovers_capacity;
	struct path_members *members;
	struct series other;
	size_t looks;
	uint64_t first_ns, last_ns; /* when looks began */
	uint64_t ended_ns;	    /* the last one */
};

int heap_growth__new(struct heap_growth **ret_growth)
{
	struct heap_growth *growth = calloc(1, sizeof(*growth));

	if (!growth || path_members__new(&growth->members)) {
		free(growth);
		return -ENOMEM;
	}
	*ret_growth = growth;
	return 0;
}

void heap_growth__free(struct heap_growth *growth)
{
	if (!growth)
		return;
	path_members__free(growth->members);
	free(growth->turnovers);
	free(growth->all);
	free(growth);
}

struct path_members *heap_growth__members(struct heap_growth *growth)
{
	return growth->members;
}

size_t heap_growth__looks(const struct heap_growth *growth)
{
	return growth->looks;
}

uint64_t heap_growth__elapsed_ns(const struct heap_growth *growth)
{
	return growth->last_ns - growth->first_ns;
}

/* What there is at a node: by its own count, or one object each. */
static uint64_t entries_at(const struct path_node *node)
{
	switch (node->role) {
	case PATH_SOME_MAP:
	case PATH_MAP:
	case PATH_TRIE:
	case PATH_CHAN:
	case PATH_ARRAY:
		return node->entries;
	case PATH_VALUE:
	case PATH_UNKNOWN:
		return node->recursive ? node->objects : 0;
	default:
		return 0;
	}
}

static void take(struct series *series, uint64_t entries, uint64_t bytes, uint64_t elapsed_ns,
		 bool first)
{
	double step;

	if (first) {
		*series = (struct series){
			.first = entries,
			.bytes_before = bytes,
			.least = INFINITY,
		};
	} else {
		step = (double)entries - (double)series->last;
		series->least = fmin(series->least, step / (double)max_of(elapsed_ns, (uint64_t)1));
	}
	series->last = entries;
	series->bytes_after = bytes;
	if (!first)
		series->bytes_most = max_of(series->bytes_most, bytes);
}

/* --- who --------------------------------------------------------------------------------------- */

/* The node of the most objects that are in the container @node, and not in one of these. */
static void find_members(const struct path_tree *tree, uint16_t *members)
{
	for (size_t i = path_tree__count(tree); i-- > 1;) {
		const struct path_node *node = path_tree__node(tree, (uint16_t)i);
		/* An entry of a sync.Map, or a list that leads to itself, is what there is. */
		bool own = node->recursive || node->role == PATH_TRIE_ENTRY;
		uint16_t above =
			path_tree__container(tree, own && !node->part ? (uint16_t)i : node->parent);

		if (!node->objects || (node->part && !own) || !above)
			continue;
		if (!members[above] ||
		    path_tree__node(tree, members[above])->objects < node->objects)
			members[above] = (uint16_t)i;
	}
}

static void compare(const struct path_members *members, struct turnover *turnover)
{
	double share = ((double)turnover->last - (double)turnover->first) / (double)turnover->last;
	size_t drawn, stayed = path_members__stayed(members, turnover->node, &drawn);

	turnover->expected += (double)drawn * share;
	turnover->variance += (double)drawn * share * (1 - share);
	turnover->stayed += (double)stayed;
}

static int take_members(struct heap_growth *growth, const struct path_tree *tree)
{
	size_t n = path_tree__count(tree);
	uint16_t *members = calloc(n, sizeof(*members));

	if (!members || !array__reserve(growth->turnovers, growth->turnovers_capacity, n)) {
		free(members);
		return -ENOMEM;
	}
	find_members(tree, members);
	for (size_t i = growth->n; i < n; i++)
		growth->turnovers[i] = (struct turnover){0};
	for (size_t i = 1; i < n; i++) {
		struct turnover *turnover = &growth->turnovers[i];
		uint64_t objects = path_tree__node(tree, members[i])->objects;

		/* Most of what is in it was found by another way, or is no object. */
		if (MIN_MEMBERS * objects < entries_at(path_tree__node(tree, (uint16_t)i)))
			members[i] = PATH_NONE;
		if (!members[i]) {
			turnover->last = 0;
			continue;
		}
		if (turnover->node != members[i]) {
			turnover->node = members[i];
			turnover->first = objects;
		} else if (turnover->last > turnover->first) {
			compare(growth->members, turnover);
		}
		turnover->last = objects;
	}
	free(members);
	return 0;
}

/* Those that were there went, and others came: more of them each time, as it happened. */
static bool were_replaced(const struct turnover *turnover)
{
	return turnover->stayed < MIN_STAYED * turnover->expected &&
	       turnover->stayed < turnover->expected - MAX_DEVIATION * sqrt(turnover->variance);
}

/* What is in things that were replaced is not what was in those before them. */
static bool is_replaced(const struct heap_growth *growth, const struct path_tree *tree,
			uint16_t node)
{
	for (; node; node = path_tree__node(tree, node)->parent) {
		if (were_replaced(&growth->turnovers[node]))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------------------------------------ */

int heap_growth__take(struct heap_growth *growth, const struct path_tree *tree,
		      const uint64_t *sums, uint64_t other_bytes, const struct heap_look *look)
{
	size_t n = path_tree__count(tree);
	uint64_t elapsed_ns = look->begin_ns - min_of(growth->ended_ns, look->begin_ns);

	if (!array__reserve(growth->all, growth->capacity, n) || take_members(growth, tree))
		return -ENOMEM;
	path_members__next(growth->members);
	/* What was not there had nothing in it, and from the second look on nothing more each time. */
	for (size_t i = growth->n; i < n; i++)
		growth->all[i] = (struct series){.least = growth->looks > 1 ? 0 : INFINITY};
	for (size_t i = 0; i < n; i++)
		take(&growth->all[i], entries_at(path_tree__node(tree, (uint16_t)i)), sums[i],
		     elapsed_ns, !growth->looks);
	take(&growth->other, other_bytes, other_bytes, elapsed_ns, !growth->looks);
	growth->n = n;
	if (!growth->looks++)
		growth->first_ns = look->begin_ns;
	growth->last_ns = look->begin_ns;
	growth->ended_ns = max_of(look->end_ns, look->begin_ns);
	return 0;
}

static bool has_grown(const struct heap_growth *growth, const struct series *series, double least,
		      struct heap_growth_series *ret)
{
	double grown = (double)series->last - (double)series->first;
	double elapsed_ns = (double)(growth->last_ns - growth->first_ns);

	if (growth->looks < GROWTH_MIN_LOOKS || elapsed_ns <= 0 || grown < least ||
	    series->least < MIN_STEP * grown / elapsed_ns)
		return false;
	*ret = (struct heap_growth_series){
		.first = series->first,
		.last = series->last,
		.bytes_before = series->bytes_before,
		.bytes_after = series->bytes_after,
		.per_minute = grown / elapsed_ns * 60e9,
	};
	return true;
}

bool heap_growth__of(const struct heap_growth *growth, const struct path_tree *tree, uint16_t node,
		     struct heap_growth_series *ret_series)
{
	const struct path_node *at = path_tree__node(tree, node);
	const struct series *series = &growth->all[node];
	double least = fmax(MIN_ENTRIES, MIN_ROOTS * sqrt((double)series->first));

	/* What fills a buffer that is there keeps no more than before; a map may be between two sizes. */
	return node < growth->n && at->objects && !path_tree__is_young(tree, node) &&
	       series->bytes_most > series->bytes_before && !is_replaced(growth, tree, node) &&
	       has_grown(growth, series, least, ret_series);
}

bool heap_growth__of_other(const struct heap_growth *growth, struct heap_growth_series *ret_series)
{
	return has_grown(growth, &growth->other, MIN_OTHER_BYTES, ret_series);
}
