// SPDX-License-Identifier: Apache-2.0
#include "heap/paths/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"

#define OTHER_SHARE 4u		      /* of the nodes are kept for what has no room, by type */
#define MAX_LABELS  ((size_t)8 << 20) /* bytes of them */

struct path_tree {
	struct path_node *all; /* the first is nobody's number */
	size_t n, capacity, max, n_others;
	uint16_t others; /* their root */
	uint64_t refused;
	struct index *by_step;
	struct index *by_label;
	const char **labels; /* each once */
	size_t n_labels, labels_capacity, label_bytes;
};

int path_tree__new(size_t max_nodes, struct path_tree **ret_tree)
{
	struct path_tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return -ENOMEM;
	tree->max = max_nodes ? min_of(max_nodes, (size_t)PATH_MAX_NODES) : PATH_MAX_NODES;
	tree->n = 1;
	if (index__new(PATH_MAX_NODES, &tree->by_step) ||
	    index__new(PATH_MAX_NODES, &tree->by_label) ||
	    !array__reserve(tree->all, tree->capacity, 1)) {
		path_tree__free(tree);
		return -ENOMEM;
	}
	tree->all[0] = (struct path_node){0};
	*ret_tree = tree;
	return 0;
}

void path_tree__free(struct path_tree *tree)
{
	if (!tree)
		return;
	for (size_t i = 0; i < tree->n_labels; i++)
		free((void *)tree->labels[i]);
	free(tree->labels);
	free(tree->all);
	index__free(tree->by_step);
	index__free(tree->by_label);
	free(tree);
}

void path_tree__clear(struct path_tree *tree)
{
	for (size_t i = 0; i < tree->n; i++)
		tree->all[i].objects = tree->all[i].bytes = tree->all[i].entries =
			tree->all[i].goid = 0;
}

struct path_node *path_tree__node(const struct path_tree *tree, uint16_t node)
{
	return &tree->all[node];
}

size_t path_tree__count(const struct path_tree *tree)
{
	return tree->n;
}

uint64_t path_tree__refused(const struct path_tree *tree)
{
	return tree->refused;
}

bool path_role__is_part(enum path_role role)
{
	return role > PATH_MAP && role != PATH_CHAN;
}

/* --- nodes -------------------------------------------------------------------------------------- */

const char *path_tree__intern(struct path_tree *tree, const char *label)
{
	uint64_t hash = hash__keyed(label, strlen(label));
	struct index_search search = index__search(tree->by_label, hash);
	char *copy;

	while (index__next(&search)) {
		if (!strcmp(tree->labels[search.number], label))
			return tree->labels[search.number];
	}
	if (tree->label_bytes > MAX_LABELS ||
	    !array__reserve(tree->labels, tree->labels_capacity, tree->n_labels + 1))
		return NULL;
	copy = strdup(label);
	if (!copy || index__add(tree->by_label, hash, (uint32_t)tree->n_labels)) {
		free(copy);
		return NULL;
	}
	tree->label_bytes += strlen(label) + 1;
	tree->labels[tree->n_labels++] = copy;
	return copy;
}

static uint64_t hash_of(uint16_t parent, const struct path_step *step, const char *label)
{
	/* Labels are kept once each, so their addresses are their names. */
	const uint64_t words[] = {parent, step->role, step->type, step->shown,
				  (uint64_t)(uintptr_t)label};

	return hash__keyed(words, sizeof(words));
}

static uint16_t find(const struct path_tree *tree, uint16_t parent, const struct path_step *step,
		     const char *label, uint64_t hash)
{
	struct index_search search = index__search(tree->by_step, hash);

	while (index__next(&search)) {
		const struct path_node *node = &tree->all[search.number];

		if (node->parent == parent && node->role == step->role &&
		    node->type == step->type && node->shown == step->shown && node->label == label)
			return (uint16_t)search.number;
	}
	return PATH_NONE;
}

static uint16_t add(struct path_tree *tree, uint16_t parent, const struct path_step *step,
		    const char *label, uint64_t hash)
{
	const struct path_node *above;
	struct path_node *node;

	if (!array__reserve(tree->all, tree->capacity, tree->n + 1) ||
	    index__add(tree->by_step, hash, (uint32_t)tree->n))
		return PATH_NONE;
	above = &tree->all[parent];
	node = &tree->all[tree->n];
	*node = (struct path_node){
		.parent = parent,
		.depth = parent ? above->depth + 1 : 0,
		.role = (uint8_t)step->role,
		.part = path_role__is_part(step->role),
		.below_unknown =
			above->below_unknown || above->inferred ||
			(parent && (above->role == PATH_UNKNOWN || above->role == PATH_SOME_MAP)),
		.young = parent ? above->young :
				  step->role == PATH_RUNTIME && !strcmp(label, PATH_YOUNG),
		.type = step->type,
		.shown = step->shown,
		.label = label,
	};
	return (uint16_t)tree->n++;
}

static uint16_t find_or_add(struct path_tree *tree, uint16_t parent, const struct path_step *step)
{
	const char *label = path_tree__intern(tree, step->label);
	uint64_t hash = hash_of(parent, step, label);
	uint16_t node = label ? find(tree, parent, step, label, hash) : PATH_NONE;

	if (node || !label)
		return node;
	return tree->n < tree->max ? add(tree, parent, step, label, hash) : PATH_NONE;
}

