// SPDX-License-Identifier: Apache-2.0
/*
 * A report may have thousands of sites with dozens of frames each, and a tree of JSON values takes
 * a hundred times the bytes of its text. So only one site at a time becomes a tree; its text joins
 * the line in memory, and the line is written when it is whole: no reader ever sees half an object.
 *
 * Everything outside ASCII is escaped (JSON_ENSURE_ASCII): names from foreign binaries cannot steer
 * a terminal that the output happens to be shown on.
 */
#include "output/json/report.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "output/json/build.h"
#include "output/json/dump.h"

static json_t *labels_json(const struct report_labels *labels)
{
	struct json_build object = json_build__begin();

	for (size_t i = 0; labels && i < labels->n; i++) {
		char *key = utf8__repair(labels->items[i].key);

		if (key)
			json_build__put(&object, key, json_build__text(labels->items[i].value));
		else
			object.failed = true;
		free(key);
	}
	return json_build__end(&object);
}

/* A goroutine without its place, which others share. */
static json_t *goroutine_json(const struct report_goroutine *goroutine)
{
	struct json_build object = json_build__begin();
	uint64_t parent = goroutine->parent_goid;

	json_build__put(&object, "goid", json_build__count(goroutine->goid));
	json_build__put(&object, "parent_goid", parent ? json_build__count(parent) : json_null());
	json_build__put(&object, "state", json_build__text(goroutine->state));
	json_build__put(&object, "parked", json_boolean(goroutine->parked));
	json_build__put(&object, "labels", labels_json(goroutine->labels));
	json_build__put(&object, "locked_to_thread", json_boolean(goroutine->locked_to_thread));
	json_build__put(&object, "in_bubble", json_boolean(goroutine->in_bubble));
	json_build__put(&object, "waiting_seconds", json_dump__real(goroutine->waiting_seconds));
	return json_build__end(&object);
}

static json_t *goroutine_place_json(const struct report_place *place)
{
	struct json_build object = json_build__begin();

	json_build__put(&object, "created_by", json_build__place(&place->created_by));
	json_build__put(&object, "start_function", json_build__text(place->start_function));
	json_build__put(&object, "site", json_build__text(place->site));
	json_build__put(&object, "stack", json_build__stack(place->stack, place->n_stack));
	return json_build__end(&object);
}

static json_t *goroutines_json(const struct report_target *target)
{
	struct json_build object = json_build__begin();

	json_build__put(&object, "alive", json_build__count(target->alive));
	json_build__put(&object, "created", json_build__count(target->created));
	json_build__put(&object, "exited", json_build__count(target->exited));
	json_build__put(&object, "parked", json_build__count(target->parked));
	return json_build__end(&object);
}

static json_t *losses_json(const struct report_target *target)
{
	struct json_build object = json_build__begin();

	json_build__put(&object, "events", json_build__count(target->lost_events));
	json_build__put(&object, "repaired", json_build__count(target->repaired));
	json_build__put(&object, "unreadable", json_build__count(target->unreadable));
	json_build__put(&object, "refused", json_build__count(target->refused));
	json_build__put(&object, "inexact", json_boolean(target->inexact));
	return json_build__end(&object);
}

static json_t *hits_json(const struct report_target *target)
{
	struct json_build object = json_build__begin();

	json_build__put(&object, "create", json_build__count(target->probe_hits[0]));
	json_build__put(&object, "exit", json_build__count(target->probe_hits[1]));
	json_build__put(&object, "park", json_build__count(target->probe_hits[2]));
	return json_build__end(&object);
}

static json_t *cost_json(const struct report_target *target)
{
	struct json_build object = json_build__begin();
	bool limited = target->overhead_max > 0;

	json_build__put(&object, "overhead", json_dump__real(target->overhead));
	json_build__put(&object, "overhead_max",
			limited ? json_dump__real(target->overhead_max) : json_null());
	json_build__put(&object, "probe_seconds", json_dump__real(target->probe_seconds));
	json_build__put(&object, "mode_changes", json_build__count(target->mode_changes));
	json_build__put(&object, "probe_hits", hits_json(target));
	return json_build__end(&object);
}

