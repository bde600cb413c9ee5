// SPDX-License-Identifier: Apache-2.0
#include "output/json/resources.h"

#include "output/json/site.h"

static void put_texts(struct json *json, const char *name, char *const *texts, size_t n)
{
	json__array(json, name);
	for (size_t i = 0; i < n; i++)
		json__text(json, NULL, texts[i]);
	json__end_array(json);
}

/* One look tells no change. */
static void put_change(struct json *json, const struct resource_lines *lines, double per_minute,
		       uint64_t oldest_ns)
{
	if (lines->looks > 1) {
		json__real(json, "growth_per_minute", per_minute);
		json__seconds(json, "oldest_seconds", oldest_ns);
	} else {
		json__null(json, "growth_per_minute");
		json__null(json, "oldest_seconds");
	}
}

/* The line that opens most of them, then each that was seen to. */
static void put_openers(struct json *json, const struct resource_lines *lines,
			const struct resource_line *line)
{
	const struct resource_place *place = &line->place;
	static const struct report_frame no_frame;
	const struct resource_opened_at none = {0}, *first = &none;

	for (size_t i = 0; i < place->n_openers && !first->at; i++)
		first = &line->opened_at[i];
	json__frame(json, "opened_at", first->at ? first->at : &no_frame);
	json__stack(json, "stack", first->stack, first->n_stack);
	json__array(json, "openers");
	for (size_t i = 0; i < place->n_openers; i++) {
		json__object(json, NULL);
		json__frame(json, "opened_at",
			    line->opened_at[i].at ? line->opened_at[i].at : &no_frame);
		json__count(json, "opened", place->openers[i].opened);
		json__count(json, "closed", place->openers[i].closed);
		json__count(json, "outstanding", place->openers[i].outstanding);
		put_change(json, lines, place->openers[i].per_minute, place->openers[i].oldest_ns);
		json__text_or_null(json, "verdict",
				   resource_verdict__name(place->openers[i].verdict));
		json__end_object(json);
	}
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
	put_change(json, lines, place->per_minute, place->oldest_ns);
	json__text_or_null(json, "verdict", verdict);
	put_texts(json, "why", line->why, line->n_why);
	put_openers(json, lines, line);
	put_texts(json, "held_by", line->held_by, line->n_held_by);
	json__text_or_null(json, "calls", line->calls);
	put_texts(json, "examples", line->examples, place->n_examples);
	json__end_object(json);
}

static void put_openings(struct json *json, const struct resource_lines *lines)
{
	const struct resource_openings *openings = &lines->openings;

	if (!lines->watched) {
		json__null(json, "openings");
		return;
	}
	json__object(json, "openings");
	json__count(json, "windows", openings->windows);
	json__count(json, "seen", openings->seen);
	json__count(json, "lost", openings->lost);
	json__seconds(json, "cost_seconds", openings->cost_ns);
	json__text_or_null(json, "missing", openings->missing);
	json__object(json, "pools");
	json__count(json, "windows", openings->pool_windows);
	json__count(json, "seen", openings->pool_seen);
	json__count(json, "lost", openings->pool_lost);
	json__seconds(json, "cost_seconds", openings->pool_cost_ns);
	json__end_object(json);
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
	put_openings(json, lines);
	json__end_object(json);
	json__array(json, "resources");
	for (size_t i = 0; i < lines->n; i++)
		put_line(json, lines, &lines->all[i]);
	json__end_array(json);
}
