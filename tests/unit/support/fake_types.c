// SPDX-License-Identifier: Apache-2.0
#include "fake_types.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_DIRECT_FLAG 26

static void put(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

static uint64_t take(struct fake_types *types, size_t size)
{
	uint64_t address;

	types->used = (types->used + 7) & ~(size_t)7;
	if (size > FAKE_TYPES_SIZE - types->used)
		abort();
	address = FAKE_TYPES_BASE + types->used;
	types->used += size;
	return address;
}

uint8_t *fake_types__at(struct fake_types *types, uint64_t address)
{
	return types->data + (address - FAKE_TYPES_BASE);
}

void fake_types__init(struct fake_types *types, int minor)
{
	struct remote_range range = {FAKE_TYPES_BASE, types->data, FAKE_TYPES_SIZE};

	memset(types, 0, sizeof(*types));
	types->minor = minor;
	types->used = 16;
	if (remote__open_image(&range, 1, &types->remote))
		abort();
	types->runtime = (struct heap_runtime){
		.layout = go_layout__find(minor),
		.remote = types->remote,
	};
	types->modules.n = 1;
	types->modules.all[0] = (struct heap_module){
		.types = FAKE_TYPES_BASE,
		.etypes = FAKE_TYPES_BASE + FAKE_TYPES_SIZE,
	};
}

void fake_types__release(struct fake_types *types)
{
	remote__free(types->remote);
}

/* A Name: flags, a varint, bytes. */
static uint64_t put_name(struct fake_types *types, const char *name)
{
	size_t length = strlen(name);
	uint64_t address = take(types, length + 3);
	uint8_t *at = fake_types__at(types, address) + 1;

	if (length >= 0x80)
		*at++ = (uint8_t)(length | 0x80);
	*at++ = (uint8_t)(length >= 0x80 ? length >> 7 : length);
	memcpy(at, name, length);
	return address;
}

static uint64_t put_type(struct fake_types *types, const char *name, enum go_kind kind,
			 uint64_t size, uint64_t pointer_size, size_t extra)
{
	uint64_t text = put_name(types, name), address = take(types, GO_TYPE_BYTES + extra);
	uint8_t *at = fake_types__at(types, address);
	uint32_t offset = (uint32_t)(text - FAKE_TYPES_BASE);
	bool direct = pointer_size == 8 && size == 8 && kind != GO_KIND_STRING;

	put(at + GO_TYPE_SIZE, size);
	put(at + GO_TYPE_POINTER_SIZE, pointer_size);
	at[GO_TYPE_ALIGN] = 8;
	at[GO_TYPE_KIND] = (uint8_t)kind;
	if (direct)
		at[types->minor >= FIRST_DIRECT_FLAG ? GO_TYPE_TFLAG : GO_TYPE_KIND] |= 32;
	memcpy(at + GO_TYPE_STR, &offset, sizeof(offset));
	return address;
}

uint64_t fake_types__plain(struct fake_types *types, const char *name, enum go_kind kind,
			   uint64_t size, uint64_t pointer_size)
{
	return put_type(types, name, kind, size, pointer_size, 0);
}

uint64_t fake_types__elem(struct fake_types *types, const char *name, enum go_kind kind,
			  uint64_t elem)
{
	uint64_t size = kind == GO_KIND_SLICE ? 24 : 8;
	uint64_t address = put_type(types, name, kind, size, 8, 16);

	put(fake_types__at(types, address) + GO_TYPE_BYTES, elem);
	return address;
}

uint64_t fake_types__array(struct fake_types *types, const char *name, uint64_t elem,
			   uint64_t elem_size, uint64_t length)
{
	uint64_t address = put_type(types, name, GO_KIND_ARRAY, elem_size * length,
				    length ? elem_size * length : 0, 24);

	put(fake_types__at(types, address) + GO_TYPE_BYTES, elem);
	put(fake_types__at(types, address) + GO_TYPE_BYTES + 16, length);
	return address;
}

uint64_t fake_types__interface(struct fake_types *types, const char *name, size_t n_methods)
{
	uint64_t address = put_type(types, name, GO_KIND_INTERFACE, 16, 16, 32);

	put(fake_types__at(types, address) + GO_TYPE_BYTES + 16, n_methods);
	return address;
}

uint64_t fake_types__map(struct fake_types *types, const char *name, uint64_t key, uint64_t elem,
			 uint64_t slots, uint64_t slots_size)
{
	uint64_t address = put_type(types, name, GO_KIND_MAP, 8, 8, 64);
	uint8_t *at = fake_types__at(types, address) + GO_TYPE_BYTES;

	put(at, key);
	put(at + 8, elem);
	put(at + 16, slots);
	/* Until Go 1.23 sizes of key, element and bucket, then that of the group. */
	put(at + 32, types->minor >= 24 ? slots_size : 0x0808 | slots_size << 16);
	return address;
}

uint64_t fake_types__struct(struct fake_types *types, const char *name, uint64_t size,
			    uint64_t pointer_size, const struct fake_field *fields, size_t n)
{
	uint64_t list = take(types, n * 24 + 8);
	uint64_t address = put_type(types, name, GO_KIND_STRUCT, size, pointer_size, 32);
	uint8_t *at = fake_types__at(types, address) + GO_TYPE_BYTES;

	put(at + 8, list);
	put(at + 16, n);
	for (size_t i = 0; i < n; i++) {
		uint8_t *field = fake_types__at(types, list) + i * 24;

		put(field, put_name(types, fields[i].name));
		put(field + 8, fields[i].type);
		put(field + 16, types->minor >= 19 ? fields[i].offset : fields[i].offset << 1);
	}
	return address;
}

uint64_t fake_types__named(struct fake_types *types, const char *name, const char *path)
{
	uint32_t text = (uint32_t)(put_name(types, path) - FAKE_TYPES_BASE);
	uint64_t address = put_type(types, name, GO_KIND_BOOL, 8, 0, 16);
	uint8_t *at = fake_types__at(types, address);

	at[GO_TYPE_TFLAG] |= 1 | 4; /* TFlagUncommon, TFlagNamed */
	memcpy(at + GO_TYPE_BYTES, &text, sizeof(text));
	return address;
}
