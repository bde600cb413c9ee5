// SPDX-License-Identifier: Apache-2.0
/* The file of a recording, and what is written to it each second. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "host/pids.h"
#include "host/resident.h"
#include "output/json/report.h"
#include "record/recorder_private.h"
#include "record/recording_files.h"
#include "session/heap/target_heap.h"
#include "version.h"

static const char *const texts[STATEMENTS] = {
	[PUT_META] = "INSERT OR REPLACE INTO meta VALUES (?, ?)",
	[PUT_CLOCK] = "INSERT OR REPLACE INTO clocks VALUES (?, ?, ?)",
	[PUT_TARGET] = "INSERT INTO targets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[PUT_FRAME] = "INSERT INTO frames VALUES (?, ?, ?, ?, ?)",
	[PUT_SITE] = "INSERT INTO sites VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
	[PUT_SITE_CALL] = "UPDATE sites SET called_from = ? WHERE id = ?",
	[PUT_SITE_STACK] = "INSERT INTO site_stacks VALUES (?, ?, ?)",
	[PUT_PLACE] = "INSERT INTO places VALUES (?, ?, ?)",
	[PUT_GOROUTINE] = "INSERT OR REPLACE INTO goroutines VALUES (?, ?, ?, ?, ?, ?, ?)",
	[PUT_PARK] = "INSERT INTO parks VALUES (?, ?, ?, ?, ?)",
	[PUT_POPULATION] = "INSERT INTO populations VALUES (?, ?, ?, ?, ?, ?)",
	[PUT_VERDICT] = "INSERT INTO verdicts VALUES (?, ?, ?, ?, ?, ?)",
	[PUT_MEMORY] = "INSERT INTO memory VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[PUT_ALLOCATION] = "INSERT INTO allocations VALUES (?, ?, ?, ?, ?)",
	[PUT_ALLOCATION_STACK] = "INSERT INTO allocation_stacks VALUES (?, ?, ?)",
	[PUT_ALLOCATION_POINT] = "INSERT INTO allocation_points VALUES (?, ?, ?, ?, ?, ?)",
	[PUT_ALLOCATOR] = "INSERT INTO allocators VALUES (?, ?, ?, ?, ?, ?, ?)",
	[PUT_ALLOCATOR_POINT] = "INSERT INTO allocator_points VALUES (?, ?, ?, ?, ?)",
	[PUT_RESOURCE] = "INSERT INTO resources VALUES (?, ?, ?, ?, ?)",
	[PUT_RESOURCE_POINT] = "INSERT INTO resource_points VALUES (?, ?, ?, ?, ?, ?)",
	[PUT_RESOURCE_OPENER] = "INSERT INTO resource_openers VALUES (?, ?, ?, ?, ?, ?)",
	[PUT_SCHEDULING] = "INSERT INTO scheduling VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[PUT_STUCK_CALL] = "INSERT OR REPLACE INTO stuck_calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[PUT_LOSS] = "INSERT OR REPLACE INTO losses VALUES (?, ?, ?)",
	[PUT_REPORT] = "INSERT OR REPLACE INTO report VALUES (1, ?, ?, ?)",
};

/* Memory of SQLite for pages, in KiB; beyond, they go to the file before they are committed. */
#define CACHE "PRAGMA cache_size = -16384"

/* It makes no files but those of recording_files.h. */
#define TEMPORARY "PRAGMA temp_store = MEMORY"

/* Pages of the journal after which they are moved to the file. */
#define JOURNAL "PRAGMA wal_autocheckpoint = 2000"

/* Who reads before there is a journal is waited for. */
#define BUSY_MS 2000

/* Shares of max_bytes. */
#define FULL_FOR_SHORT_LIVES 0.70
#define FULL_FOR_LIVES	     0.85
#define FULL_FOR_SERIES	     0.95

/* --- what every part needs ----------------------------------------------------------------------- */

static void fail(struct recorder *recorder)
{
	if (!recorder->err)
		recorder->err = record__failed(recorder->db, recorder->path, &recorder->failure);
}

static int result(const struct recorder *recorder, struct failure *failure)
{
	if (!recorder->err)
		return 0;
	*failure = recorder->failure;
	return recorder->err;
}

sqlite3_stmt *recorder__bind(struct recorder *recorder, enum statement statement)
{
	return recorder->statements[statement];
}

static void execute(struct recorder *recorder, const char *sql)
{
	if (!recorder->err && sqlite3_exec(recorder->db, sql, NULL, NULL, NULL))
		fail(recorder);
}

