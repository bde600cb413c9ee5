// SPDX-License-Identifier: Apache-2.0
#include "report/alloc_held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define NAME_MAX_TEXT 512
#define HELD_MIN_PART 20 /* what holds less than one in so many of its bytes is not named */

/* Bytes of a place that hang at one node of the path tree. */
struct held {
	size_t site;
	uint16_t node;
	double bytes;
};

int alloc_held__add(struct alloc_held *held, const struct object_places *objects, uint64_t bucket,
		    size_t i, double bytes)
{
	for (size_t at = object_places__first(objects, bucket);
	     at < objects->n && objects->all[at].bucket == bucket; at++) {
		if (!array__reserve(held->all, held->capacity, held->n + 1))
			return -ENOMEM;
		held->all[held->n++] = (struct held){
			.site = i,
			.node = objects->all[at].node,
			.bytes = objects->all[at].objects * bytes,
		};
	}
	return 0;
}

void alloc_held__done(struct alloc_held *held)
{
	free(held->all);
	*held = (struct alloc_held){0};
}

/* --- names --------------------------------------------------------------------------------------- */

static int by_site_and_node(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	if (x->site != y->site)
		return (x->site > y->site) - (x->site < y->site);
	return (x->node > y->node) - (x->node < y->node);
}

static int by_site_and_bytes(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	if (x->site != y->site)
		return (x->site > y->site) - (x->site < y->site);
	return (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

/* The type of most of it, and the first few that hold it. */
static int name_site(struct report_alloc_site *site, struct heap_paths *paths,
		     const struct held *held, size_t n)
{
	const struct path_tree *tree = heap_paths__tree(paths);
	char text[NAME_MAX_TEXT];

	if (!site->type && held->bytes * 2 >= (double)site->in_use_bytes &&
	    path_tree__node(tree, held->node)->type) {
		heap_paths__type_name(paths, held->node, text, sizeof(text));
		site->type = strdup(text);
		if (!site->type)
			return -ENOMEM;
	}
	for (size_t k = 0; k < n && k < REPORT_MAX_HELD_BY; k++) {
		if (held[k].bytes * HELD_MIN_PART < (double)site->in_use_bytes)
			break;
		path_tree__path(tree, held[k].node, text, sizeof(text));
		site->held_by[k] = strdup(text);
		if (!site->held_by[k])
			return -ENOMEM;
	}
	return 0;
}

/* What hangs at one node is one. */
static void join(struct alloc_held *held)
{
	size_t n = 0;

	qsort(held->all, held->n, sizeof(held->all[0]), by_site_and_node);
	for (size_t i = 0; i < held->n; i++) {
		if (n && !by_site_and_node(&held->all[n - 1], &held->all[i]))
			held->all[n - 1].bytes += held->all[i].bytes;
		else
			held->all[n++] = held->all[i];
	}
	held->n = n;
	qsort(held->all, n, sizeof(held->all[0]), by_site_and_bytes);
}

int alloc_held__name(struct alloc_held *held, struct heap_paths *paths, struct alloc_places *places)
{
	size_t end;
	int err = 0;

	if (!paths || !held->n)
		return 0;
	join(held);
	for (size_t begin = 0; begin < held->n && !err; begin = end) {
		for (end = begin + 1;
		     end < held->n && held->all[end].site == held->all[begin].site;)
			end++;
		err = name_site(&places->all[held->all[begin].site], paths, &held->all[begin],
				end - begin);
	}
	return err;
}
