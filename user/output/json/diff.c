// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "output/diff.h"
#include "output/json/site.h"
#include "output/json/writer.h"

static void put_side(struct json *json, const char *name, const struct report *report)
{
	char time[CLOCK_RFC3339_SIZE];
	uint64_t goroutines = 0;

	clock__rfc3339(report->realtime_ns, time);
	for (size_t i = 0; i < report->n_targets; i++)
		goroutines += report->targets[i].totals.alive;
	json__object(json, name);
	json__text(json, "time", time);
	json__count(json, "targets", report->n_targets);
	json__count(json, "goroutines", goroutines);
	json__end_object(json);
}

static void put_verdict(struct json *json, const char *name, const struct report_site *site)
{
	json__text_or_null(json, name, site ? verdict__name(site->view.verdict) : "");
}

/* Opens the object of a change. */
static void begin_change(struct json *json, enum diff_kind kind, bool worse, const char *program)
{
	json__object(json, NULL);
	json__text(json, "change", diff_kind__name(kind));
	json__bool(json, "worse", worse);
	json__text(json, "program", program);
}

static void put_site(struct json *json, const struct diff_site *change)
{
	const struct report_site *site = change->site ? change->site : change->old;

	begin_change(json, change->kind, change->worse, change->program);
	json__text(json, "id", site->id);
	put_verdict(json, "verdict_before", change->old);
	put_verdict(json, "verdict", change->site);
	json__count(json, "goroutines_before", change->before);
	json__count(json, "goroutines", change->now);
	json__text(json, "wait_reason", site->wait_reason);
	json__frame(json, "created_by", &site->created_by);
	json__frame(json, "blocked_at", &site->blocked_at);
	json__text(json, "start_function", site->start_function);
	json__end_object(json);
}

static void put_place(struct json *json, const struct diff_place *change)
{
	const struct report_alloc_site *place = change->place ? change->place : change->old;

	begin_change(json, change->kind, change->worse, change->program);
	json__text(json, "id", place->id);
	json__count(json, "in_use_bytes_before", change->before);
	json__count(json, "in_use_bytes", change->now);
	json__text_or_null(json, "type", place->type);
	json__frame(json, "allocated_at", &place->allocated_at);
	json__end_object(json);
}

static void put_open_verdict(struct json *json, const char *name, const struct resource_line *line)
{
	json__text_or_null(json, name, line ? resource_verdict__name(line->place.verdict) : "");
}

static void put_resource(struct json *json, const struct diff_resource *change)
{
	const struct resource_line *line = change->line ? change->line : change->old;

	begin_change(json, change->kind, change->worse, change->program);
	json__text(json, "kind", resource_kind__name(line->place.kind));
	json__text_or_null(json, "held_by", line->n_held_by ? line->held_by[0] : "");
	json__text_or_null(json, "calls", line->calls);
	put_open_verdict(json, "verdict_before", change->old);
	put_open_verdict(json, "verdict", change->line);
	json__count(json, "outstanding_before", change->before);
	json__count(json, "outstanding", change->now);
	json__end_object(json);
}

int diff__write_json(FILE *out, const struct diff *diff)
{
	struct json json;

	json__begin(&json);
	json__object(&json, NULL);
	json__count(&json, "schema_version", REPORT_SCHEMA_VERSION);
	put_side(&json, "old", diff->old);
	put_side(&json, "new", diff->report);
	json__count(&json, "worse", diff->worse);
	json__array(&json, "changed_sites");
	for (size_t i = 0; i < diff->n_sites; i++)
		put_site(&json, &diff->sites[i]);
	json__end_array(&json);
	json__array(&json, "changed_alloc_sites");
	for (size_t i = 0; i < diff->n_places; i++)
		put_place(&json, &diff->places[i]);
	json__end_array(&json);
	json__array(&json, "changed_resources");
	for (size_t i = 0; i < diff->n_resources; i++)
		put_resource(&json, &diff->resources[i]);
	json__end_array(&json);
	json__end_object(&json);
	return json__finish(&json, out);
}