/* A target without its sites. */
static json_t *target_json(const struct report_target *target)
{
	struct json_build object = json_build__begin();

	json_build__put(&object, "pid", json_integer(target->pid));
	json_build__put(&object, "comm", json_build__text(target->comm));
	json_build__put(&object, "exe", json_build__text(target->exe));
	json_build__put(&object, "go_version", json_build__text(target->go_version));
	json_build__put(&object, "how", json_build__text(target->how));
	json_build__put(&object, "unit", json_build__text_or_null(target->unit));
	json_build__put(&object, "container_id", json_build__text_or_null(target->container_id));
	json_build__put(&object, "pod_uid", json_build__text_or_null(target->pod_uid));
	json_build__put(&object, "cgroup", json_build__text_or_null(target->cgroup));
	json_build__put(&object, "observed_seconds", json_dump__real(target->observed_seconds));
	json_build__put(&object, "mode", json_build__text(target->mode));
	json_build__put(&object, "mode_reason", json_build__text_or_null(target->mode_reason));
	json_build__put(&object, "goroutines", goroutines_json(target));
	json_build__put(&object, "losses", losses_json(target));
	json_build__put(&object, "cost", cost_json(target));
	json_build__put(&object, "silenced_sites",
			json_build__count(report__count_silenced(target)));
	return json_build__end(&object);
}

static json_t *processes_json(const struct report_self *self)
{
	struct json_build object = json_build__begin();

	json_build__put(&object, "attached", json_build__count(self->targets[REPORT_ATTACHED]));
	json_build__put(&object, "unsupported",
			json_build__count(self->targets[REPORT_UNSUPPORTED]));
	json_build__put(&object, "failed", json_build__count(self->targets[REPORT_FAILED]));
	json_build__put(&object, "paused", json_build__count(self->targets[REPORT_PAUSED]));
	return json_build__end(&object);
}

static json_t *own_losses_json(const struct report_self *self)
{
	struct json_build object = json_build__begin();

	json_build__put(&object, "process_events", json_build__count(self->process_events_lost));
	json_build__put(&object, "malformed_events", json_build__count(self->events_malformed));
	json_build__put(&object, "textfile_writes", json_build__count(self->textfile_errors));
	json_build__put(&object, "state_saves", json_build__count(self->state_errors));
	return json_build__end(&object);
}

static json_t *self_json(const struct report_self *self)
{
	struct json_build object = json_build__begin();

	json_build__put(&object, "cpu_seconds", json_dump__real(self->cpu_seconds));
	json_build__put(&object, "resident_bytes", json_build__count(self->resident_bytes));
	json_build__put(&object, "bpf_bytes", json_build__count(self->bpf_bytes));
	json_build__put(&object, "open_files", json_build__count(self->open_fds));
	json_build__put(&object, "cycle_seconds", json_dump__real(self->cycle_seconds));
	json_build__put(&object, "interval_stretch",
			json_build__count(max_of(self->interval_stretch, 1u)));
	json_build__put(&object, "processes", processes_json(self));
	json_build__put(&object, "losses", own_losses_json(self));
	return json_build__end(&object);
}

/* A report without its targets. */
static json_t *report_json(const struct report *report)
{
	struct json_build object = json_build__begin();
	char time[CLOCK_RFC3339_SIZE];

	clock__rfc3339(report->realtime_ns, time);
	json_build__put(&object, "schema_version", json_integer(REPORT_SCHEMA_VERSION));
	json_build__put(&object, "time", json_build__text(time));
	json_build__put(&object, "final", json_boolean(report->final));
	json_build__put(&object, "final_reason", json_build__text_or_null(report->final_reason));
	json_build__put(&object, "self", self_json(&report->self));
	return json_build__end(&object);
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
		err = dump(line, json_build__site(&target->sites[i]), 0);
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
