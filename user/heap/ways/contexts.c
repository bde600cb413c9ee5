// SPDX-License-Identifier: Apache-2.0
#include "heap/ways/contexts.h"

#include <string.h>

#include "heap/types/fields.h"
#include "host/remote.h"

/* timerCtx embeds a cancelCtx, and so does afterFuncCtx. */
#define MAX_EMBEDDED 3

#define NOWHERE UINT64_MAX

/* Offsets in a value. */
struct context_fields {
	uint64_t parent;   /* an interface */
	uint64_t children; /* a map */
};

bool heap_contexts__is_one(struct heap_types *types, uint64_t type)
{
	const char *name = heap_types__name(types, type);
	size_t length = strlen(name);

	return !strncmp(name, "context.", strlen("context.")) && length > 3 &&
	       !strcmp(name + length - 3, "Ctx");
}

/* withoutCancelCtx is the one whose parent is not embedded. */
static bool is_parent(const struct heap_field *field)
{
	return (field->embedded && !strcmp(field->name, "Context")) || !strcmp(field->name, "c");
}

static void find_fields(struct heap_types *types, uint64_t address, uint64_t base, int depth,
			struct context_fields *fields)
{
	const struct heap_type *type = heap_types__any(types, address);
	const struct heap_shape *shape = type ? heap_types__shape(types, type) : NULL;

	for (size_t i = 0; shape && type->kind == GO_KIND_STRUCT && i < shape->n_fields; i++) {
		const struct heap_field *field = &shape->fields[i];
		const struct heap_type *of = heap_types__any(types, field->type);

		if (!of)
			continue;
		if (of->kind == GO_KIND_INTERFACE && is_parent(field))
			fields->parent = min_of(fields->parent, base + field->offset);
		else if (of->kind == GO_KIND_MAP && !strcmp(field->name, "children"))
			fields->children = min_of(fields->children, base + field->offset);
		else if (of->kind == GO_KIND_STRUCT && field->embedded && depth)
			find_fields(types, field->type, base + field->offset, depth - 1, fields);
	}
}

/*
 * The number of entries is the first word of a map (src/runtime/map.go hmap.count, src/internal/runtime/maps
 * Map.used). A nil map has none.
 */
static bool count_children(struct remote *remote, uint64_t map, uint64_t *ret_children)
{
	uint64_t head;

	*ret_children = 0;
	if (remote__read(remote, map, &head, sizeof(head)))
		return false;
	return !head || !remote__read(remote, head, ret_children, sizeof(*ret_children));
}

size_t heap_contexts__chain(struct heap_types *types, struct remote *remote, uint64_t address,
			    uint64_t type, struct heap_context *chain, size_t max)
{
	bool more = true;
	size_t n = 0;

	while (more && n < max) {
		struct context_fields fields = {NOWHERE, NOWHERE};
		struct heap_context *context = &chain[n++];

		find_fields(types, type, 0, MAX_EMBEDDED, &fields);
		*context = (struct heap_context){
			.type = heap_types__name(types, type),
			.address = address,
		};
		if (fields.children != NOWHERE)
			context->cancels = count_children(remote, address + fields.children,
							  &context->children);
		more = fields.parent != NOWHERE &&
		       heap_fields__follow(types, remote, address + fields.parent, &type, &address);
	}
	return n;
}
