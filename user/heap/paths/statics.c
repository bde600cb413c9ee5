// SPDX-License-Identifier: Apache-2.0
/*
 * Values that the linker has laid out beside the variables: var log = &logger{} is a pointer to one.
 * They have no names of their own, so they go by the variable that led to them first when the program
 * was looked at: its pointers are followed until nothing new is found.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "heap/paths/private.h"
#include "heap/types/leaf.h"

#define WORD	    8u
#define MAX_STATICS 65536u
#define MAX_VALUE   65536u		 /* bytes of one that are looked at */
#define MAX_READ    ((uint64_t)64 << 20) /* bytes of all */

static bool is_known(const struct heap_paths *paths, uint64_t address)
{
	struct index_search search = index__search(paths->static_index, hash__keyed_word(address));

	while (index__next(&search)) {
		if (paths->statics[search.number].address == address)
			return true;
	}
	return go_variables__at(paths->variables, address - paths->runtime->bias);
}

static bool is_static(const struct heap_paths *paths, uint64_t address)
{
	const struct heap_module *module = &paths->modules.all[0];

	return (address >= module->data.start && address < module->data.end) ||
	       (address >= module->bss.start && address < module->bss.end);
}

static void add(struct heap_paths *paths, const struct paths_static *value, const char *name,
		const char *path)
{
	char text[PATHS_LABEL];

	if (!value->size || paths->n_statics == MAX_STATICS ||
	    !array__reserve(paths->statics, paths->statics_capacity, paths->n_statics + 1) ||
	    index__add(paths->static_index, hash__keyed_word(value->address),
		       (uint32_t)paths->n_statics))
		return;
	snprintf(text, sizeof(text), "%s%s", name, path);
	paths->statics[paths->n_statics] = *value;
	paths->statics[paths->n_statics].name = path_tree__intern(paths->tree, text);
	paths->statics[paths->n_statics].node = PATH_NONE;
	if (paths->statics[paths->n_statics].name)
		paths->n_statics++;
}

/* What the word @at of @data, a value of @type, leads to, if that is a static value without a name. */
static void follow(struct heap_paths *paths, const struct heap_type *type, const char *name,
		   const uint8_t *data, size_t size, size_t at)
{
	struct paths_static value = {.address = bytes__u64(data, at)};
	const struct heap_type *target;
	struct heap_leaf leaf;
	char path[PATHS_LABEL];

	if (!is_static(paths, value.address) || is_known(paths, value.address) ||
	    !heap_types__leaf(paths->types, type, at, &leaf, path, sizeof(path)))
		return;
	target = leaf.target && (leaf.word == HEAP_WORD_POINTER || leaf.word == HEAP_WORD_SLICE) ?
			 heap_types__any(paths->types, leaf.target) :
			 NULL;
	if (!target)
		return;
	value.type = target->address;
	value.size = target->size;
	if (leaf.word == HEAP_WORD_SLICE) {
		uint64_t n = at + 2 * WORD <= size ? bytes__u64(data, at + WORD) : 0;

		value.array = true;
		value.size = target->size && n <= UINT32_MAX ? n * target->size : 0;
	}
	add(paths, &value, name, path);
}

/* The value at the target's @address, of which @name is known. */
static void look_into(struct heap_paths *paths, uint64_t address, uint64_t type_address,
		      uint64_t size, const char *name, uint64_t *left)
{
	const struct heap_type *type =
		type_address ? heap_types__any(paths->types, type_address) : NULL;
	uint8_t *data;

	size = min_of(size, (uint64_t)MAX_VALUE);
	size = min_of(size, *left) & ~(uint64_t)(WORD - 1);
	if (!type || !type->pointer_size || !size)
		return;
	data = malloc((size_t)size);
	if (!data)
		return;
	*left -= size;
	if (!remote__read(paths->runtime->remote, address, data, (size_t)size)) {
		for (size_t at = 0; at < size; at += WORD)
			follow(paths, type, name, data, (size_t)size, at);
	}
	free(data);
}

static int by_address(const void *a, const void *b)
{
	const struct paths_static *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

int path_statics__find(struct heap_paths *paths)
{
	uint64_t left = MAX_READ;
	int err = index__new(MAX_STATICS, &paths->static_index);

	if (err || !paths->variables)
		return err;
	for (size_t i = 0; i < go_variables__count(paths->variables); i++) {
		const struct go_variable *variable = go_variables__get(paths->variables, i);

		look_into(paths, variable->address + paths->runtime->bias,
			  heap_types__of_variable(paths->types, variable->type), variable->size,
			  variable->name, &left);
	}
	/* Each may add some. */
	for (size_t i = 0; i < paths->n_statics; i++) {
		struct paths_static value = paths->statics[i];

		look_into(paths, value.address, value.type, value.size, value.name, &left);
	}
	if (paths->n_statics)
		qsort(paths->statics, paths->n_statics, sizeof(paths->statics[0]), by_address);
	return 0;
}

struct paths_static *path_statics__at(const struct heap_paths *paths, uint64_t address)
{
	size_t low = bisect(paths->n_statics, i, paths->statics[i].address <= address);
	struct paths_static *value;

	if (!low)
		return NULL;
	value = &paths->statics[low - 1];
	return address - value->address < value->size ? value : NULL;
}
