// SPDX-License-Identifier: Apache-2.0
/*
 * What follows the part of a descriptor that all kinds share (src/internal/abi/type.go PtrType,
 * StructType ..., map_swiss.go; src/runtime/type.go before Go 1.21). Names are a byte of flags, a
 * varint and so many bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "heap/types/private.h"

#define MAX_SHAPES	 ((size_t)64 << 20) /* bytes of all of them */
#define MAX_FIELD_NAME	 128u
#define MAX_DEPTH	 8u /* of types that the program made, which have no names but their elements' */
#define NAME_EMBEDDED	 8  /* Name.IsEmbedded, from Go 1.19 on */
#define FIRST_EMBEDDED	 19 /* before, an offset was shifted left and its lowest bit said so */
#define FIRST_SWISS	 24
#define TFLAG_EXTRA_STAR 2

/* Behind the 48 bytes of a Type. */
#define ELEM	  GO_TYPE_BYTES	       /* PtrType, SliceType, ArrayType, ChanType */
#define ARRAY_LEN (GO_TYPE_BYTES + 16) /* behind Slice */
#define MAP_KEY	  GO_TYPE_BYTES
#define MAP_ELEM  (GO_TYPE_BYTES + 8)
#define MAP_SLOTS (GO_TYPE_BYTES + 16) /* Bucket, Group */
#define MAP_SIZE \
	(GO_TYPE_BYTES + 32) /* GroupSize; before swiss maps KeySize, ValueSize, BucketSize */
#define METHODS_N (GO_TYPE_BYTES + 16) /* InterfaceType: PkgPath, then a slice */
#define FIELDS	  (GO_TYPE_BYTES + 8)  /* StructType: PkgPath, then a slice */
#define EXTRA_MAX (GO_TYPE_BYTES + 40)

#define FIELD_BYTES 24u /* StructField: Name, Typ, Offset */
#define FIELD_BATCH 64u

/* --- names -------------------------------------------------------------------------------------- */

/* At most @size - 1 bytes of the Name at @address. -1: it cannot be read. */
static int read_name(struct remote *remote, uint64_t address, char *buffer, size_t size,
		     uint8_t *ret_flags)
{
	uint8_t head[3];
	size_t length, skip = 2;

	if (!address || remote__read(remote, address, head, sizeof(head)))
		return -1;
	length = head[1] & 0x7f;
	if (head[1] & 0x80) {
		length |= (size_t)(head[2] & 0x7f) << 7;
		skip++;
		if (head[2] & 0x80) /* longer than any name that is worth reading */
			length = size;
	}
	if (ret_flags)
		*ret_flags = head[0];
	length = min_of(length, size - 1);
	if (length && remote__read(remote, address + skip, buffer, length))
		return -1;
	buffer[length] = '\0';
	return (int)length;
}

/* What may stand before the path of a package: a/b.T in func(a/b.T) map[a/b.T][]*a/b.T */
static bool begins_path(char c)
{
	return strchr(" []*(){},;", c) != NULL;
}

/*
 * Paths of packages become their last parts; the linker writes dots in these as %2e. Tags of struct
 * fields are in quotes and stay.
 */
static void shorten_paths(char *name)
{
	char *to = name, *path = name;
	bool quoted = false;

	for (const char *c = name; *c; c++) {
		if (*c == '"' && (c == name || c[-1] != '\\'))
			quoted = !quoted;
		if (!quoted && *c == '/') {
			to = path;
			continue;
		}
		if (!quoted && !strncmp(c, "%2e", 3)) {
			*to++ = '.';
			c += 2;
			continue;
		}
		*to++ = *c;
		if (quoted || begins_path(*c))
			path = to;
	}
	*to = '\0';
}

static void cut(char *name)
{
	if (strlen(name) > HEAP_MAX_TYPE_NAME)
		snprintf(name + HEAP_MAX_TYPE_NAME - 3, 4, "...");
}

char *heap_shape__shorten(const char *name)
{
	char *copy = strdup(name);

	if (copy) {
		shorten_paths(copy);
		cut(copy);
	}
	return copy;
}

