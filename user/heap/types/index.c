// SPDX-License-Identifier: Apache-2.0
#include "heap/types/index.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/index.h"
#include "heap/types/types.h"

#define WORD	  8u
#define MAX_BYTES ((uint64_t)64 << 20) /* of types that are looked at; prometheus has 5 MB */
#define MAX_TYPES 262144u
#define NAME_SIZE 512u
#define KIND_MASK 31

/* src/internal/abi/type.go TFlag */
#define TFLAG_UNCOMMON	 1
#define TFLAG_EXTRA_STAR 2
#define TFLAG_NAMED	 4

struct entry {
	uint64_t hash; /* of "path.name" */
	uint64_t address;
};

struct type_index {
	struct index *by_hash;
	struct entry *all;
	size_t n, capacity;
	/* While it is made: a copy of all types. */
	uint8_t *data;
	uint64_t start;
	size_t size;
};

void type_index__free(struct type_index *index)
{
	if (!index)
		return;
	index__free(index->by_hash);
	free(index->all);
	free(index->data);
	free(index);
}

size_t type_index__count(const struct type_index *index)
{
	return index->n;
}

/* Where the UncommonType is: behind what the kind adds to a Type. 0: none of these has methods. */
static size_t uncommon_at(uint8_t kind)
{
	switch (kind) {
	case GO_KIND_STRUCT:
	case GO_KIND_INTERFACE:
		return GO_TYPE_BYTES + 32;
	case GO_KIND_ARRAY:
		return GO_TYPE_BYTES + 24;
	case GO_KIND_CHAN:
		return GO_TYPE_BYTES + 16;
	case GO_KIND_FUNC:
	case GO_KIND_POINTER:
	case GO_KIND_SLICE:
		return GO_TYPE_BYTES + 8;
	case GO_KIND_MAP: /* its size depends on the version */
	case GO_KIND_INVALID:
		return 0;
	default:
		return GO_TYPE_BYTES;
	}
}

/* The Name at @offset, a string of printable characters, as all that the compiler writes. */
static bool name_at(const struct type_index *index, int32_t offset, char *name)
{
	size_t at = (size_t)offset, length;

	if (offset <= 0 || at + 3 > index->size || index->data[at] > 0xf)
		return false;
	length = index->data[at + 1];
	at += 2;
	if (length & 0x80) {
		length = (length & 0x7f) | (size_t)index->data[at] << 7;
		at++;
	}
	if (!length || length >= NAME_SIZE || length > index->size - at)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (index->data[at + i] < ' ' || index->data[at + i] == 0x7f)
			return false;
	}
	memcpy(name, index->data + at, length);
	name[length] = '\0';
	return true;
}

static uint64_t hash_of(const char *path, size_t path_size, const char *name, size_t name_size)
{
	char key[2 * NAME_SIZE];
	int n = snprintf(key, sizeof(key), "%.*s.%.*s", (int)path_size, path, (int)name_size, name);

	return hash__keyed(key, min_of((size_t)max_of(n, 0), sizeof(key) - 1));
}

static int add(struct type_index *index, uint64_t hash, uint64_t address)
{
	if (index->n == MAX_TYPES)
		return 0;
	if (!array__reserve(index->all, index->capacity, index->n + 1) ||
	    index__add(index->by_hash, hash, (uint32_t)index->n))
		return -ENOMEM;
	index->all[index->n++] = (struct entry){hash, address};
	return 0;
}

/* Whether a named type that can have methods is @at; if so, it is added. */
static int look_at(struct type_index *index, size_t at)
{
	const uint8_t *data = index->data + at;
	uint8_t flags = data[GO_TYPE_TFLAG], align = data[GO_TYPE_ALIGN];
	size_t uncommon = uncommon_at(data[GO_TYPE_KIND] & KIND_MASK);
	uint64_t size = bytes__u64(data, GO_TYPE_SIZE);
	char name[NAME_SIZE], path[NAME_SIZE];
	const char *base;

	if ((flags & (TFLAG_UNCOMMON | TFLAG_NAMED)) != (TFLAG_UNCOMMON | TFLAG_NAMED) || !align ||
	    align > WORD || align & (align - 1) || size >> 40 ||
	    bytes__u64(data, GO_TYPE_POINTER_SIZE) > size || !uncommon ||
	    at + uncommon + WORD > index->size)
		return 0;
	if (!name_at(index, (int32_t)bytes__u32(data, GO_TYPE_STR), name) ||
	    !name_at(index, (int32_t)bytes__u32(data, uncommon), path))
		return 0;
	/* Generic ones have whole paths in brackets, and functions that many of them share. */
	base = strrchr(name, '.');
	if (strchr(name, '[') || !base)
		return 0;
	return add(index, hash_of(path, strlen(path), base + 1, strlen(base + 1)),
		   index->start + at);
}

int type_index__new(const struct heap_runtime *runtime, const struct heap_modules *modules,
		    struct type_index **ret_index)
{
	const struct heap_module *module = &modules->all[0];
	struct type_index *index = calloc(1, sizeof(*index));
	int err = index ? index__new(MAX_TYPES, &index->by_hash) : -ENOMEM;

	if (!err && module->etypes > module->types) {
		index->start = module->types;
		index->size = (size_t)min_of(module->etypes - module->types, MAX_BYTES);
		index->data = malloc(index->size);
		err = index->data ? 0 : -ENOMEM;
	}
	/* Without any it is of no use, but no harm. */
	if (!err && index->data &&
	    remote__read(runtime->remote, index->start, index->data, index->size))
		index->size = 0;
	for (size_t at = 0; !err && index->data && at + GO_TYPE_BYTES <= index->size; at += WORD)
		err = look_at(index, at);
	if (err) {
		type_index__free(index);
		return err;
	}
	free(index->data);
	index->data = NULL;
	*ret_index = index;
	return 0;
}

static uint64_t find(const struct type_index *index, uint64_t hash)
{
	struct index_search search = index__search(index->by_hash, hash);

	while (index__next(&search)) {
		if (index->all[search.number].hash == hash)
			return index->all[search.number].address;
	}
	return 0;
}

uint64_t type_index__find(const struct type_index *index, const char *path, const char *name)
{
	return find(index, hash_of(path, strlen(path), name, strlen(name)));
}

/* Dots in the last part of a path are written as %2e in functions' names. */
static size_t unescape(const char *text, size_t size, char *path)
{
	size_t n = 0;

	for (size_t i = 0; i < size && n < NAME_SIZE - 1; i++) {
		if (i + 3 <= size && !strncmp(text + i, "%2e", 3)) {
			path[n++] = '.';
			i += 2;
		} else {
			path[n++] = text[i];
		}
	}
	path[n] = '\0';
	return n;
}

uint64_t type_index__receiver(const struct type_index *index, const char *function)
{
	const char *open = strstr(function, ".(*"), *close = open ? strchr(open, ')') : NULL;
	char path[NAME_SIZE];
	size_t size;

	/* What follows the method is a closure in it, or a wrapper. */
	if (!close || close[1] != '.' || strpbrk(close + 2, ".-"))
		return 0;
	size = unescape(function, (size_t)(open - function), path);
	return find(index, hash_of(path, size, open + 3, (size_t)(close - open - 3)));
}
