// SPDX-License-Identifier: Apache-2.0
#include "heap/resources/pools.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "heap/mark/private.h"
#include "heap/paths/private.h"
#include "heap/types/leaf.h"

#define WORD 8u
/* src/sync/pool.go Pool: two of local, localSize; poolLocal, which is padded; the same in all versions. */
#define GENERATIONS 2u
#define LOCAL_SIZE  128u
#define LOCAL_HEAD  16u /* of its poolChain, behind an interface */
#define MAX_LOCALS  4096u
/* src/sync/poolqueue.go poolChainElt: headTail, vals, next, prev. Each is twice as long as the one before. */
#define ELEMENT_PREV 40u
#define ELEMENT_SIZE 48u
#define MAX_ELEMENTS 32u

size_t heap_pools__list(const struct heap_runtime *runtime, const uint64_t lists[2],
			uint64_t *pools)
{
	size_t n = 0;

	for (size_t i = 0; i < GENERATIONS; i++) {
		uint64_t slice[2];
		size_t some;

		if (!lists[i] || remote__read(runtime->remote, lists[i], slice, sizeof(slice)))
			continue;
		some = (size_t)min_of(slice[1], (uint64_t)(HEAP_MAX_POOLS - n));
		if (some && !remote__read(runtime->remote, slice[0], pools + n, some * WORD))
			n += some;
	}
	return n;
}

/* From the head on, which is the longest. */
static uint64_t in_chain(const struct heap_runtime *runtime, uint64_t element)
{
	uint8_t data[ELEMENT_SIZE];
	uint64_t n = 0;

	for (unsigned int i = 0; element && i < MAX_ELEMENTS; i++) {
		uint64_t head_tail, length;

		if (remote__read(runtime->remote, element, data, sizeof(data)))
			break;
		head_tail = bytes__u64(data, 0);
		length = (uint32_t)(head_tail >> 32) - (uint32_t)head_tail;
		if ((uint32_t)length <= bytes__u64(data, 2 * WORD))
			n += (uint32_t)length;
		element = bytes__u64(data, ELEMENT_PREV);
	}
	return n;
}

static uint64_t in_locals(const struct heap_runtime *runtime, uint64_t address, uint64_t count)
{
	size_t n = (size_t)min_of(count, (uint64_t)MAX_LOCALS);
	__cleanup_free uint8_t *locals = malloc(n * LOCAL_SIZE + 1);
	uint64_t objects = 0;

	if (!n || !locals || remote__read(runtime->remote, address, locals, n * LOCAL_SIZE))
		return 0;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *local = locals + i * LOCAL_SIZE;

		objects += bytes__u64(local, 0) != 0;
		objects += in_chain(runtime, bytes__u64(local, LOCAL_HEAD));
	}
	return objects;
}

uint64_t heap_pools__objects(const struct heap_runtime *runtime, uint64_t address)
{
	uint64_t words[2 * GENERATIONS], objects = 0;

	if (remote__read(runtime->remote, address, words, sizeof(words)))
		return 0;
	for (size_t i = 0; i < GENERATIONS; i++)
		objects += in_locals(runtime, words[2 * i], words[2 * i + 1]);
	return objects;
}

/* --- names -------------------------------------------------------------------------------------- */

/* @name, which is of something of @type, becomes that of the pool at @offset in it. */
static void add_field(const struct heap_paths *paths, uint64_t type, uint64_t offset, char *name,
		      size_t size)
{
	static const char first[] = ".local"; /* field of a Pool */
	const struct heap_type *of = type ? heap_types__any(paths->types, type) : NULL;
	struct heap_leaf leaf;
	char path[PATHS_LABEL];
	size_t length, before = strlen(name);

	if (!of || !heap_types__leaf(paths->types, of, offset, &leaf, path, sizeof(path)))
		return;
	length = strlen(path);
	if (length >= strlen(first) && !strcmp(path + length - strlen(first), first))
		path[length - strlen(first)] = '\0';
	snprintf(name + before, size - before, "%s", path);
}

static bool name_object(const struct heap_paths *paths, struct heap_scan *scan, uint64_t address,
			char *name, size_t size)
{
	const struct heap_mark *mark = heap_scan__mark(scan);
	uint64_t object = heap_mark__object(mark, address, NULL);
	uint32_t number = object ? heap_spans__find(mark->spans, object) : HEAP_NO_SPAN;
	const struct heap_span *span;
	const struct path_node *node;
	uint16_t at;

	if (number == HEAP_NO_SPAN)
		return false;
	span = &mark->spans->all[number];
	at = heap_paths__at(paths,
			    (uint64_t)span->first_word * 64 + heap_span__index(span, object));
	if (at == PATH_NONE)
		return false;
	node = path_tree__node(paths->tree, at);
	path_tree__path(paths->tree, at, name, size);
	add_field(paths, node->type, address - object - paths__header_size(paths, span), name,
		  size);
	return *name;
}

void heap_pools__name(const struct heap_paths *paths, struct heap_scan *scan, uint64_t address,
		      char *name, size_t size)
{
	const struct go_variable *variable =
		paths->variables ?
			go_variables__at(paths->variables, address - paths->runtime->bias) :
			NULL;
	const struct paths_static *value = path_statics__at(paths, address);

	if (variable) {
		uint64_t type = variable->type;

		snprintf(name, size, "%s", variable->name);
		/* Link-time, unless it is one of DWARF's own. */
		if (type && !(type & GO_TYPE_DESCRIBED))
			type += paths->runtime->bias;
		add_field(paths, type, address - paths->runtime->bias - variable->address, name,
			  size);
	} else if (value) {
		snprintf(name, size, "%s", value->name);
		add_field(paths, value->type, address - value->address, name, size);
	} else if (!name_object(paths, scan, address, name, size)) {
		snprintf(name, size, "pool at 0x%" PRIx64, address);
	}
}
