// SPDX-License-Identifier: Apache-2.0
#include "shown.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "output/json/report.h"

void shown__normalize(char *text)
{
	char *start = text, *out = text;

	while (*text) {
		size_t n = strncmp(text, "\033[", 2) ? 0 : 2 + strspn(text + 2, "0123456789;");

		if (n && text[n] && strchr("mKHJ", text[n])) {
			text += n + 1;
			continue;
		}
		while (*text == '\n' && out > start && out[-1] == ' ')
			out--;
		*out++ = *text++;
	}
	*out = '\0';
}

void shown__check(const char *text, unsigned int columns)
{
	unsigned int width = 0;
	uint32_t code;

	while (*text) {
		text += utf8__decode(text, &code);
		if (code == '\n') {
			width = 0;
			continue;
		}
		fuzz__require(utf8__printable(code));
		width += utf8__columns(code);
		fuzz__require(width <= columns);
	}
}

void shown__check_json(const char *text, size_t size)
{
	json_t *json;

	for (size_t i = 0; i < size; i++)
		fuzz__require((text[i] >= ' ' && text[i] < 0x7f) ||
			      (text[i] == '\n' && i + 1 == size));
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	fuzz__require(json_is_object(json));
	json_decref(json);
}

void shown__check_report(const struct report *report)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	fuzz__require(out && !report__write_json(out, report));
	fclose(out);
	shown__check_json(text, size);
	free(text);
}
