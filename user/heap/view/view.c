// SPDX-License-Identifier: Apache-2.0
#include "heap/view/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/number.h"

#define NAME_MAX_SIZE (HEAP_MAX_TYPE_NAME + 64)
#define PATH_MAX_SIZE 1024
#define MAX_TYPES     1000u
#define MAX_HOLDERS   500u
#define MAX_GROWING   100u
/* A holder is told of when it retains this share of what is alive. */
#define MIN_SHARE 0.002

/* What is put together while a view is made. */
struct making {
	struct heap_view *view;
	struct heap_paths *paths;
	const struct path_tree *tree;
	const struct heap_growth *growth;
	size_t n;		   /* nodes */
	uint64_t *objects, *bytes; /* per node, with all that hangs from it */
	uint32_t *first, *next;	   /* children of a node, the largest first; 0: none */
};

void heap_view__clear(struct heap_view *view)
{
	for (size_t i = 0; i < view->n_types; i++)
		free(view->types[i].name);
	for (size_t i = 0; i < view->n_holders; i++) {
		free(view->holders[i].path);
		free(view->holders[i].type);
	}
	for (size_t i = 0; i < view->n_growing; i++) {
		free(view->growing[i].path);
		free(view->growing[i].type);
	}
	free(view->types);
	free(view->holders);
	free(view->growing);
	*view = (struct heap_view){.memory = view->memory};
}

/* --- types -------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct heap_view_type *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int by_bytes(const void *a, const void *b)
{
	const struct heap_view_type *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int add_type(struct heap_view *view, size_t *capacity, const char *name, uint64_t objects,
		    uint64_t bytes, bool known)
{
	struct heap_view_type *type;

	if (!array__reserve(view->types, *capacity, view->n_types + 1))
		return -ENOMEM;
	type = &view->types[view->n_types];
	*type = (struct heap_view_type){strdup(name), objects, bytes, known};
	if (!type->name)
		return -ENOMEM;
	view->n_types++;
	view->bytes += bytes;
	view->typed_bytes += known ? bytes : 0;
	return 0;
}

static int add_unknown(struct heap_view *view, size_t *capacity,
		       const struct heap_paths_unknown *unknown)
{
	char name[64], bytes[NUMBER_BYTES_SIZE];
	int err = 0;

	for (size_t i = 0; i < HEAP_CLASSES && !err; i++) {
		if (!unknown[i].objects)
			continue;
		number__bytes(unknown[i].bytes / unknown[i].objects, bytes);
		snprintf(name, sizeof(name), i ? "unknown, %s" : "unknown, larger than 32 KiB",
			 bytes);
		err = add_type(view, capacity, name, unknown[i].objects, unknown[i].bytes, false);
	}
	return err;
}

/* Types of one name are one line: parts of maps, and types of packages that have the same name. */
static void merge_types(struct heap_view *view)
{
	size_t kept = 0;

	if (!view->n_types)
		return;
	qsort(view->types, view->n_types, sizeof(view->types[0]), by_name);
	for (size_t i = 0; i < view->n_types; i++) {
		struct heap_view_type *last = kept ? &view->types[kept - 1] : NULL;

		if (last && !strcmp(last->name, view->types[i].name)) {
			last->objects += view->types[i].objects;
			last->bytes += view->types[i].bytes;
			free(view->types[i].name);
		} else {
			view->types[kept++] = view->types[i];
		}
	}
	qsort(view->types, kept, sizeof(view->types[0]), by_bytes);
	for (size_t i = MAX_TYPES; i < kept; i++)
		free(view->types[i].name);
	view->n_types = min_of(kept, (size_t)MAX_TYPES);
}

static int add_types(struct making *m)
{
	char name[NAME_MAX_SIZE];
	size_t capacity = 0;
	int err = add_unknown(m->view, &capacity, heap_paths__unknown(m->paths));

	for (size_t i = 1; i < m->n && !err; i++) {
		const struct path_node *node = path_tree__node(m->tree, (uint16_t)i);

		if (!node->objects || node->role == PATH_UNKNOWN || node->role == PATH_SOME_MAP)
			continue;
		heap_paths__type_name(m->paths, (uint16_t)i, name, sizeof(name));
		err = add_type(m->view, &capacity, *name ? name : "the runtime's own",
			       node->objects, node->bytes, true);
	}
	merge_types(m->view);
	return err;
}

/* --- the tree ----------------------------------------------------------------------------------- */

struct size_of_node {
	uint64_t bytes;
	uint32_t number;
};

