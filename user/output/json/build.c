// SPDX-License-Identifier: Apache-2.0
#include "output/json/build.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

struct json_build json_build__begin(void)
{
	json_t *json = json_object();

	return (struct json_build){.json = json, .failed = !json};
}

/* jansson takes @value over in any case and refuses NULL. */
void json_build__put(struct json_build *object, const char *name, json_t *value)
{
	if (json_object_set_new_nocheck(object->json, name, value) != 0)
		object->failed = true;
}

json_t *json_build__end(struct json_build *object)
{
	if (!object->failed)
		return object->json;
	json_decref(object->json);
	return NULL;
}

json_t *json_build__text(const char *value)
{
	json_t *json;
	char *repaired;

	value = report__text(value);
	if (utf8__valid(value))
		return json_string_nocheck(value);
	repaired = utf8__repair(value);
	json = repaired ? json_string_nocheck(repaired) : NULL;
	free(repaired);
	return json;
}

json_t *json_build__text_or_null(const char *value)
{
	return value && *value ? json_build__text(value) : json_null();
}

json_t *json_build__count(uint64_t n)
{
	return json_integer((json_int_t)min_of(n, (uint64_t)INT64_MAX));
}

json_t *json_build__address(uint64_t address)
{
	char text[sizeof("0x0123456789abcdef")];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	return json_string_nocheck(text);
}

json_t *json_build__array(const void *items, size_t n, size_t size,
			  json_t *(*make)(const void *item))
{
	json_t *array = json_array();
	const char *item = items;

	for (size_t i = 0; i < n; i++, item += size) {
		if (json_array_append_new(array, make(item)) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *frame_json(const void *item)
{
	const struct report_frame *frame = item;
	struct json_build object = json_build__begin();

	json_build__put(&object, "function", json_build__text(frame->function));
	json_build__put(&object, "file", json_build__text(frame->file));
	json_build__put(&object, "line", json_build__count(frame->line));
	return json_build__end(&object);
}

json_t *json_build__place(const struct report_frame *frame)
{
	return report__frame_known(frame) ? frame_json(frame) : json_null();
}

json_t *json_build__stack(const struct report_frame *stack, size_t n)
{
	return json_build__array(stack, n, sizeof(*stack), frame_json);
}