bool recorder__put(struct recorder *recorder, enum statement statement)
{
	sqlite3_stmt *prepared = recorder->statements[statement];

	if (!recorder->in_transaction) {
		recorder->in_transaction = true;
		execute(recorder, "BEGIN");
	}
	if (!recorder->err && sqlite3_step(prepared) != SQLITE_DONE)
		fail(recorder);
	sqlite3_reset(prepared);
	sqlite3_clear_bindings(prepared);
	return !recorder->err;
}

void record_bind__text(sqlite3_stmt *statement, int at, const char *text)
{
	char *clean = utf8__repair(report__text(text));

	if (clean)
		sqlite3_bind_text(statement, at, clean, -1, free);
	else
		sqlite3_bind_text(statement, at, "", 0, SQLITE_STATIC);
}

void record_bind__count(sqlite3_stmt *statement, int at, uint64_t n)
{
	sqlite3_bind_int64(statement, at, (sqlite3_int64)min_of(n, (uint64_t)INT64_MAX));
}

enum room recorder__room(const struct recorder *recorder)
{
	double used = (double)recorder->bytes / (double)recorder->options.max_bytes;

	if (used < FULL_FOR_SHORT_LIVES)
		return ROOM_FOR_ALL;
	if (used < FULL_FOR_LIVES)
		return ROOM_FOR_LONG_LIVES;
	return used < FULL_FOR_SERIES ? ROOM_FOR_SERIES : ROOM_FOR_REPORT;
}

/* --- commits ------------------------------------------------------------------------------------- */

static void commit(struct recorder *recorder)
{
	if (recorder->in_transaction)
		execute(recorder, "COMMIT");
	recorder->in_transaction = false;
	recorder->bytes = recording_files__size(recorder->path);
}

/* --- beginning ----------------------------------------------------------------------------------- */

static void put_meta(struct recorder *recorder, const char *key, const char *value)
{
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_META);

	sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
	record_bind__text(statement, 2, value);
	recorder__put(recorder, PUT_META);
}

static void put_meta_count(struct recorder *recorder, const char *key, uint64_t value)
{
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_META);

	sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
	record_bind__count(statement, 2, value);
	recorder__put(recorder, PUT_META);
}

static void put_clock(struct recorder *recorder)
{
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_CLOCK);

	record_bind__count(statement, 1, clock__monotonic_ns());
	record_bind__count(statement, 2, clock__realtime_ns());
	record_bind__count(statement, 3, process_id__boottime_ns());
	recorder__put(recorder, PUT_CLOCK);
}

static void put_host(struct recorder *recorder)
{
	struct utsname names;

	put_meta(recorder, "format", "gleakd recording");
	put_meta(recorder, "gleakd", GLEAKD_VERSION);
	put_meta_count(recorder, "begin_ns", clock__monotonic_ns());
	put_meta_count(recorder, "complete", 0);
	put_meta_count(recorder, "long_park_ns", recorder->options.long_park_ns);
	put_meta_count(recorder, "max_bytes", recorder->options.max_bytes);
	put_meta_count(recorder, "processors", (uint64_t)sysconf(_SC_NPROCESSORS_CONF));
	if (uname(&names))
		return;
	put_meta(recorder, "host", names.nodename);
	put_meta(recorder, "kernel", names.release);
	put_meta(recorder, "machine", names.machine);
}

static void open_database(struct recorder *recorder)
{
	char version[128];

	if (sqlite3_open_v2(recording_files__use(recorder->path), &recorder->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)) {
		fail(recorder);
		return;
	}
	sqlite3_busy_timeout(recorder->db, BUSY_MS);
	snprintf(version, sizeof(version), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 RECORD_APPLICATION_ID, RECORD_VERSION);
	execute(recorder, "PRAGMA journal_mode = WAL");
	execute(recorder, "PRAGMA synchronous = NORMAL");
	execute(recorder, CACHE);
	execute(recorder, TEMPORARY);
	execute(recorder, JOURNAL);
	execute(recorder, version);
	execute(recorder, record_schema);
	for (int i = 0; i < STATEMENTS && !recorder->err; i++) {
		if (sqlite3_prepare_v3(recorder->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &recorder->statements[i], NULL))
			fail(recorder);
	}
}

int recorder__new(const struct recorder_options *options, struct recorder **ret_recorder,
		  struct failure *failure)
{
	struct recorder *recorder;
	int err = recording_files__create(options->path, failure);

