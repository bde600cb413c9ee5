// SPDX-License-Identifier: Apache-2.0
#include "heap/ways/names.h"

#include <stdio.h>
#include <string.h>

#include "heap/paths/private.h"
#include "heap/types/leaf.h"

struct symbol_search {
	uint64_t address;
	char *name;
	size_t size;
};

static int visit_symbol(void *ctx, const char *name, const struct elf_symbol *symbol)
{
	struct symbol_search *search = ctx;

	if (search->address - symbol->address >= symbol->size)
		return 0;
	snprintf(search->name, search->size, "%s", name);
	return 1;
}

static void name_variable(const struct heap_way_names *names, uint64_t address, char *name,
			  size_t size)
{
	const struct go_variable *variable =
		names->variables ? go_variables__at(names->variables, address) : NULL;
	const struct paths_static *value =
		names->paths ? path_statics__at(names->paths, address + names->runtime->bias) :
			       NULL;
	const char *own = names->paths ?
				  path_own__variable(names->paths, address + names->runtime->bias) :
				  NULL;
	struct symbol_search search = {address, name, size};

	if (variable)
		snprintf(name, size, "%s", variable->name);
	else if (value)
		snprintf(name, size, "%s", value->name);
	else if (own)
		snprintf(name, size, "%s", own);
	else if (names->variables || !names->image ||
		 elf_image__visit_symbols(names->image, visit_symbol, &search) != 1)
		snprintf(name, size, "variable at 0x%llx", (unsigned long long)address);
}

/* The variable on a stack that a way begins with; NULL: it is not known. */
static const struct go_local *local_of(const struct heap_way_names *names,
				       const struct heap_way *way)
{
	return way->root.kind == HEAP_WAY_STACK && way->root.address && way->root.pc &&
			       names->variables ?
		       go_variables__local(names->variables, way->root.pc, way->root.place) :
		       NULL;
}

static void name_root(void *ctx, const struct heap_way *way, char *name, size_t size)
{
	const struct heap_way_names *names = ctx;
	const struct heap_runtime *runtime = names->runtime;
	const struct go_local *local = local_of(names, way);
	struct pclntab_func func;

	if (way->root.kind == HEAP_WAY_VARIABLE) {
		name_variable(names, way->root.address - runtime->bias, name, size);
	} else if (local) {
		snprintf(name, size, "%.*s", (int)local->function_length, local->name);
	} else if (way->root.kind == HEAP_WAY_STACK && way->root.pc &&
		   (pclntab__lookup(runtime->tab, way->root.pc, &func) ||
		    pclntab__name(runtime->tab, &func, name, size) < 0)) {
		name[0] = '\0';
	}
}

/* Puts @label before what is in @field. */
static void put_before(char *field, size_t size, const char *label)
{
	size_t length = strlen(label), old = strlen(field);

	if (length + old + 1 > size)
		return;
	memmove(field + length, field, old + 1);
	memcpy(field, label, length);
}

/* The labels from the node of what is before it down to @node; false: it does not hang from that. */
static bool by_tree(const struct heap_paths *paths, uint16_t node, uint16_t above, bool is_root,
		    char *field, size_t size)
{
	field[0] = '\0';
	if (!node || node == above)
		return false;
	while (node != above) {
		const struct path_node *n = path_tree__node(paths->tree, node);

		if (is_root && !n->parent)
			return true;
		if (!n->parent)
			return false;
		put_before(field, size, n->label);
		node = n->parent;
	}
	return true;
}

/* ".buf", the variable, and the part of it that the word is in. */
static bool by_local(const struct heap_way_names *names, const struct heap_way *way, uint16_t node,
		     char *field, size_t size)
{
	const struct go_local *local = local_of(names, way);
	const struct heap_paths *paths = names->paths;
	const struct heap_type *type;
	uint16_t above = node;
	struct heap_leaf leaf;
	uint64_t offset;

	if (!local || !paths)
		return false;
	while (above && path_tree__node(paths->tree, above)->role != PATH_LOCAL)
		above = path_tree__node(paths->tree, above)->parent;
	if (!above || strcmp(path_tree__node(paths->tree, above)->label, local->name) != 0 ||
	    !by_tree(paths, node, above, false, field, size)) {
		type = heap_types__any(paths->types,
				       heap_types__of_variable(paths->types, local->type));
		offset = (uint64_t)((int64_t)way->root.place - local->place + local->offset);
		if (!type || !heap_types__leaf(paths->types, type, offset, &leaf, field, size))
			field[0] = '\0';
	}
	put_before(field, size, local->name + local->function_length);
	return true;
}

