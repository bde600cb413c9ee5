// SPDX-License-Identifier: Apache-2.0
/*
 * A report may have thousands of sites with dozens of frames each, and a tree of JSON values takes
 * a hundred times the bytes of its text. So only one site at a time becomes a tree; its text joins
 * the line in memory, and the line is written when it is whole: no reader ever sees half an object.
 *
 * Everything outside ASCII is escaped (JSON_ENSURE_ASCII): names from foreign binaries cannot steer
 * a terminal that the output happens to be shown on.
 */
#include "output/json.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "output/json_dump.h"

/* An object under construction; remembers that a field could not be made. */
struct object {
	json_t *json;
	bool failed;
};

static struct object object_begin(void)
{
	json_t *json = json_object();

	return (struct object){.json = json, .failed = !json};
}

/* jansson takes @value over in any case and refuses NULL. */
static void put(struct object *object, const char *name, json_t *value)
{
	if (json_object_set_new_nocheck(object->json, name, value) != 0)
		object->failed = true;
}

static json_t *object_end(struct object *object)
{
	if (!object->failed)
		return object->json;
	json_decref(object->json);
	return NULL;
}

static json_t *text(const char *value)
{
	json_t *json;
	char *repaired;

	value = report__text(value);
	if (utf8__valid(value))
		return json_string_nocheck(value);
	repaired = utf8__repair(value);
	json = repaired ? json_string_nocheck(repaired) : NULL;
	free(repaired);
	return json;
}

static json_t *text_or_null(const char *value)
{
	return value && *value ? text(value) : json_null();
}

/* JSON's integers are signed in most readers. */
static json_t *count(uint64_t n)
{
	return json_integer((json_int_t)min_of(n, (uint64_t)INT64_MAX));
}

static json_t *frame_json(const struct report_frame *frame)
{
	struct object object = object_begin();

	put(&object, "function", text(frame->function));
	put(&object, "file", text(frame->file));
	put(&object, "line", count(frame->line));
	return object_end(&object);
}

static json_t *place_json(const struct report_frame *frame)
{
	return report__frame_known(frame) ? frame_json(frame) : json_null();
}