/* The name that the linker wrote, which is in the same module as the type. */
static bool linked_name(struct heap_types *types, const struct heap_type *type, int32_t offset,
			char *name, size_t size)
{
	for (size_t i = 0; types->modules && i < types->modules->n; i++) {
		const struct heap_module *module = &types->modules->all[i];

		if (type->address < module->types || type->address >= module->etypes)
			continue;
		if (offset <= 0 || (uint64_t)offset >= module->etypes - module->types ||
		    read_name(types->runtime->remote, module->types + (uint32_t)offset, name, size,
			      NULL) <= 0)
			return false;
		if (type->flags & TFLAG_EXTRA_STAR && *name == '*')
			memmove(name, name + 1, strlen(name));
		shorten_paths(name);
		cut(name);
		return true;
	}
	return false;
}

/* Of a type that package reflect made, or without modules. */
static void made_up_name(struct heap_types *types, const struct heap_type *type,
			 const struct heap_shape *shape, char *name, size_t size)
{
	static const char *const plain[GO_KINDS] = {
		[GO_KIND_FUNC] = "func",
		[GO_KIND_INTERFACE] = "interface",
		[GO_KIND_STRING] = "string",
		[GO_KIND_STRUCT] = "struct",
		[GO_KIND_UNSAFE_POINTER] = "unsafe.Pointer",
	};
	const char *elem = shape->elem ? heap_types__name(types, shape->elem) : "?";

	switch (type->kind) {
	case GO_KIND_ARRAY:
		snprintf(name, size, "[%llu]%s", (unsigned long long)shape->length, elem);
		break;
	case GO_KIND_CHAN:
		snprintf(name, size, "chan %s", elem);
		break;
	case GO_KIND_MAP:
		snprintf(name, size, "map[%s]%s", heap_types__name(types, shape->key), elem);
		break;
	case GO_KIND_POINTER:
		snprintf(name, size, "*%s", elem);
		break;
	case GO_KIND_SLICE:
		snprintf(name, size, "[]%s", elem);
		break;
	default:
		snprintf(name, size, "%s", plain[type->kind] ? plain[type->kind] : "?");
	}
	cut(name);
}

static bool add_name(struct heap_types *types, const struct heap_type *type, int32_t offset,
		     struct heap_shape *shape)
{
	char name[2 * HEAP_MAX_TYPE_NAME + 32];

	if (!linked_name(types, type, offset, name, sizeof(name))) {
		if (types->depth >= MAX_DEPTH)
			return false;
		types->depth++;
		made_up_name(types, type, shape, name, sizeof(name));
		types->depth--;
	}
	types->shape_bytes += strlen(name) + 1;
	shape->name = strdup(name);
	return shape->name;
}

/* --- fields ------------------------------------------------------------------------------------- */

static bool add_field(struct heap_types *types, const struct heap_type *type, const uint8_t *data,
		      struct heap_field *field)
{
	uint64_t offset = bytes__u64(data, 16);
	char name[MAX_FIELD_NAME];
	uint8_t flags = 0;

	if (read_name(types->runtime->remote, bytes__u64(data, 0), name, sizeof(name), &flags) < 0)
		return false;
	field->type = bytes__u64(data, 8);
	if (types->runtime->layout->minor < FIRST_EMBEDDED) {
		field->embedded = offset & 1;
		field->offset = offset >> 1;
	} else {
		field->embedded = flags & NAME_EMBEDDED;
		field->offset = offset;
	}
	if (field->offset > type->size)
		return false;
	types->shape_bytes += strlen(name) + 1;
	field->name = strdup(name);
	return field->name;
}