	if (err)
		return err;
	recorder = calloc(1, sizeof(*recorder));
	if (recorder)
		recorder->path = strdup(options->path);
	if (!recorder || !recorder->path) {
		free(recorder);
		return failure__set(failure, -ENOMEM, "no memory to record");
	}
	recorder->options = *options;
	open_database(recorder);
	if (!recorder->err) {
		put_host(recorder);
		put_clock(recorder);
		commit(recorder);
	}
	err = result(recorder, failure);
	if (err) {
		recorder__free(recorder);
		return err;
	}
	*ret_recorder = recorder;
	return 0;
}

/* --- targets ------------------------------------------------------------------------------------- */

static void put_target(struct recorder *recorder, const struct recorded *recorded)
{
	const struct target *target = recorded->target;
	const struct process_info *process = target__process(target);
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_TARGET);

	record_bind__count(statement, 1, recorded->number);
	record_bind__count(statement, 2, (uint64_t)process->id.pid);
	record_bind__count(statement, 3, target__started_seconds(target));
	record_bind__count(statement, 4, target__attached_ns(target));
	sqlite3_bind_int64(statement, 5, process__clock_offset(PROC_ROOT, process->id.pid));
	record_bind__text(statement, 6, process->comm);
	record_bind__text(statement, 7, process->exe);
	record_bind__text(statement, 8, target__file(target));
	record_bind__text(statement, 9, go_binary__build_id(target__binary(target)));
	record_bind__text(statement, 10,
			  go_binary__build_info(target__binary(target))->version.text);
	recorder__put(recorder, PUT_TARGET);
}

static int watch_target(struct recorder *recorder, struct target *target)
{
	struct recorded *recorded = calloc(1, sizeof(*recorded));
	struct tracker_observer observer;
	void *grown = reallocarray(recorder->targets, recorder->n_targets + 1,
				   sizeof(*recorder->targets));

	if (grown)
		recorder->targets = grown;
	if (!recorded || !grown) {
		free(recorded);
		return -ENOMEM;
	}
	recorded->recorder = recorder;
	recorded->target = target;
	recorder->targets[recorder->n_targets++] = recorded;
	recorded->number = (uint32_t)recorder->n_targets;
	put_target(recorder, recorded);
	observer = record_lives__observer(recorded);
	tracker__observe(target__tracker(target), &observer);
	return 0;
}

int recorder__watch(struct recorder *recorder, struct session *session, struct failure *failure)
{
	for (size_t i = recorder->n_targets; i < session__n_targets(session); i++) {
		if (watch_target(recorder, session__target(session, i)))
			return failure__set(failure, -ENOMEM, "no memory to record");
	}
	return result(recorder, failure);
}

/* --- each second --------------------------------------------------------------------------------- */

static void bind_if(sqlite3_stmt *statement, int at, bool known, uint64_t n)
{
	if (known)
		record_bind__count(statement, at, n);
}

static void put_memory(struct recorded *recorded, uint64_t now_ns)
{
	sqlite3_stmt *statement = recorder__bind(recorded->recorder, PUT_MEMORY);
	struct heap_counters counters = {0};
	bool known = target_heap__counters(recorded->target, now_ns, &counters);
	uint64_t rss = resident__of(PROC_ROOT, target__pid(recorded->target));

	recorded->memory_ns = now_ns;
	record_bind__count(statement, 1, now_ns);
	record_bind__count(statement, 2, recorded->number);
	bind_if(statement, 3, known, counters.gc_cycles);
	bind_if(statement, 4, rss, rss);
	bind_if(statement, 5, known, counters.heap_bytes);
	bind_if(statement, 6, known && counters.counted, counters.allocated_bytes);
	bind_if(statement, 7, known && counters.counted, counters.allocated_objects);
	bind_if(statement, 8, known && counters.marked, counters.live_bytes);
	bind_if(statement, 9, known && counters.counted, counters.stack_bytes);
	bind_if(statement, 10, known && counters.counted, counters.runtime_bytes);
	bind_if(statement, 11, target__threads(recorded->target),
		target__threads(recorded->target));
	bind_if(statement, 12, known && counters.has_goal, counters.goal_bytes);
	bind_if(statement, 13, known && counters.timed, counters.pause_ns);
	bind_if(statement, 14, known && counters.assisted, counters.assist_ns);
	bind_if(statement, 15, known && counters.returned, counters.released_bytes);
	recorder__put(recorded->recorder, PUT_MEMORY);
}

int recorder__second(struct recorder *recorder, struct session *session, uint64_t now_ns,
		     struct failure *failure)
{
	int err = recorder__watch(recorder, session, failure);