/* Values of these lead back to what one is already in; what has no pointers leads nowhere. */
static bool can_recur(const struct path_step *step)
{
	switch (step->role) {
	case PATH_VALUE:
	case PATH_ARRAY:
	case PATH_MAP:
	case PATH_TRIE:
	case PATH_CHAN:
	case PATH_MAP_SLOTS:
	case PATH_MAP_TABLE:
		return step->type;
	case PATH_UNKNOWN:
	case PATH_INTERNAL:
	case PATH_TRIE_ENTRY:
		return true;
	default:
		return false;
	}
}

static uint16_t find_ancestor(struct path_tree *tree, uint16_t parent, const struct path_step *step)
{
	if (!can_recur(step))
		return PATH_NONE;
	for (uint16_t node = parent; node; node = tree->all[node].parent) {
		struct path_node *above = &tree->all[node];

		if (above->role == step->role && above->type == step->type && above->parent) {
			above->recursive = above->recursive || step->role != PATH_TRIE;
			return node;
		}
		/* What is of no known type is one node with all such that follow at once. */
		if (step->role == PATH_UNKNOWN || step->role == PATH_INTERNAL)
			return PATH_NONE;
	}
	return PATH_NONE;
}

/* One node per type. There are as many as there are types, and then one more for the rest. */
static uint16_t other(struct path_tree *tree, const struct path_step *step)
{
	struct path_step by_type = {.label = "", .role = step->role, .type = step->type};
	static const struct path_step root = {.label = "other paths", .role = PATH_OTHER};
	uint16_t node;

	tree->refused++;
	if (!tree->others)
		tree->others = find_or_add(tree, PATH_NONE, &root);
	node = tree->others ? find_or_add(tree, tree->others, &by_type) : PATH_NONE;
	return node ? node : tree->others;
}

uint16_t path_tree__child(struct path_tree *tree, uint16_t parent, const struct path_step *step)
{
	uint16_t node = find_ancestor(tree, parent, step);
	size_t room = tree->max - tree->max / OTHER_SHARE;

	if (node)
		return node;
	if (tree->n < room && tree->all[parent].depth < PATH_MAX_DEPTH)
		node = find_or_add(tree, parent, step);
	else
		node = find(tree, parent, step, path_tree__intern(tree, step->label),
			    hash_of(parent, step, path_tree__intern(tree, step->label)));
	return node ? node : other(tree, step);
}

uint16_t path_tree__sibling(struct path_tree *tree, uint16_t node, enum path_role role,
			    uint64_t type)
{
	const struct path_node *known = &tree->all[node];
	const struct path_step step = {known->label, role, type, known->shown};

	return path_tree__child(tree, known->parent, &step);
}

bool path_tree__note_slots(struct path_tree *tree, uint16_t node, uint64_t slots)
{
	while (node && tree->all[node].role == PATH_UNKNOWN)
		node = tree->all[node].parent;
	if (!node || tree->all[node].role != PATH_SOME_MAP)
		return false;
	tree->all[node].slots = slots;
	return true;
}

bool path_tree__is_young(const struct path_tree *tree, uint16_t node)
{
	return tree->all[node].young;
}

uint16_t path_tree__container(const struct path_tree *tree, uint16_t node)
{
	while (tree->all[node].part && tree->all[node].parent)
		node = tree->all[node].parent;
	return node;
}

/* --- sums --------------------------------------------------------------------------------------- */

void path_tree__sum(const struct path_tree *tree, uint64_t *ret_objects, uint64_t *ret_bytes)
{
	for (size_t i = 0; i < tree->n; i++) {
		ret_objects[i] = tree->all[i].objects;
		ret_bytes[i] = tree->all[i].bytes;
	}
	/* Nodes come after those above them. */
	for (size_t i = tree->n - 1; i > 0; i--) {
		ret_objects[tree->all[i].parent] += ret_objects[i];
		ret_bytes[tree->all[i].parent] += ret_bytes[i];
	}
}

/* --- names -------------------------------------------------------------------------------------- */

size_t path_tree__path(const struct path_tree *tree, uint16_t node, char *path, size_t size)
{
	static const char gap[] = "...";
	const char *labels[PATH_MAX_DEPTH + 3];
	size_t n = 0, used, left;
	uint64_t goid = 0; /* of the root: it has one if that is a stack */

	for (; node && n < ARRAY_SIZE(labels); node = tree->all[node].parent) {
		/* The parts of a container are no steps. */
		if (!tree->all[node].part)
			labels[n++] = tree->all[node].label;
		goid = tree->all[node].goid;
		if (tree->all[node].role == PATH_LOCAL)
			break;
	}
	if (!n || size < sizeof(gap))
		return 0;
	/* The root as far as there is room, then from the end as many steps as fit. */
	used = (size_t)snprintf(path, size, "%s", labels[--n]);
	used = min_of(used, size - 1);
	if (goid && goid != UINT64_MAX)
		used += (size_t)snprintf(path + used, size - used, " (goroutine %llu)",
					 (unsigned long long)goid);
	used = min_of(used, size - 1);
	left = size - used;
	for (size_t length = sizeof(gap), i = 0; i < n; i++) {
		length += strlen(labels[i]);
		if (length <= left)
			continue;
		used += (size_t)snprintf(path + used, size - used, "%s", gap);
		used = min_of(used, size - 1);
		n = i;
		break;
	}
	while (n-- && used < size - 1) {
		used += (size_t)snprintf(path + used, size - used, "%s", labels[n]);
		used = min_of(used, size - 1);
	}
	return used;
}
