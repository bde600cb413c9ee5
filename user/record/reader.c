// SPDX-License-Identifier: Apache-2.0
/* The file of a recording, and what it is of. */
#include "record/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/reader_private.h"
#include "record/recording_files.h"

/* SQLite asks every so many steps of its machine whether to go on. */
#define STEPS 1000

/*
 * A query of ours takes some ten steps for each row, which is no smaller than ten bytes, and there are
 * about ten queries.
 */
#define MAX_KILOSTEPS(bytes) (1000000 + (bytes) / 10)

/* No text of a recording is longer, but for the report. */
#define MAX_LENGTH ((int)REPORT_READER_MAX_BYTES)

#define HEADER "SQLite format 3"

bool recording__is(const void *bytes, size_t size)
{
	return size >= sizeof(HEADER) && !memcmp(bytes, HEADER, sizeof(HEADER));
}

/* --- opening ------------------------------------------------------------------------------------- */

static int is_too_long(void *ctx)
{
	struct recording *recording = ctx;

	return ++recording->steps > recording->max_steps;
}

/* A table is a table and nothing that runs code when it is read. */
static void distrust(struct recording *recording, uint64_t bytes)
{
	sqlite3 *db = recording->db;

	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, MAX_LENGTH);
	sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 65536);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_exec(db, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;", NULL, NULL, NULL);
	recording->max_steps = MAX_KILOSTEPS(bytes);
	sqlite3_progress_handler(db, STEPS, is_too_long, recording);
}

static bool is_readable(sqlite3 *db)
{
	return !sqlite3_exec(db, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL);
}

