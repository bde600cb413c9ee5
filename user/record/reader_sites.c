// SPDX-License-Identifier: Apache-2.0
/* Sites of a recording, and what it has by interval. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/reader_private.h"

/* --- names --------------------------------------------------------------------------------------- */

static const struct report_site *find_in_report(const struct report_target *target, const char *id)
{
	for (size_t i = 0; target && i < target->n_sites; i++) {
		if (!strcmp(target->sites[i].id, id))
			return &target->sites[i];
	}
	return NULL;
}

static void read_site(struct recording *recording, sqlite3_stmt *row)
{
	struct reading *reading = reader__reading(recording, row__count(row, 1));
	uint64_t number = row__count(row, 0);
	struct timeline_site *site;

	if (!reading || number >= recording->n_sites ||
	    reading->target.n_sites == reading->max_sites)
		return;
	site = &reading->sites[reading->target.n_sites];
	snprintf(site->id, sizeof(site->id), "%s", row__text(recording, row, 2));
	site->wait_reason = row__text(recording, row, 3);
	site->start_function = row__text(recording, row, 4);
	site->function = row__known(row, 5) ? row__text(recording, row, 5) : site->start_function;
	site->site = find_in_report(reading->target.target, site->id);
	recording->sites[number] = (struct site_ref){
		.reading = (uint32_t)(reading - recording->readings),
		.site = (uint32_t)reading->target.n_sites++,
	};
}

/* How many sites there may be of each target: a table and its index need not agree. */
static void make_room(struct recording *recording)
{
	for (size_t i = 0; i < recording->n_readings; i++) {
		struct reading *reading = &recording->readings[i];
		sqlite3_stmt *rows = rows__begin(
			recording, "SELECT count(*) FROM sites WHERE target = ?", reading->id);
		uint64_t n = 0;

		while (rows__next(recording, &rows))
			n = row__count(rows, 0);
		n = min_of(n, (uint64_t)TIMELINE_MAX_SITES);
		reading->sites = arena__take(&recording->arena, n, sizeof(*reading->sites));
		reading->max_sites = reading->sites ? n : 0;
		reading->target.sites = reading->sites;
	}
}

static void read_places(struct recording *recording)
{
	sqlite3_stmt *rows;

	if (!rows__count(recording, "SELECT max(id) FROM places", RECORD_MAX_PLACES,
			 &recording->n_places))
		return;
	recording->n_places++;
	recording->places =
		arena__take(&recording->arena, recording->n_places, sizeof(*recording->places));
	if (!recording->places)
		return;
	rows = rows__begin(recording, "SELECT id, site FROM places", 0);
	while (rows__next(recording, &rows)) {
		uint64_t id = row__count(rows, 0), site = row__count(rows, 1);

		if (id < recording->n_places && site < recording->n_sites)
			recording->places[id] = (uint32_t)site;
	}
}

void reader_sites__read(struct recording *recording)
{
	sqlite3_stmt *rows;

	make_room(recording);
	if (!rows__count(recording, "SELECT max(id) FROM sites", RECORD_MAX_SITES,
			 &recording->n_sites))
		return;
	recording->n_sites++;
	recording->sites =
		arena__take(&recording->arena, recording->n_sites, sizeof(*recording->sites));
	if (!recording->sites || recording->arena.failed)
		return;
	for (size_t i = 0; i < recording->n_sites; i++)
		recording->sites[i].site = TIMELINE_NO_SITE;
	rows = rows__begin(recording,
			   "SELECT s.id, s.target, s.site, s.wait_reason, s.start_function, "
			   "f.function FROM sites s LEFT JOIN frames f ON f.id = s.created_by",
			   0);
	while (rows__next(recording, &rows))
		read_site(recording, rows);
	read_places(recording);
}

/* --- series of sites ----------------------------------------------------------------------------- */

static struct timeline_site *site_at(const struct recording *recording, uint64_t number)
{
	const struct site_ref *ref;

	if (number >= recording->n_sites || recording->sites[number].site == TIMELINE_NO_SITE)
		return NULL;
	ref = &recording->sites[number];
	return &recording->readings[ref->reading].sites[ref->site];
}

static void keep_points(void *of, const void *items, size_t n)
{
	struct timeline_site *site = of;

	site->points = items;
	site->n_points = n;
}

