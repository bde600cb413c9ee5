// SPDX-License-Identifier: Apache-2.0
#include "heap/ways/holders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static void release_path(struct heap_holder_path *path)
{
	for (size_t i = 0; i < path->n_steps; i++) {
		free(path->steps[i].type);
		free(path->steps[i].field);
	}
	free(path->steps);
	free(path->contexts);
	free(path->name);
}

static int name_path(const struct heap_way *way, const struct heap_namer *namer,
		     struct heap_holder_path *path)
{
	char name[HEAP_NAME_SIZE] = "", field[HEAP_NAME_SIZE];
	size_t before = HEAP_NO_STEP;

	*path = (struct heap_holder_path){
		.kind = way->root.kind,
		.goid = way->root.goid,
		.left_out = way->left_out,
		.objects = 1,
		.last = way->n_steps ? way->steps[way->n_steps - 1].object : 0,
	};
	namer->root(namer->ctx, way, name, sizeof(name));
	path->name = strdup(name);
	path->steps = calloc(way->n_steps + 1, sizeof(*path->steps));
	if (!path->name || !path->steps)
		return -ENOMEM;
	for (size_t i = 0; i < way->n_steps; i++) {
		struct heap_holder_step *step = &path->steps[path->n_steps];

		name[0] = field[0] = '\0';
		if (!namer->step(namer->ctx, way, i, before, name, field, sizeof(name)) &&
		    i + 1 < way->n_steps)
			continue;
		before = i;
		path->n_steps++;
		step->address = way->steps[i].object;
		step->size = way->steps[i].size;
		step->type = strdup(name);
		step->field = strdup(field);
		if (!step->type || !step->field)
			return -ENOMEM;
	}
	return 0;
}

static int add_contexts(const struct heap_way *way, const struct heap_namer *namer,
			struct heap_holder_path *path)
{
	struct heap_context found[HEAP_MAX_CONTEXTS];
	size_t n = namer->contexts ? namer->contexts(namer->ctx, way, found, HEAP_MAX_CONTEXTS) : 0;

	if (!n)
		return 0;
	path->contexts = calloc(n, sizeof(*path->contexts));
	if (!path->contexts)
		return -ENOMEM;
	memcpy(path->contexts, found, n * sizeof(*found));
	path->n_contexts = n;
	return 0;
}

/* Whether a person would say of both the same. */
static bool is_alike(const struct heap_holder_path *a, const struct heap_holder_path *b)
{
	if (a->kind != b->kind || a->n_steps != b->n_steps || strcmp(a->name, b->name) != 0)
		return false;
	for (size_t i = 0; i < a->n_steps; i++) {
		if (a->steps[i].size != b->steps[i].size ||
		    strcmp(a->steps[i].type, b->steps[i].type) != 0 ||
		    strcmp(a->steps[i].field, b->steps[i].field) != 0)
			return false;
	}
	return true;
}

int heap_holders__add(struct heap_holders *holders, const struct heap_way *way,
		      const struct heap_namer *namer)
{
	struct heap_holder_path path;
	int err = name_path(way, namer, &path);

	for (size_t i = 0; i < holders->n_paths && !err; i++) {
		if (!is_alike(&holders->paths[i], &path))
			continue;
		holders->paths[i].objects += holders->paths[i].last != path.last;
		holders->paths[i].last = path.last;
		release_path(&path);
		return 0;
	}
	if (!err)
		err = add_contexts(way, namer, &path);
	if (!err && !array__reserve(holders->paths, holders->capacity, holders->n_paths + 1))
		err = -ENOMEM;
	if (err)
		release_path(&path);
	else
		holders->paths[holders->n_paths++] = path;
	return err;
}

static int by_objects(const void *a, const void *b)
{
	const struct heap_holder_path *x = a, *y = b;

	if (x->objects != y->objects)
		return x->objects > y->objects ? -1 : 1;
	if (x->n_steps + x->left_out != y->n_steps + y->left_out)
		return x->n_steps + x->left_out < y->n_steps + y->left_out ? -1 : 1;
	return strcmp(x->name, y->name);
}

void heap_holders__sort(struct heap_holders *holders)
{
	if (holders->n_paths)
		qsort(holders->paths, holders->n_paths, sizeof(*holders->paths), by_objects);
}

void heap_holders__release(struct heap_holders *holders)
{
	for (size_t i = 0; i < holders->n_paths; i++)
		release_path(&holders->paths[i]);
	free(holders->paths);
	*holders = (struct heap_holders){0};
}
