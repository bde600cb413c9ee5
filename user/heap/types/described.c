// SPDX-License-Identifier: Apache-2.0
/* Types that have no descriptor, as DWARF describes them (golang/variables.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "golang/variables.h"
#include "heap/types/private.h"

#define WORD 8u

void heap_types__use_variables(struct heap_types *types, const struct go_variables *variables,
			       uint64_t bias)
{
	types->variables = variables;
	types->bias = bias;
}

uint64_t heap_types__of_variable(const struct heap_types *types, uint64_t type)
{
	/* Descriptors move with the program. */
	return type && !(type & GO_TYPE_DESCRIBED) ? type + types->bias : type;
}

static bool add_fields(struct heap_types *types, const struct go_described *described,
		       struct heap_shape *shape)
{
	struct heap_field *fields = calloc(described->n_fields + 1, sizeof(*fields));

	if (!fields)
		return false;
	shape->fields = fields;
	for (size_t i = 0; i < described->n_fields; i++) {
		const struct go_described_field *field = &described->fields[i];

		if (i && field->offset < described->fields[i - 1].offset)
			return false;
		fields[i] = (struct heap_field){
			.name = strdup(field->name),
			.offset = field->offset,
			.type = heap_types__of_variable(types, field->type),
		};
		if (!fields[i].name)
			return false;
		shape->n_fields++;
	}
	return true;
}

static struct heap_shape *make_shape(struct heap_types *types, const struct go_described *described)
{
	struct heap_shape *shape = calloc(1, sizeof(*shape));

	if (!shape)
		return NULL;
	shape->elem = heap_types__of_variable(types, described->elem);
	shape->key = heap_types__of_variable(types, described->key);
	shape->length = described->length;
	shape->name = heap_shape__shorten(described->name);
	if (shape->name && add_fields(types, described, shape))
		return shape;
	heap_shape__free(shape);
	return NULL;
}

struct heap_type *heap_types__describe(struct heap_types *types, uint64_t address)
{
	const struct go_described *described =
		types->variables ? go_variables__described(types->variables, address) : NULL;
	struct heap_type *type = described ? calloc(1, sizeof(*type)) : NULL;

	if (!type)
		return NULL;
	type->address = address;
	type->size = described->size;
	/* Which of its words are pointers nobody asks: no object of the heap is of such a type. */
	type->pointer_size = described->size & ~(uint64_t)(WORD - 1);
	type->kind = described->kind;
	type->bits_read = type->shape_read = true;
	type->shape = make_shape(types, described);
	return type;
}