/* Fields have rising offsets, which whoever looks for one relies on. */
static bool add_fields(struct heap_types *types, const struct heap_type *type, uint64_t address,
		       uint64_t n, struct heap_shape *shape)
{
	uint8_t data[FIELD_BATCH * FIELD_BYTES];
	struct heap_field *fields;

	if (n > HEAP_MAX_FIELDS)
		return false;
	fields = calloc((size_t)n + 1, sizeof(*fields));
	if (!fields)
		return false;
	shape->fields = fields;
	types->shape_bytes += (size_t)n * sizeof(*fields);
	for (size_t i = 0; i < n; i++) {
		size_t in_batch = i % FIELD_BATCH,
		       batch = min_of((size_t)n - i, (size_t)FIELD_BATCH);

		if (!in_batch && remote__read(types->runtime->remote, address + i * FIELD_BYTES,
					      data, batch * FIELD_BYTES))
			return false;
		if (!add_field(types, type, data + in_batch * FIELD_BYTES, &fields[i]))
			return false;
		shape->n_fields++;
		if (i && fields[i].offset < fields[i - 1].offset)
			return false;
	}
	return true;
}

/* --- kinds -------------------------------------------------------------------------------------- */

static size_t descriptor_size(uint8_t kind)
{
	switch (kind) {
	case GO_KIND_CHAN:
	case GO_KIND_POINTER:
	case GO_KIND_SLICE:
		return ELEM + 8;
	case GO_KIND_ARRAY:
	case GO_KIND_INTERFACE:
		return max_of(ARRAY_LEN, METHODS_N) + 8;
	case GO_KIND_MAP:
		return MAP_SIZE + 8;
	case GO_KIND_STRUCT:
		return FIELDS + 16;
	default:
		return GO_TYPE_BYTES;
	}
}

static bool is_swiss(struct heap_types *types, uint64_t slots, uint64_t size)
{
	const struct heap_type *type;

	/* GOEXPERIMENT=noswissmap existed in Go 1.24 and 1.25. */
	if (types->runtime->layout->minor < FIRST_SWISS)
		return false;
	type = heap_types__any(types, slots);
	return type && type->size == size;
}

static bool read_kind(struct heap_types *types, const struct heap_type *type, const uint8_t *data,
		      struct heap_shape *shape)
{
	switch (type->kind) {
	case GO_KIND_ARRAY:
		shape->length = bytes__u64(data, ARRAY_LEN);
		shape->elem = bytes__u64(data, ELEM);
		return true;
	case GO_KIND_CHAN:
	case GO_KIND_POINTER:
	case GO_KIND_SLICE:
		shape->elem = bytes__u64(data, ELEM);
		return true;
	case GO_KIND_INTERFACE:
		shape->length = bytes__u64(data, METHODS_N);
		return true;
	case GO_KIND_MAP:
		shape->key = bytes__u64(data, MAP_KEY);
		shape->elem = bytes__u64(data, MAP_ELEM);
		shape->slots = bytes__u64(data, MAP_SLOTS);
		shape->swiss = is_swiss(types, shape->slots, bytes__u64(data, MAP_SIZE));
		return true;
	case GO_KIND_STRUCT:
		return add_fields(types, type, bytes__u64(data, FIELDS),
				  bytes__u64(data, FIELDS + 8), shape);
	default:
		return true;
	}
}

struct heap_shape *heap_shape__read(struct heap_types *types, const struct heap_type *type)
{
	uint8_t data[EXTRA_MAX];
	struct heap_shape *shape;

	if (types->shape_bytes > MAX_SHAPES ||
	    remote__read(types->runtime->remote, type->address, data, descriptor_size(type->kind)))
		return NULL;
	shape = calloc(1, sizeof(*shape));
	if (!shape)
		return NULL;
	types->shape_bytes += sizeof(*shape);
	if (read_kind(types, type, data, shape) &&
	    add_name(types, type, (int32_t)bytes__u32(data, GO_TYPE_STR), shape))
		return shape;
	heap_shape__free(shape);
	return NULL;
}

void heap_shape__free(struct heap_shape *shape)
{
	if (!shape)
		return;
	for (size_t i = 0; i < shape->n_fields; i++)
		free((void *)shape->fields[i].name);
	free((void *)shape->fields);
	free((void *)shape->name);
	free(shape);
}
