// SPDX-License-Identifier: Apache-2.0
#include "output/json/resources.h"

static void put_texts(struct json *json, const char *name, char *const *texts, size_t n)
{
	json__array(json, name);
	for (size_t i = 0; i < n; i++)
		json__text(json, NULL, texts[i]);
	json__end_array(json);
}

static void put_line(struct json *json, const struct resource_lines *lines,
		     const struct resource_line *line)
{
	const struct resource_place *place = &line->place;
	const char *verdict = resource_verdict__name(place->verdict);

	json__object(json, NULL);
	json__text(json, "kind", resource_kind__name(place->kind));
	json__count(json, "opened", place->opened);
	json__count(json, "closed", place->closed);
	json__count(json, "outstanding", place->outstanding);
	if (lines->looks > 1) {
		json__real(json, "growth_per_minute", place->per_minute);
		json__seconds(json, "oldest_seconds", place->oldest_ns);
	} else {
		json__null(json, "growth_per_minute");
		json__null(json, "oldest_seconds");
	}
	json__text_or_null(json, "verdict", verdict);
	put_texts(json, "why", line->why, line->n_why);
	/* No opening has been watched. */
	json__null(json, "opened_at");
	put_texts(json, "stack", NULL, 0);
	put_texts(json, "held_by", line->held_by, line->n_held_by);
	json__text_or_null(json, "calls", line->calls);
	put_texts(json, "examples", line->examples, place->n_examples);
	json__end_object(json);
}

void json__resources(struct json *json, const struct resource_lines *lines)
{
	if (!lines)
		return;
	json__object(json, "resource_looks");
	json__count(json, "looks", lines->looks);
	json__seconds(json, "seconds", lines->elapsed_ns);
	json__count(json, "refused", lines->refused);
	json__count(json, "left_out", lines->left_out);
	json__end_object(json);
	json__array(json, "resources");
	for (size_t i = 0; i < lines->n; i++)
		put_line(json, lines, &lines->all[i]);
	json__end_array(json);
}
