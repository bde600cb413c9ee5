// SPDX-License-Identifier: Apache-2.0
#include "output/json/holders.h"

static void put_types(struct json *json, const struct heap_view *view)
{
	json__array(json, "types");
	for (size_t i = 0; i < view->n_types; i++) {
		json__object(json, NULL);
		json__text(json, "type", view->types[i].name);
		json__bool(json, "known", view->types[i].known);
		json__count(json, "objects", view->types[i].objects);
		json__count(json, "bytes", view->types[i].bytes);
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_holders(struct json *json, const struct heap_view *view)
{
	json__array(json, "holders");
	for (size_t i = 0; i < view->n_holders; i++) {
		const struct heap_view_holder *holder = &view->holders[i];

		json__object(json, NULL);
		json__text(json, "path", holder->path);
		json__text(json, "type", holder->type);
		json__count(json, "depth", holder->depth);
		json__bool(json, "leads_to_itself", holder->recursive);
		json__count(json, "objects", holder->objects);
		json__count(json, "retained_bytes", holder->retained_bytes);
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_entries(struct json *json, const char *name, const struct heap_view_growth *growth,
			uint64_t entries)
{
	if (growth->counted)
		json__count(json, name, entries);
	else
		json__null(json, name);
}

static void put_growing(struct json *json, const struct heap_view *view)
{
	json__array(json, "growing");
	for (size_t i = 0; i < view->n_growing; i++) {
		const struct heap_view_growth *growth = &view->growing[i];

		json__object(json, NULL);
		json__text(json, "path", growth->path);
		json__text(json, "type", growth->type);
		put_entries(json, "entries_before", growth, growth->entries_before);
		put_entries(json, "entries_after", growth, growth->entries_after);
		json__count(json, "bytes_before", growth->bytes_before);
		json__count(json, "bytes_after", growth->bytes_after);
		json__real(json, "per_minute", growth->per_minute);
		json__end_object(json);
	}
	json__end_array(json);
}

void json__holders(struct json *json, const struct heap_view *view)
{
	put_types(json, view);
	put_holders(json, view);
	put_growing(json, view);
}
