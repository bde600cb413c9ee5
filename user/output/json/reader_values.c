// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "output/json/reader_private.h"

/* Frames of one stack: the runtime itself keeps no more. */
#define MAX_STACK 1024u

const char *read__text(const json_t *object, const char *name)
{
	return report__text(json_string_value(json_object_get(object, name)));
}

uint64_t read__count(const json_t *object, const char *name)
{
	return (uint64_t)max_of(json_integer_value(json_object_get(object, name)), (json_int_t)0);
}

uint32_t read__count32(const json_t *object, const char *name)
{
	return (uint32_t)min_of(read__count(object, name), (uint64_t)UINT32_MAX);
}

double read__real(const json_t *object, const char *name)
{
	double value = json_number_value(json_object_get(object, name));

	return isfinite(value) ? value : 0;
}

uint64_t read__seconds(const json_t *object, const char *name)
{
	return duration__from_seconds(read__real(object, name));
}

bool read__bool(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

uint64_t read__address(const json_t *object, const char *name)
{
	return strtoull(read__text(object, name), NULL, 16);
}

unsigned int read__word(const json_t *object, const char *name,
			const char *(*name_of)(unsigned int), unsigned int n)
{
	const char *word = read__text(object, name);

	for (unsigned int i = 0; i < n; i++) {
		if (!strcmp(name_of(i), word))
			return i;
	}
	return 0;
}

size_t read__array(struct report_reader *reader, const json_t *list, size_t size, size_t max,
		   void *ret_items)
{
	size_t n = json_array_size(list);
	void *items;

	if (n > max)
		reader->too_many = true;
	if (!n || reader->too_many)
		return 0;
	items = arena__take(&reader->arena, n, size);
	if (!items)
		return 0;
	memcpy(ret_items, &items, sizeof(items));
	return n;
}

struct report_frame read__frame(const json_t *object)
{
	return (struct report_frame){
		.function = read__text(object, "function"),
		.file = read__text(object, "file"),
		.line = read__count32(object, "line"),
		.module = read__text(object, "module"),
	};
}

const struct report_frame *read__stack(struct report_reader *reader, const json_t *list,
				       size_t *ret_n)
{
	struct report_frame *stack = NULL;
	size_t n = read__array(reader, list, sizeof(*stack), MAX_STACK, &stack);

	for (size_t i = 0; i < n; i++)
		stack[i] = read__frame(json_array_get(list, i));
	*ret_n = n;
	return stack;
}
