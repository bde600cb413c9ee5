// SPDX-License-Identifier: Apache-2.0
#include "heap/types/types.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/index.h"
#include "heap/types/private.h"

#define WORD	   8u
#define MAX_TYPES  65536u
#define TABLE_SIZE (2 * MAX_TYPES)
#define MAX_BITS_BYTES \
	((size_t)1 << 20) /* of one type: it has 64 MiB of pointers and other words */
#define MAX_ALL_BITS	  ((size_t)32 << 20)
#define MAX_TYPE_SIZE	  (1ULL << 40)
#define MAX_ALIGN	  64
#define TFLAG_ON_DEMAND	  16 /* src/internal/abi/type.go TFlagGCMaskOnDemand, from Go 1.24 on */
#define KIND_GC_PROGRAM	  64 /* KindGCProg, until Go 1.23 */
#define FIRST_ON_DEMAND	  24
#define KIND_MASK	  31
#define DIRECT		  32 /* KindDirectIface; from Go 1.26 on TFlagDirectIface */
#define FIRST_DIRECT_FLAG 26

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
	heap_shape__free(type->shape);
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

void heap_types__use_modules(struct heap_types *types, const struct heap_modules *modules)
{
	types->modules = modules;
}

bool heap_types__in_module(const struct heap_types *types, uint64_t address)
{
	for (size_t i = 0; types->modules && i < types->modules->n; i++) {
		if (address >= types->modules->all[i].types &&
		    address < types->modules->all[i].etypes)
			return true;
	}
	return false;
}

size_t heap_types__refused(const struct heap_types *types)
{
	return types->refused;
}

static struct heap_type *find(const struct heap_types *types, uint64_t address)
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
	uint8_t align = data[GO_TYPE_ALIGN], kind = data[GO_TYPE_KIND] & KIND_MASK;

	return size <= MAX_TYPE_SIZE && pointers <= size && pointers % WORD == 0 && align &&
	       align <= MAX_ALIGN && !(align & (align - 1)) && kind < GO_KINDS;
}

static struct heap_type *read_described(struct heap_types *types, uint64_t address)
{
	struct heap_type *type = types->n < MAX_TYPES ? heap_types__describe(types, address) : NULL;

	if (!type || keep(types, type))
		return type;
	free_type(type);
	return NULL;
}

static struct heap_type *read_type(struct heap_types *types, uint64_t address)
{
	uint8_t data[GO_TYPE_BYTES], direct;
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
	type->kind = data[GO_TYPE_KIND] & KIND_MASK;
	type->flags = data[GO_TYPE_TFLAG];
	direct = types->runtime->layout->minor >= FIRST_DIRECT_FLAG ? type->flags :
								      data[GO_TYPE_KIND];
	type->direct = direct & DIRECT && type->size == WORD;
	if (keep(types, type))
		return type;
	free_type(type);
	return NULL;
}

static struct heap_type *any(struct heap_types *types, uint64_t address)
{
	struct heap_type *type = find(types, address);

	if (type)
		return type;
	return address & GO_TYPE_DESCRIBED ? read_described(types, address) :
					     read_type(types, address);
}

const struct heap_type *heap_types__any(struct heap_types *types, uint64_t address)
{
	const struct heap_type *type = any(types, address);

	types->refused += !type;
	return type;
}

/* The collector knows only types of whole words that have pointers. */
static bool has_bits(const struct heap_type *type)
{
	return type->pointer_size && type->size % WORD == 0;
}

const struct heap_type *heap_types__get(struct heap_types *types, uint64_t address)
{
	struct heap_type *type = any(types, address);

	if (!type || !has_bits(type)) {
		types->refused++;
		return NULL;
	}
	if (!type->bits_read) {
		uint8_t data[GO_TYPE_BYTES];

		type->bits_read = true;
		if (!remote__read(types->runtime->remote, address, data, sizeof(data)))
			type->bits = read_bits(types, data, type->pointer_size);
	}
	return type;
}

const struct heap_shape *heap_types__shape(struct heap_types *types, const struct heap_type *type)
{
	struct heap_type *own = find(types, type->address);

	if (!own)
		return NULL;
	if (!own->shape_read) {
		own->shape_read = true;
		own->shape = heap_shape__read(types, own);
	}
	return own->shape;
}

const char *heap_types__name(struct heap_types *types, uint64_t address)
{
	const struct heap_type *type = heap_types__any(types, address);
	const struct heap_shape *shape = type ? heap_types__shape(types, type) : NULL;

	return shape ? shape->name : "?";
}