static void read_populations(struct recording *recording)
{
	sqlite3_stmt *rows =
		rows__begin(recording,
			    "SELECT site, time_ns, goroutines, parked, created, exited "
			    "FROM populations ORDER BY site, time_ns",
			    0);
	struct group group = {.size = sizeof(struct timeline_point), .keep = keep_points};

	while (rows__next(recording, &rows)) {
		const struct timeline_point point = {
			.time_ns = row__count(rows, 1),
			.goroutines = row__count(rows, 2),
			.parked = row__count(rows, 3),
			.created = row__count(rows, 4),
			.exited = row__count(rows, 5),
		};

		group__add(recording, &group, site_at(recording, row__count(rows, 0)), &point);
	}
	group__end(recording, &group);
}

static enum verdict verdict_of(const char *word)
{
	for (int i = VERDICT_ACTIVE; i <= VERDICT_LEAKING; i++) {
		if (word && !strcmp(verdict__name((enum verdict)i), word))
			return (enum verdict)i;
	}
	return VERDICT_ACTIVE;
}

static void keep_verdicts(void *of, const void *items, size_t n)
{
	struct timeline_site *site = of;

	site->verdicts = items;
	site->n_verdicts = n;
}

static void read_verdicts(struct recording *recording)
{
	/* Of a text that is no JSON array there is no first reason. */
	sqlite3_stmt *rows = rows__begin(recording,
					 "SELECT site, time_ns, verdict, confidence, CASE WHEN "
					 "json_valid(why) THEN json_extract(why, '$[0]') END "
					 "FROM verdicts ORDER BY site, time_ns",
					 0);
	struct group group = {.size = sizeof(struct timeline_verdict), .keep = keep_verdicts};

	while (rows__next(recording, &rows)) {
		double confidence = sqlite3_column_double(rows, 3);
		const struct timeline_verdict verdict = {
			.time_ns = row__count(rows, 1),
			.verdict = verdict_of((const char *)sqlite3_column_text(rows, 2)),
			.confidence = confidence > 0 && confidence < 1 ? confidence : 0,
			.why = row__text(recording, rows, 4),
		};

		group__add(recording, &group, site_at(recording, row__count(rows, 0)), &verdict);
	}
	group__end(recording, &group);
}

/* --- memory -------------------------------------------------------------------------------------- */

/* Between two looks the collector has run, if it counts more cycles. */
static void find_gcs(struct recording *recording, struct reading *reading)
{
	const struct timeline_memory *memory = reading->target.memory;
	size_t n = reading->target.n_memory;
	struct timeline_gc *gcs = n ? arena__take(&recording->arena, n, sizeof(*gcs)) : NULL;

	for (size_t i = 1; i < n && gcs; i++) {
		if (!memory[i - 1].gc_cycles || memory[i].gc_cycles <= memory[i - 1].gc_cycles)
			continue;
		gcs[reading->target.n_gcs++] = (struct timeline_gc){
			.begin_ns = memory[i - 1].time_ns,
			.end_ns = memory[i].time_ns,
			.first = memory[i - 1].gc_cycles + 1,
			.last = memory[i].gc_cycles,
		};
	}
	reading->target.gcs = gcs;
}

#define MEMORY_ALWAYS                                                         \
	"SELECT time_ns, gc_cycles, rss_bytes, heap_bytes, allocated_bytes, " \
	"allocated_objects, live_bytes, stack_bytes, threads"
#define MEMORY_OF " FROM memory WHERE target = ? ORDER BY time_ns"

/* The first gleakds that recorded had neither goal nor pauses, later ones none of what came then. */
static const char *memory_query(struct recording *recording)
{
	size_t found = 0;

	rows__count(recording,
		    "SELECT count(*) FROM pragma_table_info('memory') WHERE name IN "
		    "('goal_bytes', 'gc_pause_ns', 'gc_assist_ns', 'released_bytes')",
		    4, &found);
	if (found == 4)
		return MEMORY_ALWAYS
			", goal_bytes, gc_pause_ns, gc_assist_ns, released_bytes" MEMORY_OF;
	return found == 2 ? MEMORY_ALWAYS ", goal_bytes, gc_pause_ns, NULL, NULL" MEMORY_OF :
			    MEMORY_ALWAYS ", NULL, NULL, NULL, NULL" MEMORY_OF;
}

