/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_RECORD_READER_PRIVATE_H
#define GLEAKD_RECORD_READER_PRIVATE_H

/*
 * What the parts of the reader share: reader.c (the file, and what it is of), reader_sites.c (series),
 * reader_lives.c (goroutines one by one), reader_resources.c (what is open), reader_allocators.c (who
 * allocated), reader_scheduling.c (what is held up), reader_rows.c (rows, bounded lists).
 */
#include "base/arena.h"
#include "output/json/reader.h"
#include "record/reader.h"
#include "record/schema.h"

/* A target while it is read. */
struct reading {
	int64_t id; /* in the recording */
	struct timeline_site *sites;
	size_t max_sites; /* that there is room for */
	struct timeline_target target;
};

/* Which site something is of, by its number in the recording. */
struct site_ref {
	uint32_t reading, site; /* site: TIMELINE_NO_SITE */
};

struct recording {
	const char *path;
	sqlite3 *db;
	struct failure *failure;
	int err;
	uint64_t steps, max_steps; /* of SQLite's machine, in thousands */
	struct arena arena;
	struct report_reader *report; /* owned */
	struct timeline timeline;
	struct reading *readings; /* of all targets */
	size_t n_readings;
	struct site_ref *sites; /* by number, of n_sites */
	size_t n_sites;
	uint32_t *places; /* the numbers of their sites, by their own; 0: none */
	size_t n_places;
	uint64_t long_park_ns;
};

#define RECORD_MAX_TARGETS 1024u

/* --- rows ---------------------------------------------------------------------------------------- */

/*
 * rows__begin - the rows of @sql, with @argument for a ? in it; rows__next - whether there is one more;
 * after the last the statement is gone. An error of SQLite becomes the recording's.
 */
sqlite3_stmt *rows__begin(struct recording *recording, const char *sql, int64_t argument);
bool rows__next(struct recording *recording, sqlite3_stmt **rows);
/* rows__count - the one number of @sql, @max at most: *@ret_n, and returned. */
size_t rows__count(struct recording *recording, const char *sql, uint64_t max, size_t *ret_n);

/* rows__have_tables - the first gleakds that recorded did not make all; @one and @other: of this file's texts. */
bool rows__have_tables(struct recording *recording, const char *one, const char *other);

uint64_t row__count(sqlite3_stmt *row, int column); /* 0 for what is none */
bool row__known(sqlite3_stmt *row, int column);	    /* it is not NULL */
const char *row__text(struct recording *recording, sqlite3_stmt *row, int column);

/* --- lists --------------------------------------------------------------------------------------- */

/* A series of which no more than TIMELINE_MAX_POINTS are kept, evenly, and the last. */
struct series {
	char *items;
	size_t size, n, capacity;
	size_t stride, seen;
	bool has_last;
	char last[112];
};

void series__begin(struct series *series, size_t size);
void series__add(struct recording *recording, struct series *series, const void *item);
/* series__end - the items, of the arena; *@ret_n. Forgets the series. */
const void *series__end(struct recording *recording, struct series *series, size_t *ret_n);

/* Series one after the other, of rows that are sorted by what they are of. */
struct group {
	size_t size;
	void (*keep)(void *of, const void *items, size_t n);
	void *of; /* NULL: none yet */
	struct series series;
};

/* group__add - @of NULL: of nothing that is known, left out. */
void group__add(struct recording *recording, struct group *group, void *of, const void *item);
void group__end(struct recording *recording, struct group *group);

/* The longest of many spans of time. */
struct span {
	uint64_t goid, begin_ns, end_ns;
	uint32_t site;
	bool created, ended;
};

struct longest {
	struct span *heap; /* the shortest first */
	size_t n, max;
};

int longest__begin(struct longest *longest, size_t max);
void longest__add(struct longest *longest, const struct span *span);
/* longest__sort - by begin. */
void longest__sort(struct longest *longest);

/* --- parts --------------------------------------------------------------------------------------- */

void reader_sites__read(struct recording *recording);
void reader_lives__read(struct recording *recording, struct reading *reading);
void reader_series__read(struct recording *recording);
void reader_resources__read(struct recording *recording);
void reader_allocators__read(struct recording *recording);
void reader_scheduling__read(struct recording *recording);

/* reader__site - of a place in the recording, index in the sites of @reading. */
uint32_t reader__site(const struct recording *recording, const struct reading *reading,
		      uint64_t place);
struct reading *reader__reading(struct recording *recording, uint64_t id);

#endif /* GLEAKD_RECORD_READER_PRIVATE_H */