/* The field of the object before it that the word is in, by the type of that object. */
static bool by_type(const struct heap_way_names *names, const struct heap_step *before,
		    uint64_t from, char *field, size_t size)
{
	const struct heap_paths *paths = names->paths;
	uint16_t number = paths ? heap_paths__at(paths, before->slot) : PATH_NONE;
	const struct path_node *node = number ? path_tree__node(paths->tree, number) : NULL;
	const struct heap_type *type;
	uint64_t offset = from - before->object;
	struct heap_leaf leaf;

	if (!node || (node->role != PATH_VALUE && node->role != PATH_ARRAY))
		return false;
	type = heap_types__any(paths->types, node->type);
	if (!type || !type->size)
		return false;
	/* A header lies before the values (paths__header_size()). */
	if (before->size > HEAP_BITS_IN_SPAN && before->size <= HEAP_SMALL_MAX &&
	    names->runtime->layout->mspan_largeType != GO_LAYOUT_ABSENT)
		offset -= min_of(offset, (uint64_t)HEAP_HEADER_SIZE);
	return heap_types__leaf(paths->types, type, offset % type->size, &leaf, field, size);
}

static bool name_step(void *ctx, const struct heap_way *way, size_t step, size_t before, char *type,
		      char *field, size_t size)
{
	const struct heap_way_names *names = ctx;
	const struct heap_step *here = &way->steps[step];
	uint16_t node = names->paths ? heap_paths__at(names->paths, here->slot) : PATH_NONE;
	uint16_t above = PATH_NONE;
	bool first = before == HEAP_NO_STEP, variable = way->root.kind == HEAP_WAY_VARIABLE;
	const struct heap_step *holder = first ? NULL : &way->steps[before];
	bool direct = step && before + 1 == step;

	if (node && path_tree__node(names->paths->tree, node)->role != PATH_UNKNOWN)
		heap_paths__type_name(names->paths, node, type, size);
	if (!step && way->root.kind == HEAP_WAY_GOROUTINE)
		snprintf(type, size, "runtime.g");
	if (!first && names->paths)
		above = heap_paths__at(names->paths, holder->slot);
	if (!step && by_local(names, way, node, field, size))
		return true;
	if (names->paths &&
	    (first ? variable && by_tree(names->paths, node, PATH_NONE, true, field, size) :
		     by_tree(names->paths, node, above, false, field, size)))
		return !path_role__is_part(path_tree__node(names->paths->tree, node)->role);
	field[0] = '\0';
	if (direct && here->from && !by_type(names, holder, here->from, field, size))
		snprintf(field, size, "+%llu", (unsigned long long)(here->from - holder->object));
	return !node || !path_role__is_part(path_tree__node(names->paths->tree, node)->role);
}

static size_t find_contexts(void *ctx, const struct heap_way *way, struct heap_context *found,
			    size_t max)
{
	const struct heap_way_names *names = ctx;

	for (size_t i = way->n_steps; names->paths && i-- > 0;) {
		uint16_t number = heap_paths__at(names->paths, way->steps[i].slot);
		const struct path_node *node =
			number ? path_tree__node(names->paths->tree, number) : NULL;

		if (node && node->role == PATH_VALUE &&
		    heap_contexts__is_one(names->paths->types, node->type))
			return heap_contexts__chain(names->paths->types, names->runtime->remote,
						    way->steps[i].object, node->type, found, max);
	}
	return 0;
}

struct heap_namer heap_way_names__namer(struct heap_way_names *names)
{
	return (struct heap_namer){
		.root = name_root,
		.step = name_step,
		.contexts = find_contexts,
		.ctx = names,
	};
}
