/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_BUILD_H
#define GLEAKD_OUTPUT_JSON_BUILD_H

/*
 * The values that JSON objects are made of here. Each is NULL without memory, and whatever gets a
 * NULL passes it on: only the last one has to be checked, which json_dump() does.
 */
#include <jansson.h>

#include "output/report.h"

/* An object under construction; remembers that a field could not be made. */
struct json_build {
	json_t *json;
	bool failed;
};

struct json_build json_build__begin(void);

/* json_build__put - takes @value over in any case. */
void json_build__put(struct json_build *object, const char *name, json_t *value);

/* json_build__end - the object, which is the caller's. */
json_t *json_build__end(struct json_build *object);

/* json_build__text - with U+FFFD for what is not UTF-8. */
json_t *json_build__text(const char *value);

/* json_build__text_or_null - null for "" and NULL. */
json_t *json_build__text_or_null(const char *value);

/* json_build__count - JSON's integers are signed in most readers: at most 2^63-1. */
json_t *json_build__count(uint64_t n);

/* json_build__address - "0xc000123040": more digits than every reader has for numbers. */
json_t *json_build__address(uint64_t address);

/* json_build__array - of what @make makes of each of @n items of @size bytes. */
json_t *json_build__array(const void *items, size_t n, size_t size,
			  json_t *(*make)(const void *item));

/* json_build__place - a frame, null when there is none. */
json_t *json_build__place(const struct report_frame *frame);

json_t *json_build__stack(const struct report_frame *stack, size_t n);

/* json_build__site - all of it (json_site.c). */
json_t *json_build__site(const struct report_site *site);

#endif /* GLEAKD_OUTPUT_JSON_BUILD_H */