	if (err)
		return err;
	put_clock(recorder);
	put_meta_count(recorder, "end_ns", now_ns);
	for (size_t i = 0; i < recorder->n_targets; i++) {
		struct recorded *recorded = recorder->targets[i];

		if (target__state(recorded->target) != TARGET_LIVE)
			continue;
		if (recorder__room(recorder) < ROOM_FOR_REPORT)
			put_memory(recorded, now_ns);
		else
			recorded->left_out_points++;
	}
	record_lives__settle(recorder);
	commit(recorder);
	return result(recorder, failure);
}

/* --- each round ---------------------------------------------------------------------------------- */

static void put_report(struct recorder *recorder, const struct report *report, uint64_t now_ns)
{
	sqlite3_stmt *statement = recorder__bind(recorder, PUT_REPORT);
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	int err = stream ? report__write_json(stream, report) : -ENOMEM;

	if (stream && fclose(stream) && !err)
		err = -ENOMEM;
	if (err) {
		free(text);
		if (!recorder->err)
			recorder->err = failure__set(&recorder->failure, err,
						     "no memory to record a report");
		return;
	}
	record_bind__count(statement, 1, now_ns);
	sqlite3_bind_int(statement, 2, report__final(report));
	sqlite3_bind_text64(statement, 3, text, size, free, SQLITE_UTF8);
	recorder->reported |= recorder__put(recorder, PUT_REPORT);
}

static void tell_alive(struct recorder *recorder, bool final)
{
	for (size_t i = 0; i < recorder->n_targets; i++)
		tracker__tell_alive(target__tracker(recorder->targets[i]->target), final);
}

int recorder__report(struct recorder *recorder, struct session *session,
		     const struct report *report, uint64_t now_ns, struct failure *failure)
{
	int err = recorder__watch(recorder, session, failure);

	if (err)
		return err;
	put_clock(recorder);
	put_meta_count(recorder, "end_ns", now_ns);
	tell_alive(recorder, report__final(report));
	for (size_t i = 0; i < recorder->n_targets && i < report->n_targets; i++) {
		struct recorded *recorded = recorder->targets[i];

		if (!recorded->memory_ns || report__final(report))
			put_memory(recorded, now_ns);
		record_sites__write(recorded, &report->targets[i], now_ns);
		record_allocators__write(recorded, report->targets[i].alloc_groups, now_ns);
		record_resources__write(recorded, report->targets[i].resources, now_ns);
		record_scheduling__write(recorded, report->targets[i].scheduling, now_ns);
	}
	record_lives__settle(recorder);
	put_report(recorder, report, now_ns);
	commit(recorder);
	return result(recorder, failure);
}

/* --- end ----------------------------------------------------------------------------------------- */

int recorder__finish(struct recorder *recorder, struct failure *failure)
{
	put_meta_count(recorder, "complete", 1);
	commit(recorder);
	/* What is given to others is one file, unless somebody reads it at this moment: then he leaves one. */
	if (!recorder->err)
		sqlite3_exec(recorder->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	recorder->bytes = recording_files__size(recorder->path);
	return result(recorder, failure);
}

void recorder__free(struct recorder *recorder)
{
	static const struct tracker_observer nobody;

	if (!recorder)
		return;
	for (size_t i = 0; i < recorder->n_targets; i++) {
		tracker__observe(target__tracker(recorder->targets[i]->target), &nobody);
		free(recorder->targets[i]->places);
		free(recorder->targets[i]);
	}
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(recorder->statements[i]);
	sqlite3_close(recorder->db);
	/* A file of ours in which there is nothing would be in the way of the next try. */
	if (!recorder->reported)
		recording_files__remove(recorder->path);
	names__free(&recorder->frames);
	names__free(&recorder->sites);
	names__free(&recorder->allocs);
	names__free(&recorder->allocators);
	names__free(&recorder->resources);
	free(recorder->targets);
	free(recorder->written);
	free(recorder->open_places);
	free(recorder->path);
	free(recorder);
}

struct recorder_figures recorder__figures(const struct recorder *recorder)
{
	struct recorder_figures figures = {
		.lives = recorder->lives,
		.parks = recorder->parks,
		.bytes = recorder->bytes,
	};

	for (size_t i = 0; i < recorder->n_targets; i++)
		figures.left_out += recorder->targets[i]->left_out_lives +
				    recorder->targets[i]->left_out_parks +
				    recorder->targets[i]->left_out_points;
	return figures;
}
