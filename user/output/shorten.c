// SPDX-License-Identifier: Apache-2.0
#include "output/shorten.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define MIN_WIDTH 8

static char *concat(const char *head, size_t head_len, const char *tail)
{
	size_t dots = strlen(ELLIPSIS), tail_len = strlen(tail);
	char *out = malloc(head_len + dots + tail_len + 1);

	if (!out)
		return NULL;
	memcpy(out, head, head_len);
	memcpy(out + head_len, ELLIPSIS, dots);
	memcpy(out + head_len + dots, tail, tail_len + 1);
	return out;
}

/* The middle goes; the end, which holds ".func1" or "file.go:42", gets the larger part. */
static char *cut_middle(const char *text, size_t width)
{
	size_t head_columns = (width - 1) / 3;

	return concat(text, utf8__prefix(text, head_columns),
		      text + utf8__suffix(text, width - 1 - head_columns));
}

/* @path_len: only before it a '/' separates path elements. */
static char *shorten(const char *text, size_t path_len, size_t width)
{
	const char *path_end = text + path_len;
	const char *rest, *slash;

	width = max_of(width, (size_t)MIN_WIDTH);
	if (utf8__width(text) <= width)
		return strdup(text);
	rest = strchr(text + utf8__suffix(text, width - 1), '/');
	if (rest && rest < path_end)
		return concat("", 0, rest);
	/* Not even the last element fits. */
	slash = memrchr(text, '/', path_len);
	if (slash)
		text = slash + 1;
	return utf8__width(text) <= width ? strdup(text) : cut_middle(text, width);
}

char *shorten__function(const char *name, size_t width)
{
	/* Receivers and type arguments may hold import paths of their own. */
	return shorten(name, strcspn(name, "[("), width);
}

char *shorten__location(const char *file, uint32_t line, size_t width)
{
	char *full = NULL, *out;

	if (asprintf(&full, "%s:%" PRIu32, file, line) < 0)
		return NULL;
	out = shorten(full, strlen(full), width);
	free(full);
	return out;
}

static bool is_of_import_path(char c)
{
	return c == '/' || isalnum((unsigned char)c) || strchr("._~%-", c);
}

/* Of an import path of @n bytes, the last element, and the one before that where it is a major version: "yaml/v3". */
static const char *last_element(const char *path, size_t n)
{
	const char *slash = memrchr(path, '/', n), *before;

	if (!slash)
		return path;
	before = memrchr(path, '/', (size_t)(slash - path));
	if (slash[1] == 'v' && isdigit((unsigned char)slash[2]))
		return before ? before + 1 : path;
	return slash + 1;
}

/* In place: what is left is never longer. */
static void drop_import_paths(char *way)
{
	char *out = way;

	for (const char *in = way; *in;) {
		size_t n = 0;

		while (in[n] && is_of_import_path(in[n]))
			n++;
		if (n) {
			const char *last = last_element(in, n);
			size_t kept = n - (size_t)(last - in);

			memmove(out, last, kept);
			out += kept;
			in += n;
		} else {
			*out++ = *in++;
		}
	}
	*out = '\0';
}

char *shorten__way(const char *way, size_t width)
{
	char *short_of = strdup(way), *cut;

	width = max_of(width, (size_t)MIN_WIDTH);
	if (!short_of || utf8__width(short_of) <= width)
		return short_of;
	drop_import_paths(short_of);
	if (utf8__width(short_of) <= width)
		return short_of;
	cut = cut_middle(short_of, width);
	free(short_of);
	return cut;
}

char *shorten__text(const char *text, size_t width)
{
	width = max_of(width, (size_t)MIN_WIDTH);
	return utf8__width(text) <= width ? strdup(text) : cut_middle(text, width);
}
