// SPDX-License-Identifier: Apache-2.0
#include "output/prometheus/exposition.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "output/shorten.h"

char *exposition__clean(const char *text, size_t columns)
{
	char *cut = shorten__text(text, columns), *clean, *end;

	if (!cut)
		return NULL;
	/* The worst case is one bad byte that becomes the three of U+FFFD. */
	clean = end = malloc(strlen(cut) * strlen(UTF8_REPLACEMENT_STR) + 1);
	for (const char *from = cut; clean && *from;) {
		uint32_t code;
		size_t taken = utf8__decode(from, &code);
		bool shown = code && utf8__printable(code);
		size_t length = shown ? taken : strlen(UTF8_REPLACEMENT_STR);

		memcpy(end, shown ? from : UTF8_REPLACEMENT_STR, length);
		end += length;
		from += taken;
	}
	if (clean)
		*end = '\0';
	free(cut);
	return clean;
}

char *exposition__claimed(const char *claimant, const char *name, size_t columns)
{
	char *clean = exposition__clean(name, columns), *whose, *claimed = NULL;

	if (!clean || !*clean || !claimant || !*claimant)
		return clean;
	whose = exposition__clean(claimant, columns);
	if (whose && asprintf(&claimed, "%s: %s", whose, clean) < 0)
		claimed = NULL;
	free(whose);
	free(clean);
	return claimed;
}

void exposition__family(FILE *out, const char *name, enum exposition_type type, const char *help)
{
	static const char *const types[] = {
		[EXPOSITION_GAUGE] = "gauge",
		[EXPOSITION_COUNTER] = "counter",
		[EXPOSITION_HISTOGRAM] = "histogram",
	};

	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]);
}

/*
 * Escaped as the format wants it. Whatever else could steer a terminal or turn the direction of a
 * line becomes U+FFFD: people look at these values with cat and curl.
 */
static void put_value(FILE *out, const char *text)
{
	while (*text) {
		uint32_t code;
		size_t taken = utf8__decode(text, &code);

		if (code == '\n')
			fputs("\\n", out);
		else if (code == '"' || code == '\\')
			fprintf(out, "\\%c", (int)code);
		else if (code && utf8__printable(code))
			fwrite(text, 1, taken, out);
		else
			fputs(UTF8_REPLACEMENT_STR, out);
		text += taken;
	}
}

static void put_series(FILE *out, const char *name, const struct exposition_label *labels,
		       size_t n_labels)
{
	fputs(name, out);
	for (size_t i = 0; i < n_labels; i++) {
		fprintf(out, "%c%s=\"", i == 0 ? '{' : ',', labels[i].name);
		put_value(out, labels[i].value ? labels[i].value : "");
		fputc('"', out);
	}
	fputs(n_labels ? "} " : " ", out);
}

void exposition__count(FILE *out, const char *name, const struct exposition_label *labels,
		       size_t n_labels, uint64_t value)
{
	put_series(out, name, labels, n_labels);
	fprintf(out, "%" PRIu64 "\n", value);
}

void exposition__number(FILE *out, const char *name, const struct exposition_label *labels,
			size_t n_labels, double value)
{
	put_series(out, name, labels, n_labels);
	/* 13 digits: a time of day to the millisecond. Adding 0 turns -0 into 0. */
	fprintf(out, "%.13g\n", isfinite(value) ? value + 0.0 : 0.0);
}