static void read_memory(struct recording *recording, struct reading *reading)
{
	sqlite3_stmt *rows = rows__begin(recording, memory_query(recording), reading->id);
	struct series series;

	_Static_assert(sizeof(struct timeline_memory) <= sizeof(series.last), "a point fits");
	series__begin(&series, sizeof(struct timeline_memory));
	while (rows__next(recording, &rows)) {
		const struct timeline_memory memory = {
			.time_ns = row__count(rows, 0),
			.gc_cycles = row__count(rows, 1),
			.rss = row__count(rows, 2),
			.heap = row__count(rows, 3),
			.allocated = row__count(rows, 4),
			.objects = row__count(rows, 5),
			.live = row__count(rows, 6),
			.stacks = row__count(rows, 7),
			.threads = row__count(rows, 8),
			.goal = row__count(rows, 9),
			.pause_ns = row__count(rows, 10),
			.assist_ns = row__count(rows, 11),
			.released = row__count(rows, 12),
			.counted = row__known(rows, 4),
			.marked = row__known(rows, 6),
			.timed = row__known(rows, 10),
			.assisted = row__known(rows, 11),
			.returned = row__known(rows, 12),
		};

		series__add(recording, &series, &memory);
	}
	reading->target.memory = series__end(recording, &series, &reading->target.n_memory);
	find_gcs(recording, reading);
}

/* --- allocations --------------------------------------------------------------------------------- */

static void keep_allocation_points(void *of, const void *items, size_t n)
{
	struct timeline_alloc *alloc = of;

	alloc->points = items;
	alloc->n_points = n;
}

/* By their numbers in the recording. */
static void read_allocation_points(struct recording *recording, struct timeline_alloc **by_number,
				   size_t n)
{
	sqlite3_stmt *rows = rows__begin(
		recording,
		"SELECT allocation, time_ns, in_use_bytes, in_use_objects, alloc_bytes, "
		"alloc_objects FROM allocation_points ORDER BY allocation, time_ns",
		0);
	struct group group = {.size = sizeof(struct timeline_alloc_point),
			      .keep = keep_allocation_points};

	while (rows__next(recording, &rows)) {
		uint64_t number = row__count(rows, 0);
		const struct timeline_alloc_point point = {
			.time_ns = row__count(rows, 1),
			.in_use_bytes = row__count(rows, 2),
			.in_use_objects = row__count(rows, 3),
			.alloc_bytes = row__count(rows, 4),
			.alloc_objects = row__count(rows, 5),
		};

		group__add(recording, &group, number < n ? by_number[number] : NULL, &point);
	}
	group__end(recording, &group);
}

static void read_allocations_of(struct recording *recording, struct reading *reading,
				struct timeline_alloc **by_number, size_t n)
{
	struct timeline_alloc *allocs = arena__take(&recording->arena, n, sizeof(*allocs));
	sqlite3_stmt *rows = rows__begin(
		recording,
		"SELECT a.id, a.site, a.type, f.function FROM allocations a "
		"LEFT JOIN frames f ON f.id = a.allocated_at WHERE a.target = ? ORDER BY a.id",
		reading->id);
	size_t found = 0;

	while (rows__next(recording, &rows)) {
		uint64_t number = row__count(rows, 0);
		struct timeline_alloc *alloc;

		if (!allocs || found == n || number >= n || by_number[number])
			continue;
		alloc = &allocs[found++];
		snprintf(alloc->id, sizeof(alloc->id), "%s", row__text(recording, rows, 1));
		alloc->type = row__text(recording, rows, 2);
		alloc->function = row__text(recording, rows, 3);
		by_number[number] = alloc;
	}
	reading->target.allocs = allocs;
	reading->target.n_allocs = found;
}

static void read_allocations(struct recording *recording)
{
	struct timeline_alloc **by_number;
	size_t n;

	if (!rows__count(recording, "SELECT max(id) FROM allocations", RECORD_MAX_ALLOCS, &n))
		return;
	n++;
	by_number = arena__take(&recording->arena, n, sizeof(struct timeline_alloc *));
	if (!by_number)
		return;
	for (size_t i = 0; i < recording->n_readings; i++)
		read_allocations_of(recording, &recording->readings[i], by_number, n);
	read_allocation_points(recording, by_number, n);
}

void reader_series__read(struct recording *recording)
{
	read_populations(recording);
	read_verdicts(recording);
	for (size_t i = 0; i < recording->n_readings; i++)
		read_memory(recording, &recording->readings[i]);
	read_allocations(recording);
}
