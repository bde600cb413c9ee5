/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_JSON_WRITER_H
#define GLEAKD_OUTPUT_JSON_WRITER_H

/*
 * JSON, written value by value: no tree of it ever exists. Each call writes one value; @name is its
 * name in the object that is open, NULL in an array. The text is compact and holds nothing but
 * printable ASCII: names from foreign binaries cannot steer a terminal that it happens to be shown
 * on. It is made in memory and goes out as one line when it is whole: no reader ever sees half an
 * object.
 *
 * Running out of memory is remembered, and reported by json__finish(): no call needs a check of its
 * own.
 */
#include <stdio.h>

#include "base/common.h"

struct json {
	FILE *stream; /* in memory; NULL: there was no memory for it */
	char *bytes;
	size_t size;
	bool comma; /* the next value follows another one */
};

void json__begin(struct json *json);

/* json__begin_dated - and open the object of a document that says its schema's version and its time. */
void json__begin_dated(struct json *json, unsigned int schema_version, uint64_t realtime_ns);

/* json__finish - one line to @out, flushed; frees @json. -ENOMEM, or the error of writing to @out. */
int json__finish(struct json *json, FILE *out) __must_check;

void json__object(struct json *json, const char *name);
void json__end_object(struct json *json);
void json__array(struct json *json, const char *name);
void json__end_array(struct json *json);

/* json__text - with U+FFFD for what is not UTF-8; NULL is "". */
void json__text(struct json *json, const char *name, const char *value);

/* json__text_or_null - null for "" and NULL. */
void json__text_or_null(struct json *json, const char *name, const char *value);

/* json__count - JSON's integers are signed in most readers: at most 2^63-1. */
void json__count(struct json *json, const char *name, uint64_t n);

/* json__real - in thousandths; what JSON has no number for is 0. */
void json__real(struct json *json, const char *name, double value);

/* json__seconds - nanoseconds as a real number of seconds. */
void json__seconds(struct json *json, const char *name, uint64_t ns);
/* json__short_time - the same in millionths: of what takes less than a few milliseconds. */
void json__short_time(struct json *json, const char *name, uint64_t ns);

/* json__address - "0xc000123040": more digits than every reader has for numbers. */
void json__address(struct json *json, const char *name, uint64_t address);

void json__bool(struct json *json, const char *name, bool value);
void json__null(struct json *json, const char *name);

#endif /* GLEAKD_OUTPUT_JSON_WRITER_H */
