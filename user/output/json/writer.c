// SPDX-License-Identifier: Apache-2.0
#include "output/json/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/stream.h"
#include "base/utf8.h"

/* 15 digits survive the way through a double unchanged (DBL_DIG): 0.3 stays 0.3. */
#define REAL_DIGITS 15

void json__begin(struct json *json)
{
	*json = (struct json){0};
	json->stream = open_memstream(&json->bytes, &json->size);
}

void json__begin_dated(struct json *json, unsigned int schema_version, uint64_t realtime_ns)
{
	char time[CLOCK_RFC3339_SIZE];

	clock__rfc3339(realtime_ns, time);
	json__begin(json);
	json__object(json, NULL);
	json__count(json, "schema_version", schema_version);
	json__text(json, "time", time);
}

int json__finish(struct json *json, FILE *out)
{
	bool failed = !json->stream || fputc('\n', json->stream) == EOF || ferror(json->stream);
	int err;

	/* The stream lives in memory: only that can have run out. */
	if (json->stream && fclose(json->stream))
		failed = true;
	err = failed ? -ENOMEM : stream__write(out, json->bytes, json->size);
	free(json->bytes);
	*json = (struct json){0};
	return err;
}

static void put(struct json *json, const char *text, size_t size)
{
	if (json->stream)
		fwrite_unlocked(text, 1, size, json->stream);
}

/* --- strings ------------------------------------------------------------------------------------- */

/* Bytes at the beginning of @text that stand for themselves. */
static size_t plain_prefix(const char *text)
{
	size_t n = 0;

	while (text[n] >= ' ' && text[n] < 0x7f && text[n] != '"' && text[n] != '\\')
		n++;
	return n;
}

/* The escapes with a letter (RFC 8259, section 7); 0: there is none. */
static char short_escape(uint32_t code)
{
	switch (code) {
	case '"':
	case '\\':
		return (char)code;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

static void put_escaped(struct json *json, uint32_t code)
{
	char text[sizeof("\\uD83D\\uDC39")];
	char letter = short_escape(code);
	int n;

	if (letter)
		n = snprintf(text, sizeof(text), "\\%c", letter);
	else if (code < 0x10000)
		n = snprintf(text, sizeof(text), "\\u%04" PRIX32, code);
	else
		n = snprintf(text, sizeof(text), "\\u%04" PRIX32 "\\u%04" PRIX32,
			     0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
	put(json, text, (size_t)n);
}

static void put_string(struct json *json, const char *text)
{
	put(json, "\"", 1);
	while (*text) {
		size_t n = plain_prefix(text);
		uint32_t code;

		put(json, text, n);
		text += n;
		if (!*text)
			break;
		text += utf8__decode(text, &code);
		put_escaped(json, code ? code : UTF8_REPLACEMENT);
	}
	put(json, "\"", 1);
}

/* --- values -------------------------------------------------------------------------------------- */

/* What comes before a value. */
static void begin_value(struct json *json, const char *name)
{
	if (json->comma)
		put(json, ",", 1);
	json->comma = true;
	if (!name)
		return;
	put_string(json, name);
	put(json, ":", 1);
}

static void put_word(struct json *json, const char *name, const char *word)
{
	begin_value(json, name);
	put(json, word, strlen(word));
}

static void open_bracket(struct json *json, const char *name, const char *bracket)
{
	put_word(json, name, bracket);
	json->comma = false;
}

static void close_bracket(struct json *json, const char *bracket)
{
	put(json, bracket, 1);
	json->comma = true;
}

void json__object(struct json *json, const char *name)
{
	open_bracket(json, name, "{");
}

void json__end_object(struct json *json)
{
	close_bracket(json, "}");
}

void json__array(struct json *json, const char *name)
{
	open_bracket(json, name, "[");
}

void json__end_array(struct json *json)
{
	close_bracket(json, "]");
}

void json__text(struct json *json, const char *name, const char *value)
{
	begin_value(json, name);
	put_string(json, value ? value : "");
}

void json__text_or_null(struct json *json, const char *name, const char *value)
{
	if (value && *value)
		json__text(json, name, value);
	else
		json__null(json, name);
}

void json__count(struct json *json, const char *name, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, min_of(n, (uint64_t)INT64_MAX));
	put_word(json, name, text);
}

/* A real number looks like one: "2.0" where an integer would be "2". */
static void put_real(struct json *json, const char *name, double value, double parts)
{
	double rounded = round(value * parts) / parts;
	char text[32], *plus;

	snprintf(text, sizeof(text), "%.*g", REAL_DIGITS, isfinite(rounded) ? rounded : 0);
	plus = strchr(text, '+'); /* of an exponent: "1e+300" */
	if (plus)
		memmove(plus, plus + 1, strlen(plus));
	if (!text[strcspn(text, ".e")])
		strncat(text, ".0", sizeof(text) - strlen(text) - 1);
	put_word(json, name, text);
}

void json__real(struct json *json, const char *name, double value)
{
	put_real(json, name, value, 1e3);
}

void json__seconds(struct json *json, const char *name, uint64_t ns)
{
	json__real(json, name, (double)ns / (double)NSEC_PER_SEC);
}

void json__short_time(struct json *json, const char *name, uint64_t ns)
{
	put_real(json, name, (double)ns / (double)NSEC_PER_SEC, 1e6);
}

void json__address(struct json *json, const char *name, uint64_t address)
{
	char text[sizeof("0x0123456789abcdef")];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	json__text(json, name, text);
}

void json__bool(struct json *json, const char *name, bool value)
{
	put_word(json, name, value ? "true" : "false");
}

void json__null(struct json *json, const char *name)
{
	put_word(json, name, "null");
}
