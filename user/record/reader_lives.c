// SPDX-License-Identifier: Apache-2.0
/* Goroutines and long parks of a recording: the longest of them, and counts of all. */
#include <errno.h>
#include <stdlib.h>

#include "record/reader_private.h"

static void count_lifetime(uint64_t lifetimes[TRACKER_LIFETIMES], uint64_t ns)
{
	static const uint64_t bounds[] = TRACKER_LIFETIME_NS;
	size_t i = 0;

	while (i < ARRAY_SIZE(bounds) && ns > bounds[i])
		i++;
	lifetimes[i]++;
}

/* From @begin on for @length, but not behind the end of the recording; what ends before it begins does not. */
static struct span span_of(const struct recording *recording, uint64_t begin, uint64_t length,
			   bool ended)
{
	uint64_t end = recording->timeline.end_ns;
	uint64_t begin_ns = min_of(begin, end);

	return (struct span){
		.begin_ns = begin_ns,
		.end_ns = ended ? begin_ns + min_of(length, end - begin_ns) : end,
		.ended = ended,
	};
}

static void take_life(struct recording *recording, struct reading *reading, sqlite3_stmt *row,
		      struct longest *longest)
{
	bool ended = row__known(row, 4);
	struct span span = span_of(recording, row__count(row, 2), row__count(row, 4), ended);
	uint64_t parked_since = row__count(row, 5);
	struct timeline_site *site;

	span.goid = row__count(row, 0);
	span.site = reader__site(recording, reading, row__count(row, 1));
	span.created = row__count(row, 3);
	reading->target.all_lives++;
	site = span.site == TIMELINE_NO_SITE ? NULL : &reading->sites[span.site];
	if (ended) {
		count_lifetime(reading->target.lifetimes, span.end_ns - span.begin_ns);
		if (site)
			count_lifetime(site->lifetimes, span.end_ns - span.begin_ns);
	} else if (site) {
		site->alive++;
		if (parked_since && parked_since < span.end_ns)
			site->waiting_ns += span.end_ns - parked_since;
	}
	longest__add(longest, &span);
}

static void keep_lives(struct recording *recording, struct reading *reading,
		       const struct longest *longest)
{
	struct timeline_life *lives = arena__take(&recording->arena, longest->n, sizeof(*lives));

	for (size_t i = 0; i < longest->n && lives; i++) {
		const struct span *span = &longest->heap[i];

		lives[i] = (struct timeline_life){
			.goid = span->goid,
			.begin_ns = span->begin_ns,
			.end_ns = span->end_ns,
			.site = span->site,
			.created = span->created,
			.ended = span->ended,
		};
	}
	reading->target.lives = lives;
	reading->target.n_lives = lives ? longest->n : 0;
}

static void read_lives(struct recording *recording, struct reading *reading,
		       struct longest *longest)
{
	sqlite3_stmt *rows =
		rows__begin(recording,
			    "SELECT goid, place, begin_ns, created, lived_ns, parked_since_ns "
			    "FROM goroutines WHERE target = ?",
			    reading->id);

	while (rows__next(recording, &rows))
		take_life(recording, reading, rows, longest);
	longest__sort(longest);
	keep_lives(recording, reading, longest);
}

static void keep_parks(struct recording *recording, struct reading *reading,
		       const struct longest *longest)
{
	struct timeline_park *parks = arena__take(&recording->arena, longest->n, sizeof(*parks));

	for (size_t i = 0; i < longest->n && parks; i++) {
		const struct span *span = &longest->heap[i];

		parks[i] = (struct timeline_park){
			.goid = span->goid,
			.begin_ns = span->begin_ns,
			.end_ns = span->end_ns,
			.site = span->site,
			.ended = span->ended,
		};
	}
	reading->target.parks = parks;
	reading->target.n_parks = parks ? longest->n : 0;
}

/* Those that ended, and those that had not by the end of the recording. */
static void read_parks(struct recording *recording, struct reading *reading,
		       struct longest *longest)
{
	sqlite3_stmt *rows = rows__begin(
		recording,
		"SELECT goid, place, begin_ns, parked_ns FROM parks WHERE target = ?1 UNION ALL "
		"SELECT goid, place, parked_since_ns, NULL FROM goroutines WHERE target = ?1 "
		"AND lived_ns IS NULL AND parked_since_ns IS NOT NULL",
		reading->id);

	longest->n = 0;
	while (rows__next(recording, &rows)) {
		struct span span = span_of(recording, row__count(rows, 2), row__count(rows, 3),
					   row__known(rows, 3));

		span.goid = row__count(rows, 0);
		span.site = reader__site(recording, reading, row__count(rows, 1));
		if (!span.ended && span.end_ns - span.begin_ns < recording->long_park_ns)
			continue;
		reading->target.all_parks++;
		longest__add(longest, &span);
	}
	longest__sort(longest);
	keep_parks(recording, reading, longest);
}

void reader_lives__read(struct recording *recording, struct reading *reading)
{
	struct longest longest;

	_Static_assert(TIMELINE_MAX_LIVES >= TIMELINE_MAX_PARKS, "one list has room for both");
	if (longest__begin(&longest, TIMELINE_MAX_LIVES)) {
		recording->arena.failed = true;
		return;
	}
	read_lives(recording, reading, &longest);
	longest.max = TIMELINE_MAX_PARKS;
	read_parks(recording, reading, &longest);
	free(longest.heap);
}