static json_t *array_of_text(const char *const *items, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++) {
		if (json_array_append_new(array, text(items[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *stack_json(const struct report_frame *stack, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++) {
		if (json_array_append_new(array, frame_json(&stack[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *site_json(const struct report_site *site)
{
	struct object object = object_begin();

	put(&object, "id", text(site->id));
	put(&object, "verdict", text(site->verdict));
	put(&object, "why", array_of_text(site->why, site->n_why));
	put(&object, "goroutines", count(site->goroutines));
	put(&object, "parked", count(site->parked));
	put(&object, "created", count(site->created));
	put(&object, "exited", count(site->exited));
	put(&object, "wait_reason", text(site->wait_reason));
	put(&object, "created_by", place_json(&site->created_by));
	put(&object, "blocked_at", place_json(&site->blocked_at));
	put(&object, "start_function", text(site->start_function));
	put(&object, "stack", stack_json(site->stack, site->n_stack));
	put(&object, "oldest_park_seconds", json_dump__real(site->oldest_park_seconds));
	put(&object, "oldest_age_seconds", json_dump__real(site->oldest_age_seconds));
	put(&object, "growth_per_minute", json_dump__real(site->growth_per_minute));
	return object_end(&object);
}

static json_t *labels_json(const struct report_labels *labels)
{
	struct object object = object_begin();

	for (size_t i = 0; labels && i < labels->n; i++) {
		char *key = utf8__repair(labels->items[i].key);

		if (key)
			put(&object, key, text(labels->items[i].value));
		else
			object.failed = true;
		free(key);
	}
	return object_end(&object);
}

/* A goroutine without its place, which others share. */
static json_t *goroutine_json(const struct report_goroutine *goroutine)
{
	struct object object = object_begin();
	uint64_t parent = goroutine->parent_goid;

	put(&object, "goid", count(goroutine->goid));
	put(&object, "parent_goid", parent ? count(parent) : json_null());
	put(&object, "state", text(goroutine->state));
	put(&object, "parked", json_boolean(goroutine->parked));
	put(&object, "labels", labels_json(goroutine->labels));
	put(&object, "locked_to_thread", json_boolean(goroutine->locked_to_thread));
	put(&object, "in_bubble", json_boolean(goroutine->in_bubble));
	put(&object, "waiting_seconds", json_dump__real(goroutine->waiting_seconds));
	return object_end(&object);
}

static json_t *goroutine_place_json(const struct report_place *place)
{
	struct object object = object_begin();

	put(&object, "created_by", place_json(&place->created_by));
	put(&object, "start_function", text(place->start_function));
	put(&object, "site", text(place->site));
	put(&object, "stack", stack_json(place->stack, place->n_stack));
	return object_end(&object);
}

static json_t *goroutines_json(const struct report_target *target)
{
	struct object object = object_begin();

	put(&object, "alive", count(target->alive));
	put(&object, "created", count(target->created));
	put(&object, "exited", count(target->exited));
	put(&object, "parked", count(target->parked));
	return object_end(&object);
}

static json_t *losses_json(const struct report_target *target)
{
	struct object object = object_begin();

	put(&object, "events", count(target->lost_events));
	put(&object, "repaired", count(target->repaired));
	put(&object, "unreadable", count(target->unreadable));
	put(&object, "refused", count(target->refused));
	put(&object, "inexact", json_boolean(target->inexact));
	return object_end(&object);
}

/* A target without its sites. */
static json_t *target_json(const struct report_target *target)
{
	struct object object = object_begin();

	put(&object, "pid", json_integer(target->pid));
	put(&object, "comm", text(target->comm));
	put(&object, "exe", text(target->exe));
	put(&object, "go_version", text(target->go_version));
	put(&object, "how", text(target->how));
	put(&object, "observed_seconds", json_dump__real(target->observed_seconds));
	put(&object, "mode", text(target->mode));
	put(&object, "mode_reason", text_or_null(target->mode_reason));
	put(&object, "goroutines", goroutines_json(target));
	put(&object, "losses", losses_json(target));
	return object_end(&object);
}

/* A report without its targets. */
static json_t *report_json(const struct report *report)
{
	struct object object = object_begin();
	char time[CLOCK_RFC3339_SIZE];

	clock__rfc3339(report->realtime_ns, time);
	put(&object, "schema_version", json_integer(REPORT_SCHEMA_VERSION));
	put(&object, "time", text(time));
	put(&object, "final", json_boolean(report->final));
	put(&object, "final_reason", text_or_null(report->final_reason));
	return object_end(&object);
}

/* Writes @json, which it frees, with @flags; JSON_EMBED leaves the outer braces to the caller. */
static int dump(FILE *line, json_t *json, size_t flags)
{
	int err = json_dump(line, json, flags);

	json_decref(json);
	return err;
}

/* The text of a place, made once for the goroutines in a row that share it. */
struct place_text {
	const struct report_place *place;
	char *bytes;
	size_t n;
};

static int write_place(FILE *line, struct place_text *last, const struct report_place *place)
{
	FILE *stream;
	int err;

	if (place != last->place) {
		free(last->bytes);
		*last = (struct place_text){0};
		stream = open_memstream(&last->bytes, &last->n);
		if (!stream)
			return -ENOMEM;
		err = dump(stream, goroutine_place_json(place), JSON_EMBED);
		if (fclose(stream) != 0 || err)
			return -ENOMEM;
		last->place = place;
	}
	fwrite(last->bytes, 1, last->n, line);
	return 0;
}

static int write_goroutines(FILE *line, const struct report_target *target)
{
	struct place_text last = {0};
	int err = 0;

	fputs(",\"goroutine_list\":[", line);
	for (size_t i = 0; i < target->n_goroutine_list && !err; i++) {
		const struct report_goroutine *goroutine = &target->goroutine_list[i];

		fputs(i > 0 ? ",{" : "{", line);
		err = dump(line, goroutine_json(goroutine), JSON_EMBED);
		fputc(',', line);
		if (!err)
			err = write_place(line, &last, goroutine->place);
		fputc('}', line);
	}
	fputc(']', line);
	free(last.bytes);
	return err;
}

static int write_target(FILE *line, const struct report_target *target)
{
	int err;

	fputc('{', line);
	err = dump(line, target_json(target), JSON_EMBED);
	fputs(",\"sites\":[", line);
	for (size_t i = 0; i < target->n_sites && !err; i++) {
		if (i > 0)
			fputc(',', line);
		err = dump(line, site_json(&target->sites[i]), 0);
	}
	fputc(']', line);
	if (target->goroutines_listed && !err)
		err = write_goroutines(line, target);
	fputc('}', line);
	return err;
}

static int write_report(FILE *line, const struct report *report)
{
	int err;

	fputc('{', line);
	err = dump(line, report_json(report), JSON_EMBED);
	fputs(",\"targets\":[", line);
	for (size_t i = 0; i < report->n_targets && !err; i++) {
		if (i > 0)
			fputc(',', line);
		err = write_target(line, &report->targets[i]);
	}
	fputs("]}\n", line);
	return err;
}

int json__write(FILE *out, const struct report *report)
{
	char *bytes = NULL;
	size_t n = 0;
	FILE *line = open_memstream(&bytes, &n);
	int err;

	if (!line)
		return -ENOMEM;
	err = write_report(line, report);
	/* The stream lives in memory: only that can have run out. */
	if (fclose(line) != 0 && !err)
		err = -ENOMEM;
	errno = 0;
	if (!err && (fwrite(bytes, 1, n, out) != n || fflush(out) != 0))
		err = errno ? -errno : -EIO;
	free(bytes);
	return err;
}
