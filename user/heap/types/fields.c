// SPDX-License-Identifier: Apache-2.0
#include "heap/types/fields.h"

#include <string.h>

#include "base/bytes.h"
#include "host/remote.h"

#define WORD	     8u
#define MAX_EMBEDDED 4
#define MAX_DEPTH    8

/* The field of @type that has the first @length bytes of @name; in what is embedded, last of all. */
static struct heap_field_at find_one(struct heap_types *types, uint64_t address, const char *name,
				     size_t length, int depth)
{
	const struct heap_type *type = heap_types__any(types, address), *of;
	const struct heap_shape *shape = type ? heap_types__shape(types, type) : NULL;
	struct heap_field_at found = {0};

	if (!shape || type->kind != GO_KIND_STRUCT)
		return found;
	for (size_t i = 0; i < shape->n_fields; i++) {
		const struct heap_field *field = &shape->fields[i];

		if (strncmp(field->name, name, length) != 0 || field->name[length])
			continue;
		of = heap_types__any(types, field->type);
		return (struct heap_field_at){field->offset, of ? of->size : 0, field->type};
	}
	for (size_t i = 0; i < shape->n_fields && depth; i++) {
		if (!shape->fields[i].embedded)
			continue;
		found = find_one(types, shape->fields[i].type, name, length, depth - 1);
		if (found.size) {
			found.offset += shape->fields[i].offset;
			break;
		}
	}
	return found;
}

struct heap_field_at heap_fields__find(struct heap_types *types, uint64_t type, const char *path)
{
	struct heap_field_at field = {.type = type, .size = 1};
	uint64_t base = 0;

	for (int depth = 0; *path && field.size && depth < MAX_DEPTH; depth++) {
		size_t length = strcspn(path, ".");

		field = find_one(types, field.type, path, length, MAX_EMBEDDED);
		base += field.offset;
		path += length + (path[length] == '.');
	}
	field.offset = base;
	return field;
}

static bool is_inside(const struct heap_field_at *field, size_t size)
{
	return field->size && field->offset <= size && field->size <= size - field->offset;
}

bool heap_fields__is_zero(const struct heap_field_at *field, const uint8_t *value, size_t size)
{
	if (!is_inside(field, size))
		return true;
	for (uint64_t i = 0; i < field->size; i++) {
		if (value[field->offset + i])
			return false;
	}
	return true;
}

uint64_t heap_fields__number(const struct heap_field_at *field, const uint8_t *value, size_t size)
{
	uint64_t number = 0;

	if (!is_inside(field, size) || field->size > sizeof(number))
		return 0;
	memcpy(&number, value + field->offset, (size_t)field->size);
	return number;
}

void heap_fields__text(struct remote *remote, uint64_t address, char *text, size_t size)
{
	uint64_t words[2];
	size_t length;

	text[0] = '\0';
	if (remote__read(remote, address, words, sizeof(words)))
		return;
	length = (size_t)min_of(words[1], (uint64_t)size - 1);
	if (!length || remote__read(remote, words[0], text, length))
		length = 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	}
	text[length] = '\0';
}

bool heap_fields__follow(struct heap_types *types, struct remote *remote, uint64_t address,
			 uint64_t *ret_type, uint64_t *ret_address)
{
	uint64_t words[2], itab[2]; /* src/internal/abi/iface.go ITab: Inter, Type */
	const struct heap_type *type;
	const struct heap_shape *shape;

	if (remote__read(remote, address, words, sizeof(words)) || !words[0] || !words[1] ||
	    remote__read(remote, words[0], itab, sizeof(itab)))
		return false;
	*ret_type = itab[1];
	*ret_address = words[1];
	type = heap_types__any(types, itab[1]);
	shape = type ? heap_types__shape(types, type) : NULL;
	if (shape && type->kind == GO_KIND_POINTER)
		*ret_type = shape->elem;
	return shape;
}
