// SPDX-License-Identifier: Apache-2.0
/* What is open. Texts belong to the tree, and nobody changes or frees them. */
#include "output/json/reader_private.h"

/* At most @max; returns how many. */
static size_t read_texts(const json_t *list, char **texts, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(list) && n < max; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text)
			texts[n++] = (char *)text;
	}
	return n;
}

/* A frame for itself; NULL: there is none. */
static const struct report_frame *read_own_frame(struct report_reader *reader, const json_t *json)
{
	struct report_frame *frame;

	if (!json_is_object(json))
		return NULL;
	frame = arena__take(&reader->arena, 1, sizeof(*frame));
	if (frame)
		*frame = read__frame(json);
	return frame;
}

/* The stack is that of the first which has a line. */
static void read_openers(struct report_reader *reader, const json_t *json,
			 struct resource_line *line)
{
	const json_t *list = json_object_get(json, "openers");
	struct resource_place *place = &line->place;
	bool first = true;

	place->n_openers = min_of(json_array_size(list), (size_t)RESOURCE_OPENERS);
	for (size_t i = 0; i < place->n_openers; i++) {
		const json_t *item = json_array_get(list, i);
		struct resource_opened_at *opened = &line->opened_at[i];

		place->openers[i] = (struct resource_opener){
			.opened = read__count(item, "opened"),
			.closed = read__count(item, "closed"),
			.outstanding = read__count(item, "outstanding"),
			.per_minute = read__real(item, "growth_per_minute"),
			.oldest_ns = read__seconds(item, "oldest_seconds"),
			.verdict = resource_verdict__find(read__text(item, "verdict")),
		};
		opened->at = read_own_frame(reader, json_object_get(item, "opened_at"));
		if (opened->at && first)
			opened->stack = read__stack(reader, json_object_get(json, "stack"),
						    &opened->n_stack);
		first = first && !opened->at;
	}
}

static void read_openings(const json_t *json, struct resource_lines *lines)
{
	const json_t *pools = json_object_get(json, "pools");

	lines->watched = json_is_object(json);
	lines->openings = (struct resource_openings){
		.windows = read__count(json, "windows"),
		.seen = read__count(json, "seen"),
		.lost = read__count(json, "lost"),
		.cost_ns = read__seconds(json, "cost_seconds"),
		.pool_windows = read__count(pools, "windows"),
		.pool_seen = read__count(pools, "seen"),
		.pool_lost = read__count(pools, "lost"),
		.pool_cost_ns = read__seconds(pools, "cost_seconds"),
		.missing = read__text(json, "missing"),
	};
}

static void read_line(struct report_reader *reader, const json_t *json, struct resource_line *line)
{
	struct resource_place *place = &line->place;

	line->calls = (char *)read__text(json, "calls");
	place->kind = resource_kind__find(read__text(json, "kind"));
	place->opened = read__count(json, "opened");
	place->closed = read__count(json, "closed");
	place->outstanding = read__count(json, "outstanding");
	place->per_minute = read__real(json, "growth_per_minute");
	place->oldest_ns = read__seconds(json, "oldest_seconds");
	place->verdict = resource_verdict__find(read__text(json, "verdict"));
	line->n_why = read_texts(json_object_get(json, "why"), line->why, RESOURCE_MAX_WHY);
	line->n_held_by =
		read_texts(json_object_get(json, "held_by"), line->held_by, RESOURCE_HOLDERS);
	read_openers(reader, json, line);
	place->held = line->n_held_by;
	place->n_examples =
		read_texts(json_object_get(json, "examples"), line->examples, RESOURCE_EXAMPLES);
}

const struct resource_lines *read__resources(struct report_reader *reader, const json_t *json)
{
	const json_t *looks = json_object_get(json, "resource_looks"),
		     *list = json_object_get(json, "resources");
	struct resource_lines *lines;

	if (!json_is_object(looks))
		return NULL;
	lines = arena__take(&reader->arena, 1, sizeof(*lines));
	if (!lines)
		return NULL;
	lines->looks = read__count(looks, "looks");
	lines->elapsed_ns = read__seconds(looks, "seconds");
	lines->refused = read__count(looks, "refused");
	lines->left_out = read__count(looks, "left_out");
	read_openings(json_object_get(looks, "openings"), lines);
	lines->n = read__array(reader, list, sizeof(*lines->all), REPORT_READER_MAX_ITEMS,
			       &lines->all);
	for (size_t i = 0; i < lines->n; i++)
		read_line(reader, json_array_get(list, i), &lines->all[i]);
	return lines;
}
