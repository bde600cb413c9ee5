// SPDX-License-Identifier: Apache-2.0
#include "output/json/ways.h"

#include <stdio.h>

static void put_address(struct json *json, const char *name, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)address);
	json__text(json, name, text);
}

static void put_root(struct json *json, const struct heap_holder_path *path)
{
	json__object(json, "root");
	json__text(json, "kind", heap_way_root__name(path->kind));
	json__text(json, "name", path->name);
	if (path->goid)
		json__count(json, "goid", path->goid);
	else
		json__null(json, "goid");
	json__end_object(json);
}

static void put_step(struct json *json, const struct heap_holder_step *step)
{
	json__object(json, NULL);
	json__text(json, "type", step->type);
	json__text(json, "field", step->field);
	put_address(json, "address", step->address);
	json__count(json, "bytes", step->size);
	json__end_object(json);
}

static void put_context(struct json *json, const struct heap_context *context)
{
	json__object(json, NULL);
	json__text(json, "type", context->type);
	put_address(json, "address", context->address);
	if (context->cancels)
		json__count(json, "children", context->children);
	else
		json__null(json, "children");
	json__end_object(json);
}

static void put_path(struct json *json, const struct heap_holder_path *path)
{
	json__object(json, NULL);
	put_root(json, path);
	json__array(json, "steps");
	for (size_t i = 0; i < path->n_steps; i++)
		put_step(json, &path->steps[i]);
	json__end_array(json);
	json__array(json, "contexts");
	for (size_t i = 0; i < path->n_contexts; i++)
		put_context(json, &path->contexts[i]);
	json__end_array(json);
	json__count(json, "left_out", path->left_out);
	json__count(json, "objects", path->objects);
	json__end_object(json);
}

void json__ways(struct json *json, const struct report_target *target)
{
	const struct heap_holders *holders = target->holders;

	if (!holders)
		return;
	json__object(json, "asked");
	json__count(json, "objects", holders->objects);
	json__count(json, "held", holders->held);
	json__count(json, "ways", holders->ways);
	json__count(json, "apart", holders->apart);
	json__end_object(json);
	json__array(json, "paths");
	for (size_t i = 0; i < holders->n_paths; i++)
		put_path(json, &holders->paths[i]);
	json__end_array(json);
}