static int open_as(const char *name, const char *parameters, sqlite3 **ret_db)
{
	char uri[RECORDING_PATH_MAX];

	snprintf(uri, sizeof(uri), "file:%s%s", name, parameters);
	return sqlite3_open_v2(uri, ret_db,
			       SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
}

/* What belongs to a journal is not there, and nobody may make it. */
static bool lacks_journal(sqlite3 *db)
{
	int result = sqlite3_extended_errcode(db);

	return (result & 0xff) == SQLITE_CANTOPEN || result == SQLITE_READONLY_DIRECTORY ||
	       result == SQLITE_READONLY_CANTINIT;
}

/*
 * Of one that is being written, or whose gleakd was killed, there is a journal beside it. Where there is none the
 * file has all.
 */
static void open_file(struct recording *recording)
{
	const char *name;
	uint64_t bytes;
	int err = recording_files__find(recording->path, &bytes, &name);

	if (err) {
		recording->err = failure__set(recording->failure, err, "%s: %s", recording->path,
					      strerror(-err));
		return;
	}
	if (open_as(name, "", &recording->db) == SQLITE_OK) {
		distrust(recording, bytes);
		if (is_readable(recording->db) || !lacks_journal(recording->db))
			return;
	}
	sqlite3_close(recording->db);
	recording->db = NULL;
	if (open_as(name, "?immutable=1", &recording->db) == SQLITE_OK)
		distrust(recording, bytes);
	else
		recording->err = record__failed(recording->db, recording->path, recording->failure);
}

static void open_bytes(struct recording *recording, const void *bytes, size_t size)
{
	int result = sqlite3_open_v2(
		":memory:", &recording->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_MEMORY, NULL);
	void *copy = result ? NULL : sqlite3_malloc64(size + 1);

	if (!copy) {
		recording->err = failure__set(recording->failure, -ENOMEM, "%s: out of memory",
					      recording->path);
		return;
	}
	memcpy(copy, bytes, size);
	if (sqlite3_deserialize(recording->db, "main", copy, (sqlite3_int64)size,
				(sqlite3_int64)size,
				SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY))
		recording->err = record__failed(recording->db, recording->path, recording->failure);
	else
		distrust(recording, size);
}

/* --- what it is ---------------------------------------------------------------------------------- */

static int64_t pragma_of(struct recording *recording, const char *sql)
{
	sqlite3_stmt *rows = rows__begin(recording, sql, 0);
	int64_t value = 0;

	while (rows__next(recording, &rows))
		value = sqlite3_column_int64(rows, 0);
	return value;
}

static void check(struct recording *recording)
{
	int64_t application = pragma_of(recording, "PRAGMA application_id");
	int64_t version = pragma_of(recording, "PRAGMA user_version");

	if (recording->err)
		return;
	if (application != RECORD_APPLICATION_ID)
		recording->err =
			failure__set(recording->failure, -EPROTO,
				     "%s: a database, but no recording of gleakd", recording->path);
	else if (version < 1 || version > RECORD_VERSION)
		recording->err = failure__set(
			recording->failure, -EOPNOTSUPP,
			"%s: a recording of version %lld; this gleakd knows %d: take a newer one",
			recording->path, (long long)version, RECORD_VERSION);
}

static void read_meta(struct recording *recording)
{
	sqlite3_stmt *rows = rows__begin(recording, "SELECT key, value FROM meta LIMIT 1000", 0);
	struct timeline *timeline = &recording->timeline;

	timeline->host = timeline->kernel = timeline->version = "";
	while (rows__next(recording, &rows)) {
		const char *key = row__text(recording, rows, 0);

		if (!strcmp(key, "begin_ns"))
			timeline->begin_ns = row__count(rows, 1);
		else if (!strcmp(key, "end_ns"))
			timeline->end_ns = row__count(rows, 1);
		else if (!strcmp(key, "long_park_ns"))
			recording->long_park_ns = row__count(rows, 1);
		else if (!strcmp(key, "complete"))
			timeline->complete = row__count(rows, 1);
		else if (!strcmp(key, "host"))
			timeline->host = row__text(recording, rows, 1);
		else if (!strcmp(key, "kernel"))
			timeline->kernel = row__text(recording, rows, 1);
		else if (!strcmp(key, "gleakd"))
			timeline->version = row__text(recording, rows, 1);
	}
	timeline->end_ns = max_of(timeline->end_ns, timeline->begin_ns);
}

static void read_clocks(struct recording *recording)
{
	sqlite3_stmt *rows = rows__begin(
		recording,
		"SELECT monotonic_ns, realtime_ns, boottime_ns FROM clocks ORDER BY monotonic_ns",
		0);
	struct series series;

	series__begin(&series, sizeof(struct timeline_clock));
	while (rows__next(recording, &rows)) {
		const struct timeline_clock clock = {
			.monotonic_ns = row__count(rows, 0),
			.realtime_ns = row__count(rows, 1),
			.boottime_ns = row__count(rows, 2),
		};

		series__add(recording, &series, &clock);
	}
	recording->timeline.clocks = series__end(recording, &series, &recording->timeline.n_clocks);
}

static void read_report(struct recording *recording)
{
	sqlite3_stmt *rows = rows__begin(recording, "SELECT json FROM report LIMIT 1", 0);

	if (rows__next(recording, &rows)) {
		const char *text = (const char *)sqlite3_column_text(rows, 0);
		int size = sqlite3_column_bytes(rows, 0);

		recording->err =
			report_reader__new(report__text(text), (size_t)size, recording->path,
					   &recording->report, recording->failure);
		sqlite3_finalize(rows);
	} else if (!recording->err) {
		recording->err = failure__set(
			recording->failure, -ENODATA,
			"%s: nothing was recorded yet: the first round is not over, or never was",
			recording->path);
	}
}

/* --- targets ------------------------------------------------------------------------------------- */

struct reading *reader__reading(struct recording *recording, uint64_t id)
{
	for (size_t i = 0; i < recording->n_readings; i++) {
		if (recording->readings[i].id == (int64_t)id)
			return &recording->readings[i];
	}
	return NULL;
}

uint32_t reader__site(const struct recording *recording, const struct reading *reading,
		      uint64_t place)
{
	uint32_t number = place < recording->n_places ? recording->places[place] : 0;
	const struct site_ref *ref = number < recording->n_sites ? &recording->sites[number] : NULL;

	/* A goroutine is at a site of its own process. */
	if (!ref || !number || &recording->readings[ref->reading] != reading)
		return TIMELINE_NO_SITE;
	return ref->site;
}

static void read_targets(struct recording *recording)
{
	const struct report *report = recording->err ? NULL : recording__report(recording);
	sqlite3_stmt *rows;

	recording->readings =
		arena__take(&recording->arena, RECORD_MAX_TARGETS, sizeof(*recording->readings));
	if (!recording->readings)
		return;
	rows = rows__begin(recording,
			   "SELECT id, pid, comm, clock_offset_ns FROM targets ORDER BY id", 0);
	while (rows__next(recording, &rows)) {
		size_t i = recording->n_readings;
		struct timeline_target *target = &recording->readings[i].target;

		if (i == RECORD_MAX_TARGETS)
			continue;
		recording->readings[i].id = (int64_t)row__count(rows, 0);
		target->pid = (pid_t)min_of(row__count(rows, 1), (uint64_t)INT32_MAX);
		target->comm = row__text(recording, rows, 2);
		target->clock_offset_ns = sqlite3_column_int64(rows, 3);
		target->long_park_ns = recording->long_park_ns;
		/* They are in the report in the order in which they came. */
		if (i < report->n_targets && report->targets[i].pid == target->pid)
			target->target = &report->targets[i];
		recording->n_readings++;
	}
}

static void read_losses(struct recording *recording)
{
	sqlite3_stmt *rows = rows__begin(
		recording, "SELECT target, count FROM losses WHERE kind LIKE '% left out'", 0);

	while (rows__next(recording, &rows)) {
		struct reading *reading = reader__reading(recording, row__count(rows, 0));

		if (reading)
			reading->target.left_out += row__count(rows, 1);
	}
}

static void keep_targets(struct recording *recording)
{
	struct timeline_target *targets =
		arena__take(&recording->arena, recording->n_readings + 1, sizeof(*targets));

	for (size_t i = 0; i < recording->n_readings && targets; i++)
		targets[i] = recording->readings[i].target;
	recording->timeline.targets = targets;
	recording->timeline.n_targets = targets ? recording->n_readings : 0;
}

static void read_all(struct recording *recording)
{
	check(recording);
	read_meta(recording);
	read_clocks(recording);
	read_report(recording);
	if (!recording->err)
		read_targets(recording);
	if (!recording->err)
		reader_sites__read(recording);
	if (!recording->err)
		reader_series__read(recording);
	if (!recording->err)
		reader_resources__read(recording);
	if (!recording->err)
		reader_allocators__read(recording);
	if (!recording->err)
		reader_scheduling__read(recording);
	for (size_t i = 0; i < recording->n_readings && !recording->err; i++)
		reader_lives__read(recording, &recording->readings[i]);
	read_losses(recording);
	keep_targets(recording);
	if (!recording->err && recording->arena.failed)
		recording->err = failure__set(recording->failure, -ENOMEM, "%s: out of memory",
					      recording->path);
}

/* ------------------------------------------------------------------------------------------------- */

static struct recording *new_recording(const char *path, struct failure *failure)
{
	struct recording *recording = calloc(1, sizeof(*recording));

	if (!recording) {
		failure__set(failure, -ENOMEM, "%s: out of memory", path);
		return NULL;
	}
	recording->path = path;
	recording->failure = failure;
	return recording;
}

static int finish(struct recording *recording, struct recording **ret_recording)
{
	int err;

	if (!recording->err)
		read_all(recording);
	err = recording->err;
	sqlite3_close(recording->db);
	recording->db = NULL;
	recording->failure = NULL;
	recording->path = NULL;
	if (err)
		recording__free(recording);
	else
		*ret_recording = recording;
	return err;
}

int recording__open(const char *path, struct recording **ret_recording, struct failure *failure)
{
	struct recording *recording = new_recording(path, failure);

	if (!recording)
		return -ENOMEM;
	open_file(recording);
	return finish(recording, ret_recording);
}

int recording__open_bytes(const void *bytes, size_t size, struct recording **ret_recording,
			  struct failure *failure)
{
	struct recording *recording = new_recording("the recording", failure);

	if (!recording)
		return -ENOMEM;
	open_bytes(recording, bytes, size);
	return finish(recording, ret_recording);
}

void recording__free(struct recording *recording)
{
	if (!recording)
		return;
	report_reader__free(recording->report);
	arena__release(&recording->arena);
	free(recording);
}

const struct report *recording__report(const struct recording *recording)
{
	return report_reader__report(recording->report);
}

const struct timeline *recording__timeline(const struct recording *recording)
{
	return &recording->timeline;
}