static int by_size(const void *a, const void *b)
{
	const struct size_of_node *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? -1 : 1;
	return x->number > y->number ? -1 : x->number < y->number;
}

/* In rising order of what they retain each is put in front of the others of its parent. */
static int link_children(struct making *m)
{
	struct size_of_node *order = calloc(m->n, sizeof(*order));

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < m->n; i++)
		order[i] = (struct size_of_node){m->bytes[i], (uint32_t)i};
	qsort(order, m->n, sizeof(*order), by_size);
	for (size_t i = 0; i < m->n; i++) {
		uint32_t number = order[i].number, above;
		const struct path_node *node = path_tree__node(m->tree, (uint16_t)number);

		if (!number || node->part || !m->bytes[number])
			continue;
		/* The parts of a container are taken for it. */
		above = path_tree__container(m->tree, node->parent);
		m->next[number] = m->first[above];
		m->first[above] = number;
	}
	free(order);
	return 0;
}

/* A variable that is a pointer or a map itself is one line with what it leads to. */
static uint32_t skip_root(const struct making *m, uint32_t number)
{
	const struct path_node *node = path_tree__node(m->tree, (uint16_t)number);
	uint32_t child = m->first[number];

	if ((!node->parent || node->role == PATH_LOCAL) && node->role != PATH_STACK && child &&
	    !m->next[child] && !*path_tree__node(m->tree, (uint16_t)child)->label)
		return child;
	return number;
}

/* The type beside the path: of the field, or where there is none of what is there. */
static char *type_beside(struct making *m, uint16_t number)
{
	char name[NAME_MAX_SIZE];

	heap_paths__shown_name(m->paths, number, name, sizeof(name));
	if (!*name || path_tree__node(m->tree, number)->role == PATH_UNKNOWN)
		heap_paths__type_name(m->paths, number, name, sizeof(name));
	return strdup(name);
}

/* @above: the variable that it is one line with, or @number itself. */
static int add_holder(struct making *m, uint32_t number, uint32_t above, unsigned int depth,
		      size_t *capacity)
{
	const struct path_node *node = path_tree__node(m->tree, (uint16_t)number);
	const struct path_node *top = path_tree__node(m->tree, (uint16_t)above);
	struct heap_view *view = m->view;
	struct heap_view_holder *holder;
	char path[PATH_MAX_SIZE];
	size_t length = path_tree__path(m->tree, (uint16_t)number, path, sizeof(path));

	if (!array__reserve(view->holders, *capacity, view->n_holders + 1))
		return -ENOMEM;
	holder = &view->holders[view->n_holders++];
	*holder = (struct heap_view_holder){
		.path = strdup(path),
		/* One that was moved to the heap is not the pointer to it that there is on the stack. */
		.type = type_beside(m, (uint16_t)(top->role == PATH_LOCAL ? above : number)),
		.objects = m->objects[number],
		.retained_bytes = m->bytes[number],
		.depth = depth,
		.recursive = node->recursive,
	};
	if (!holder->path || !holder->type)
		return -ENOMEM;
	holder->step = holder->path;
	if (depth && strlen(top->label) < length)
		holder->step += length - strlen(top->label);
	return 0;
}

/* In the order of the tree, as deep as it goes: the depth is bounded by PATH_MAX_DEPTH. */
static int add_holders(struct making *m)
{
	uint32_t stack[PATH_MAX_DEPTH + 4], at = m->first[0];
	uint64_t least = (uint64_t)(MIN_SHARE * (double)m->bytes[0]);
	size_t capacity = 0;
	unsigned int depth = 0;
	int err = 0;

	while (!err && m->view->n_holders < MAX_HOLDERS) {
		uint32_t shown;

		if (!at || m->bytes[at] < least) {
			if (!depth)
				break;
			at = m->next[stack[--depth]];
			continue;
		}
		shown = skip_root(m, at);
		err = add_holder(m, shown, at, depth, &capacity);
		if (depth < PATH_MAX_DEPTH) {
			stack[depth++] = at;
			at = m->first[shown];
		} else {
			at = m->next[at];
		}
	}
	return err;
}

/* --- growth ------------------------------------------------------------------------------------- */

