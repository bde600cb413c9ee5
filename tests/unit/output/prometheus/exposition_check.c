// SPDX-License-Identifier: Apache-2.0
#include "exposition_check.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define MAX_FAMILIES 100
#define MAX_NAME     100

/* A line up to the blank before its value. */
struct series {
	const char *text;
	size_t length;
};

struct checker {
	char families[MAX_FAMILIES][MAX_NAME];
	size_t n_families;
	bool typed; /* the current family has its TYPE */
	bool histogram;
	struct series *series;
	size_t n_series;
};

static size_t name_length(const char *text)
{
	size_t n = 0;

	if (isdigit((unsigned char)*text))
		return 0;
	while (isalnum((unsigned char)text[n]) || text[n] == '_')
		n++;
	return n;
}

static const char *check_help(struct checker *checker, const char *line)
{
	size_t length = name_length(line);
	char *name = checker->families[checker->n_families];

	if (length == 0 || length >= MAX_NAME || line[length] != ' ')
		return "HELP without a name";
	if (line[length + 1] == '\n')
		return "HELP without words";
	memcpy(name, line, length);
	name[length] = '\0';
	for (size_t i = 0; i < checker->n_families; i++) {
		if (!strcmp(checker->families[i], name))
			return "a family twice";
	}
	if (++checker->n_families == MAX_FAMILIES)
		return "too many families for this check";
	checker->typed = false;
	return NULL;
}

static const char *check_type(struct checker *checker, const char *line)
{
	size_t length = name_length(line);
	const char *kind = line + length + 1;
	const char *name;

	if (checker->n_families == 0 || checker->typed)
		return "TYPE without HELP before it";
	name = checker->families[checker->n_families - 1];
	if (strlen(name) != length || strncmp(name, line, length) != 0)
		return "TYPE of another family";
	checker->histogram = !strncmp(kind, "histogram\n", 10);
	if (!checker->histogram && strncmp(kind, "gauge\n", 6) != 0 &&
	    strncmp(kind, "counter\n", 8) != 0)
		return "unknown TYPE";
	checker->typed = true;
	return NULL;
}

static bool in_family(const struct checker *checker, const char *name, size_t length)
{
	static const char *const parts[] = {"", "_bucket", "_sum", "_count"};
	const char *family;
	size_t family_length;

	if (!checker->typed)
		return false;
	family = checker->families[checker->n_families - 1];
	family_length = strlen(family);
	if (length < family_length || strncmp(name, family, family_length) != 0)
		return false;
	for (size_t i = checker->histogram; i < (checker->histogram ? ARRAY_SIZE(parts) : 1); i++) {
		if (strlen(parts[i]) == length - family_length &&
		    !strncmp(name + family_length, parts[i], length - family_length))
			return true;
	}
	return false;
}

/* From behind the opening quote to behind the closing one; NULL: it is not a string. */
static const char *skip_value(const char *text)
{
	for (; *text != '"'; text++) {
		if (*text == '\n')
			return NULL;
		if (*text == '\\' && !strchr("\\\"n", *++text))
			return NULL;
	}
	return text + 1;
}

static const char *skip_labels(const char *text)
{
	do {
		size_t length = name_length(++text);

		if (length == 0 || strncmp(text + length, "=\"", 2) != 0)
			return NULL;
		text = skip_value(text + length + 2);
	} while (text && *text == ',');
	return text && *text == '}' ? text + 1 : NULL;
}

static const char *check_sample(struct checker *checker, const char *line)
{
	size_t length = name_length(line);
	const char *end = line + length;
	char *rest;

	if (length == 0 || !in_family(checker, line, length))
		return "a sample outside its family";
	if (*end == '{')
		end = skip_labels(end);
	if (!end || *end != ' ')
		return "bad labels";
	/* strtod() would also take blanks and words. */
	if (!isdigit((unsigned char)end[1]) || !isfinite(strtod(end + 1, &rest)))
		return "a value that is no number or negative";
	if (*rest != '\n')
		return "something after the value";
	checker->series[checker->n_series++] = (struct series){line, (size_t)(end - line)};
	return NULL;
}

static const char *check_line(struct checker *checker, const char *line)
{
	if (!strncmp(line, "# HELP ", 7))
		return check_help(checker, line + 7);
	if (!strncmp(line, "# TYPE ", 7))
		return check_type(checker, line + 7);
	return check_sample(checker, line);
}

static int compare_series(const void *a, const void *b)
{
	const struct series *one = a, *other = b;

	if (one->length != other->length)
		return one->length < other->length ? -1 : 1;
	return memcmp(one->text, other->text, one->length);
}

static const char *check_unique(const struct checker *checker)
{
	qsort(checker->series, checker->n_series, sizeof(*checker->series), compare_series);
	for (size_t i = 1; i < checker->n_series; i++) {
		if (compare_series(&checker->series[i - 1], &checker->series[i]) == 0)
			return "a series twice";
	}
	return NULL;
}

static const char *check_bytes(const char *text, size_t size)
{
	if (strlen(text) != size)
		return "a NUL";
	if (size == 0 || text[size - 1] != '\n')
		return "no end of the last line";
	if (!utf8__valid(text))
		return "invalid UTF-8";
	for (const char *c = text; *c; c++) {
		if (*c != '\n' && ((unsigned char)*c < ' ' || *c == 0x7f))
			return "a control character";
	}
	return NULL;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

const char *exposition_check(const char *text, size_t size)
{
	struct checker *checker = calloc(1, sizeof(*checker));
	const char *wrong = checker ? check_bytes(text, size) : "no memory";

	if (!wrong) {
		checker->series = calloc(count_lines(text), sizeof(*checker->series));
		wrong = checker->series ? NULL : "no memory";
	}
	for (const char *line = text; !wrong && *line; line = strchr(line, '\n') + 1)
		wrong = check_line(checker, line);
	if (!wrong)
		wrong = check_unique(checker);
	if (checker)
		free(checker->series);
	free(checker);
	return wrong;
}
