/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_SITE_TABLE_H
#define GLEAKD_TRACK_SITE_TABLE_H

/*
 * Sites, found by key or by index. The table is bounded. When it is full, a new site takes the slot
 * of one without members, whose counts are added to the "other" site (index 0); when all have
 * members, goroutines of new sites become members of "other". So sums over all sites stay right.
 */
#include "base/common.h"
#include "golang/wait_reason.h"
#include "track/callers.h"
#include "track/first_look.h"
#include "track/histograms.h"
#include "track/history.h"
#include "track/tracker.h"

#define SITE_OTHER 0u

struct site_cohorts;

struct site_key {
	uint64_t creation_pc, start_pc;
	uint64_t place;
	/* the call that led to the go statement, where that is a site of its own; 0 */
	uint64_t call_pc;
	uint8_t wait_reason;
};

/* site_key__hash - names the site among those of one run of gleakd. */
uint64_t site_key__hash(const struct site_key *key);

/* The growth that last made the site leaking: the verdict outlives it for a while (verdict.c). */
struct site_alarm {
	uint64_t ticks;	     /* when the growth test last held; 0: never */
	uint64_t growth_ns;  /* over how long it grew */
	uint64_t goroutines; /* how many there were */
};

/*
 * What one pass over all goroutines finds out of the members of a site; valid during
 * tracker__judge(). The histograms have only what began during the watch; they are NULL where there
 * are too few members to matter.
 */
struct site_pass {
	uint64_t oldest_park_ns, oldest_age_ns;
	uint32_t parked_min_age;  /* members parked for min_age or longer */
	uint32_t parked_long;	  /* ... for max(min_age, STUCK_SEND_NS) or longer */
	uint32_t running_min_age; /* members that have not parked for min_age or longer */
	uint32_t parked_before;	  /* members whose park began before the watch did */
	uint32_t came; /* members that are younger, whose park has lasted for min_age ... */
	/* ... how long that of the first has, and of the last */
	uint64_t came_first_ns, came_last_ns;
	uint32_t lived_min_age; /* members that have lived for min_age or longer */
	uint32_t of_alarm;	/* members that had when the alarm was last renewed */
	bool has_main;		/* goroutine 1 is a member */
	uint64_t waiting_ns;	/* of waits that are traced and have not ended */
	uint8_t slot;		/* among the sites that may be one leak, from 1 on; 0: none */
	uint32_t bundle;   /* one more than the index of the first site of its bundle; 0: none */
	double companions; /* the confidence that the others of its bundle leak; 0: they do not */
	bool suspect;	   /* of an origin: a site of it is one */
	struct call_counts calls; /* that led to members */
	uint32_t age_steps[SITE_AGE_STEPS];
	struct age_histogram *park_ages;
	struct age_histogram *life_ages;
	struct age_histogram *run_ages; /* since the last park; of those that are not parked */
	/* lives of those that woke up after their first park */
	struct age_histogram *woken_life_ages;
	struct site_cohorts *cohorts; /* of an origin: all that its go statement created */
};

/*
 * A site, or an origin. An origin is the site without a place: it stands for a `go` statement, has
 * as members those of its goroutines that no census has seen parked yet, and keeps count of all
 * that the statement created, whatever site they are at now.
 */
struct site {
	struct site_key key;
	enum wait_class wait_class;
	enum site_nature nature;
	bool system;
	uint32_t stack_id; /* an example of a stack at the place */
	uint32_t origin;   /* index of its origin; its own if it is one */
	uint32_t children; /* of an origin: sites that refer to it */
	bool called; /* of an origin: which call led to it is known of some (track/callers.h) */
	bool tells_apart; /* ... and what these do differs by the call */
	bool apart;	  /* ... so each call has sites of its own */
	uint32_t goroutines, parked;
	uint64_t created, exited;
	uint64_t waited_ns; /* that members have been parked here, in sum: by censuses */
	uint64_t parks;	    /* that events told of while it was where members were */
	/* of waits that were traced: so many have ended, after so long in sum */
	uint64_t waits, wait_ns;
	/* Since the last sample of history. The latter two of an origin: of all that it created. */
	uint32_t arrivals, departures;
	uint32_t sample_created, sample_exited;
	struct length_histogram ended_parks;
	struct length_histogram ended_lives; /* of an origin: of all that it created */
	/* of members: times without a park, of a second or more */
	struct length_histogram ended_runs;
	uint64_t left_ticks;  /* when a park here last ended; 0: never */
	uint64_t first_ticks; /* first seen */
	struct history *history;
	struct site_alarm alarm;
	struct site_alarm alarm_before; /* as it was before the last judgement */
	struct first_look first_look;
	struct site_objects objects;
	struct site_proof proof;
	struct site_pass pass;
};

struct site_table;

int site_table__new(size_t max, struct site_table **ret_table) __must_check;
void site_table__free(struct site_table *table);

/*
 * site_table__intern - index of the site of @key; SITE_OTHER when it has none and there is no room.
 * Pointers to sites are invalid afterwards. @ret_new: the caller fills in class and system.
 */
uint32_t site_table__intern(struct site_table *table, const struct site_key *key, bool *ret_new);

/* site_table__freeze - while @frozen, a new site takes the place of an empty one, or there is none. */
void site_table__freeze(struct site_table *table, bool frozen);
size_t site_table__memory(const struct site_table *table); /* bytes, with what else a site takes */

/* site_table__find - as above, but SITE_OTHER when it is not there. */
uint32_t site_table__find(const struct site_table *table, const struct site_key *key);

/* site_table__set_origin - @index was created at @origin, which stays as long as it does. */
void site_table__set_origin(struct site_table *table, uint32_t index, uint32_t origin);

/* site_table__history - the site's own, made if there is room for one more; NULL otherwise. */
struct history *site_table__history(struct site_table *table, uint32_t index);

struct site *site_table__at(const struct site_table *table, uint32_t index);
/* site_table__end - one more than the largest index in use. */
uint32_t site_table__end(const struct site_table *table);
size_t site_table__count(const struct site_table *table);

/* site_table__sample - add a sample of history at @ticks to every site worth it. */
void site_table__sample(struct site_table *table, uint64_t ticks);
/* site_table__halve_ended - halve what all sites have counted of parks and lives that ended. */
void site_table__halve_ended(struct site_table *table);

#endif /* GLEAKD_TRACK_SITE_TABLE_H */