static int by_growth(const void *a, const void *b)
{
	const struct heap_view_growth *x = a, *y = b;
	double more_x = (double)x->bytes_after - (double)x->bytes_before;
	double more_y = (double)y->bytes_after - (double)y->bytes_before;

	if (more_x != more_y)
		return more_x > more_y ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int put_growth(struct heap_view *view, size_t *capacity, char *path, char *type,
		      const struct heap_growth_series *series, bool counted)
{
	if (!path || !type || !array__reserve(view->growing, *capacity, view->n_growing + 1)) {
		free(path);
		free(type);
		return -ENOMEM;
	}
	view->growing[view->n_growing++] = (struct heap_view_growth){
		.path = path,
		.type = type,
		.counted = counted,
		.entries_before = counted ? series->first : 0,
		.entries_after = counted ? series->last : 0,
		.bytes_before = series->bytes_before,
		.bytes_after = series->bytes_after,
		.per_minute = series->per_minute,
	};
	return 0;
}

/*
 * What grows by itself, and not as a part of something that grows. Contexts hang from each other by
 * their maps of children: then the map is what grows.
 */
static void choose_growing(const struct making *m, bool *grows)
{
	struct heap_growth_series series;

	for (size_t i = 1; i < m->n; i++)
		grows[i] = heap_growth__of(m->growth, m->tree, (uint16_t)i, &series);
	for (size_t i = 1; i < m->n; i++) {
		const struct path_node *node = path_tree__node(m->tree, (uint16_t)i);
		uint16_t above = path_tree__container(m->tree, node->parent);

		if (grows[i] && node->role != PATH_VALUE && node->role != PATH_UNKNOWN &&
		    path_tree__node(m->tree, above)->role == PATH_VALUE)
			grows[above] = false;
	}
	/* Nodes come after those above them, so that from below nothing is missed. */
	for (size_t i = m->n; i-- > 1;) {
		uint16_t at = path_tree__node(m->tree, (uint16_t)i)->parent;

		for (; at && grows[i]; at = path_tree__node(m->tree, at)->parent)
			grows[i] = !grows[at];
	}
}

static int add_growing(struct making *m)
{
	struct heap_growth_series series;
	char path[PATH_MAX_SIZE];
	size_t capacity = 0;
	bool *grows = calloc(m->n, sizeof(*grows));
	int err = 0;

	if (!grows)
		return -ENOMEM;
	choose_growing(m, grows);
	m->view->growth_known = heap_growth__looks(m->growth) >= GROWTH_MIN_LOOKS;
	for (size_t i = 1; i < m->n && !err; i++) {
		uint16_t number = (uint16_t)i;

		if (!grows[i] || !heap_growth__of(m->growth, m->tree, number, &series))
			continue;
		path_tree__path(m->tree, number, path, sizeof(path));
		err = put_growth(m->view, &capacity, strdup(path), type_beside(m, number), &series,
				 true);
	}
	free(grows);
	if (!err && heap_growth__of_other(m->growth, &series))
		err = put_growth(m->view, &capacity, strdup("memory that is not Go's"), strdup(""),
				 &series, false);
	if (m->view->n_growing)
		qsort(m->view->growing, m->view->n_growing, sizeof(m->view->growing[0]), by_growth);
	while (m->view->n_growing > MAX_GROWING) {
		free(m->view->growing[--m->view->n_growing].path);
		free(m->view->growing[m->view->n_growing].type);
	}
	return err;
}

/* ------------------------------------------------------------------------------------------------ */

static int fill(struct making *m, struct heap_growth *growth, const struct heap_look *look)
{
	int err;

	path_tree__sum(m->tree, m->objects, m->bytes);
	err = link_children(m);
	if (!err)
		err = heap_growth__take(growth, m->tree, m->bytes, m->view->memory.other_bytes,
					look);
	if (!err)
		err = add_types(m);
	if (!err)
		err = add_holders(m);
	if (!err)
		err = add_growing(m);
	m->view->looked_ns = heap_growth__elapsed_ns(growth);
	return err;
}

int heap_view__fill(struct heap_view *view, struct heap_paths *paths, struct heap_growth *growth,
		    const struct heap_look *look)
{
	struct making m = {
		.view = view,
		.paths = paths,
		.tree = heap_paths__tree(paths),
		.growth = growth,
	};
	int err = -ENOMEM;

	heap_view__clear(view);
	m.n = path_tree__count(m.tree);
	m.objects = calloc(m.n, sizeof(*m.objects));
	m.bytes = calloc(m.n, sizeof(*m.bytes));
	m.first = calloc(m.n, sizeof(*m.first));
	m.next = calloc(m.n, sizeof(*m.next));
	if (m.objects && m.bytes && m.first && m.next)
		err = fill(&m, growth, look);
	free(m.objects);
	free(m.bytes);
	free(m.first);
	free(m.next);
	return err;
}
