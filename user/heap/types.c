// SPDX-License-Identifier: Apache-2.0
#include "heap/types.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/index.h"

#define WORD	   8u
#define MAX_TYPES  65536u
#define TABLE_SIZE (2 * MAX_TYPES)
#define MAX_BITS_BYTES \
	((size_t)1 << 20) /* of one type: it has 64 MiB of pointers and other words */
#define MAX_ALL_BITS	((size_t)32 << 20)
#define MAX_TYPE_SIZE	(1ULL << 40)
#define MAX_ALIGN	64
#define TFLAG_ON_DEMAND 16 /* src/internal/abi/type.go TFlagGCMaskOnDemand, from Go 1.24 on */
#define KIND_GC_PROGRAM 64 /* KindGCProg, until Go 1.23 */
#define FIRST_ON_DEMAND 24

struct heap_types {
	const struct heap_runtime *runtime;
	struct index *by_address;
	struct heap_type **all; /* each stays where it is */
	size_t n, capacity;
	size_t bits_bytes, refused;
};

int heap_types__new(const struct heap_runtime *runtime, struct heap_types **ret_types)
{
	struct heap_types *types = calloc(1, sizeof(*types));

	if (!types)
		return -ENOMEM;
	types->runtime = runtime;
	if (index__new(MAX_TYPES, &types->by_address)) {
		free(types);
		return -ENOMEM;
	}
	*ret_types = types;
	return 0;
}

static void free_type(struct heap_type *type)
{
	free((void *)type->bits);
	free(type);
}

void heap_types__free(struct heap_types *types)
{
	if (!types)
		return;
	for (size_t i = 0; i < types->n; i++)
		free_type(types->all[i]);
	free(types->all);
	index__free(types->by_address);
	free(types);
}

size_t heap_types__refused(const struct heap_types *types)
{
	return types->refused;
}

static const struct heap_type *find(const struct heap_types *types, uint64_t address)
{
	struct index_search search = index__search(types->by_address, hash__keyed_word(address));

	while (index__next(&search)) {
		if (types->all[search.number]->address == address)
			return types->all[search.number];
	}
	return NULL;
}

static bool keep(struct heap_types *types, struct heap_type *type)
{
	if (!array__reserve(types->all, types->capacity, types->n + 1) ||
	    index__add(types->by_address, hash__keyed_word(type->address), (uint32_t)types->n))
		return false;
	types->all[types->n++] = type;
	return true;
}

/*
 * Where the bitmap is; 0: there is none to be had. Types with a GC program have none, and a mask made
 * on demand is not there until something has asked for it.
 */
static uint64_t bits_address(struct heap_types *types, const uint8_t *data)
{
	uint64_t address = bytes__u64(data, GO_TYPE_GCDATA);

	if (types->runtime->layout->minor < FIRST_ON_DEMAND)
		return data[GO_TYPE_KIND] & KIND_GC_PROGRAM ? 0 : address;
	if (data[GO_TYPE_TFLAG] & TFLAG_ON_DEMAND &&
	    remote__read_u64(types->runtime->remote, address, &address))
		return 0;
	return address;
}

static uint8_t *read_bits(struct heap_types *types, const uint8_t *data, uint64_t pointer_size)
{
	size_t size = (size_t)((pointer_size / WORD + 7) / 8);
	uint64_t address;
	uint8_t *bits;

	if (pointer_size > MAX_BITS_BYTES * 8 * WORD || size > MAX_ALL_BITS - types->bits_bytes)
		return NULL;
	address = bits_address(types, data);
	bits = address ? malloc(size + 1) : NULL;
	if (!bits)
		return NULL;
	/* A mask that is being built is a byte of the runtime, and reads as whatever follows it. */
	if (remote__read(types->runtime->remote, address, bits, size)) {
		free(bits);
		return NULL;
	}
	types->bits_bytes += size;
	return bits;
}

static bool is_type(const uint8_t *data)
{
	uint64_t size = bytes__u64(data, GO_TYPE_SIZE);
	uint64_t pointers = bytes__u64(data, GO_TYPE_POINTER_SIZE);
	uint8_t align = data[GO_TYPE_ALIGN];

	return size && size <= MAX_TYPE_SIZE && pointers && pointers <= size &&
	       pointers % WORD == 0 && size % WORD == 0 && align && align <= MAX_ALIGN &&
	       !(align & (align - 1));
}

static const struct heap_type *read_type(struct heap_types *types, uint64_t address)
{
	uint8_t data[GO_TYPE_BYTES];
	struct heap_type *type;

	if (!address || address % WORD || types->n == MAX_TYPES ||
	    remote__read(types->runtime->remote, address, data, sizeof(data)) || !is_type(data))
		return NULL;
	type = calloc(1, sizeof(*type));
	if (!type)
		return NULL;
	type->address = address;
	type->size = bytes__u64(data, GO_TYPE_SIZE);
	type->pointer_size = bytes__u64(data, GO_TYPE_POINTER_SIZE);
	type->bits = read_bits(types, data, type->pointer_size);
	if (keep(types, type))
		return type;
	free_type(type);
	return NULL;
}

const struct heap_type *heap_types__get(struct heap_types *types, uint64_t address)
{
	const struct heap_type *type = find(types, address);

	if (!type)
		type = read_type(types, address);
	types->refused += !type;
	return type;
}
