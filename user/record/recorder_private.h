/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_RECORD_RECORDER_PRIVATE_H
#define GLEAKD_RECORD_RECORDER_PRIVATE_H

/*
 * What the parts of the recorder share: recorder.c (its file, what comes each second), record_lives.c
 * (goroutines one by one), record_sites.c (rounds), record_allocators.c (who allocates), record_resources.c
 * (what is open), record_names.c (what is named once), record_scheduling.c (what is held up).
 */
#include "base/index.h"
#include "record/recorder.h"
#include "record/schema.h"
#include "track/lives.h"

enum statement {
	PUT_META,
	PUT_CLOCK,
	PUT_TARGET,
	PUT_FRAME,
	PUT_SITE,
	PUT_SITE_CALL,
	PUT_SITE_STACK,
	PUT_PLACE,
	PUT_GOROUTINE,
	PUT_PARK,
	PUT_POPULATION,
	PUT_VERDICT,
	PUT_MEMORY,
	PUT_ALLOCATION,
	PUT_ALLOCATION_STACK,
	PUT_ALLOCATION_POINT,
	PUT_ALLOCATOR,
	PUT_ALLOCATOR_POINT,
	PUT_RESOURCE,
	PUT_RESOURCE_POINT,
	PUT_RESOURCE_OPENER,
	PUT_SCHEDULING,
	PUT_STUCK_CALL,
	PUT_LOSS,
	PUT_REPORT,
	STATEMENTS,
};

/* What has a number in the recording, found by a hash of its text or of its place. */
struct names {
	struct index *index;
	uint64_t *keys; /* 64 bits of hash each */
	size_t n, capacity;
};

/* What was last written of a site. */
struct written_site {
	uint64_t goroutines, parked, created, exited;
	enum verdict verdict;
	unsigned int percent;
	bool silenced, judged;
	uint32_t called_from; /* number of a frame; 0: not known */
};

/* A place of goroutines that has a number and no site yet. */
struct open_place {
	uint32_t target;
	int64_t number;
	struct tracker_place at;
};

/* A call that a thread was in at the last census, and its number. */
struct open_call {
	struct scheduling_call call;
	uint32_t number;
	uint64_t begin_ns;
};

struct recorder;

struct recorded {
	struct recorder *recorder;
	struct target *target; /* borrowed from the session */
	uint32_t number;
	uint64_t left_out_lives, left_out_parks, left_out_points;
	uint64_t memory_ns;    /* when it was last looked at; 0: never */
	size_t resource_looks; /* that were written */
	struct open_call calls[SCHEDULING_MAX_TOLD];
	size_t n_calls;
	/* By the tracker's number of a site: the place as last told, and its own number. */
	struct numbered_place {
		struct tracker_place at;
		uint32_t number;
	} * places;
	size_t n_places;
};

struct recorder {
	struct recorder_options options;
	char *path; /* owned */
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	int err; /* the first; nothing is written any more */
	struct failure failure;
	bool in_transaction;
	bool reported;		   /* there is something to be read */
	struct recorded **targets; /* owned, as are they: the tracker tells them by address */
	size_t n_targets;
	uint64_t lives, parks;
	uint64_t bytes;
	uint32_t n_places, n_stuck_calls;
	struct names frames, sites, allocs, allocators, resources;
	struct written_site *written; /* by number of a site */
	size_t written_capacity;
	struct open_place *open_places;
	size_t n_open_places, open_capacity;
};

/* How full the file is. */
enum room {
	ROOM_FOR_ALL,
	ROOM_FOR_LONG_LIVES,
	ROOM_FOR_SERIES,
	ROOM_FOR_REPORT,
};

enum room recorder__room(const struct recorder *recorder);

/*
 * recorder__put - run @statement with what was bound to it; false when the recorder has failed, now or
 * before. recorder__bind - its statement, to bind values to; never NULL.
 */
sqlite3_stmt *recorder__bind(struct recorder *recorder, enum statement statement);
bool recorder__put(struct recorder *recorder, enum statement statement);

/* record_bind__text - @text, NULL as "", of any bytes: SQLite's texts are UTF-8, others become so. */
void record_bind__text(sqlite3_stmt *statement, int at, const char *text);
void record_bind__count(sqlite3_stmt *statement, int at, uint64_t n);

/* names__number - of @key, from 1 on; *@ret_new: it had none. 0: there are @max already, or no memory. */
uint32_t names__number(struct names *names, uint64_t key, size_t max, bool *ret_new);
void names__free(struct names *names);

/* names__add_text - @hash of what has @text as well; NULL as "". */
uint64_t names__add_text(uint64_t hash, const char *text);

/* record_names__frame - its number; 0: none. */
uint32_t record_names__frame(struct recorder *recorder, const struct report_frame *frame);

/* What a site is called. */
struct site_name {
	const char *id, *wait_reason, *start_function;
	const struct report_frame *created_by, *blocked_at, *stack;
	size_t n_stack;
};

/* record_names__site - its number, made if need be; 0: none. */
uint32_t record_names__site(struct recorder *recorder, uint32_t target,
			    const struct site_name *name);

/* record_lives__place - the number of a place; 0: none. */
uint32_t record_lives__place(struct recorded *recorded, const struct tracker_place *at);
/* record_lives__observer - for tracker__observe(). */
struct tracker_observer record_lives__observer(struct recorded *recorded);
/* record_lives__settle - say of all places that have none yet which sites they are of. */
void record_lives__settle(struct recorder *recorder);

/* record_sites__write - what the report says of @recorded. */
void record_sites__write(struct recorded *recorded, const struct report_target *target,
			 uint64_t now_ns);

/* record_allocators__write - who has allocated how much by now; NULL is fine. */
void record_allocators__write(struct recorded *recorded, const struct report_alloc_groups *groups,
			      uint64_t now_ns);

/* record_resources__write - what is open, if it was looked at since the report before. */
void record_resources__write(struct recorded *recorded, const struct resource_lines *lines,
			     uint64_t now_ns);

/* record_scheduling__write - what is held up; NULL: that is not known. */
void record_scheduling__write(struct recorded *recorded, const struct report_scheduling *scheduling,
			      uint64_t now_ns);

#endif /* GLEAKD_RECORD_RECORDER_PRIVATE_H */
