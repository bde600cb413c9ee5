// SPDX-License-Identifier: Apache-2.0
#include "heap/types.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/hash.h"

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
	struct heap_type *table[TABLE_SIZE]; /* open addressing */
	size_t n, bits_bytes, refused;
};

int heap_types__new(const struct heap_runtime *runtime, struct heap_types **ret_types)
{
	struct heap_types *types = calloc(1, sizeof(*types));

	if (!types)
		return -ENOMEM;
	types->runtime = runtime;
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
	for (size_t i = 0; i < TABLE_SIZE; i++) {
		if (types->table[i])
			free_type(types->table[i]);
	}
	free(types);
}

size_t heap_types__refused(const struct heap_types *types)
{
	return types->refused;
}

static struct heap_type **slot_of(struct heap_types *types, uint64_t address)
{
	size_t i = hash__mix64(address) % TABLE_SIZE;

	while (types->table[i] && types->table[i]->address != address)
		i = (i + 1) % TABLE_SIZE;
	return &types->table[i];
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

const struct heap_type *heap_types__get(struct heap_types *types, uint64_t address)
{
	struct heap_type **slot = slot_of(types, address);
	uint8_t data[GO_TYPE_BYTES];
	struct heap_type *type;

	if (*slot)
		return *slot;
	if (!address || address % WORD || types->n == MAX_TYPES ||
	    remote__read(types->runtime->remote, address, data, sizeof(data)) || !is_type(data)) {
		types->refused++;
		return NULL;
	}
	type = calloc(1, sizeof(*type));
	if (!type)
		return NULL;
	type->address = address;
	type->size = bytes__u64(data, GO_TYPE_SIZE);
	type->pointer_size = bytes__u64(data, GO_TYPE_POINTER_SIZE);
	type->bits = read_bits(types, data, type->pointer_size);
	*slot = type;
	types->n++;
	return type;
}
