/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_TRACKER_INTERNAL_H
#define GLEAKD_TRACK_TRACKER_INTERNAL_H

/*
 * What the three parts of the tracker share: tracker.c (records, events), merge.c (what a census
 * changes), judge.c (what it all means). Every change of a record goes through the functions below,
 * which keep the totals and the sites' counts in step with it.
 */
#include "track/departed.h"
#include "track/goid_clock.h"
#include "track/goroutine_table.h"
#include "track/site_table.h"
#include "track/site_views.h"
#include "track/ticks.h"
#include "track/tracker.h"

struct tracker {
	struct tracker_options options;
	struct goroutine_table *goroutines;
	struct site_table *sites;
	struct departed *departed;

	uint64_t created, exited, lost, repaired;
	uint64_t lifetimes[TRACKER_LIFETIMES];
	double lifetime_seconds;
	uint64_t system, parked; /* records of the runtime's own; parked records of the others */

	/*
	 * Creations which events failed to tell, in all; those lost before the census under way
	 * began; those concluded from a sighting or an exit; those concluded to be whole lives.
	 */
	uint64_t creations_lost, creations_lost_before, creations_concluded, creations_unseen;

	/* Goroutines without a record: new ones since the last census, all that it saw. */
	uint64_t refused_since, refused_seen, refusing;

	uint8_t epoch; /* of the census under way or the last one */
	bool in_census;
	bool repairs;	  /* what the census under way reveals was missed by attached probes */
	bool inexact;	  /* events were lost before the census under way began */
	bool inexact_now; /* ... or after */
	bool parks_told;  /* park events arrived since the census before began */
	bool parks_now;	  /* ... since the census under way began */

	uint64_t n_censuses;	 /* complete ones */
	uint64_t events_since;	 /* ticks; lifecycle events are attached since */
	uint64_t census_ticks;	 /* begin of the census under way or the last one */
	uint64_t previous_ticks; /* ... of the last complete one */
	uint64_t interval_ticks; /* between the last two complete ones */
	uint64_t watch_ticks;	 /* end of the first complete census */
	uint64_t parks_ticks;  /* parks from before cannot be told from older ones: as watch_ticks,
				  * but a restart of gleakd begins it anew */
	uint64_t halved_ticks; /* site_table__halve_ended() was last done */

	bool restored; /* another gleakd watched before */
	uint64_t max_goid;
	struct goid_clock clock;
	struct history files; /* open files, as goroutines */

	uint64_t process_ticks; /* the process' start */
	bool looked_first;	/* first_look__take() has been done */
	uint64_t judged_ticks;	/* 0: never */
	struct site_views views;
};

/*
 * tracker__site_of - the site of @key, its traits and whether it is the runtime's own filled in.
 * @stack_id: an example of a stack at the place, 0: none.
 */
uint32_t tracker__site_of(struct tracker *tracker, const struct site_key *key, uint32_t stack_id);

/* tracker__unknown_site - where what is known only by its exit, or not even by that, is counted. */
struct site *tracker__unknown_site(struct tracker *tracker);

/* record__add - a new record at @site, born and last heard of at @ticks; NULL when refused. */
struct goroutine *record__add(struct tracker *tracker, uint64_t goid, uint32_t site, uint64_t ticks,
			      uint32_t *ret_handle);
/* record__exit - count the exit at @ticks, remember it with @flags, drop the record. */
void record__exit(struct tracker *tracker, struct goroutine *g, uint32_t handle, uint64_t ticks,
		  unsigned int flags);
/* record__count_created - the goroutine was created since the attach. */
void record__count_created(struct tracker *tracker, struct goroutine *g);
void record__move(struct tracker *tracker, struct goroutine *g, uint32_t site);
/* record__park - parked since @since; replaces what was known of its park. */
void record__park(struct tracker *tracker, struct goroutine *g, uint64_t since);
/* record__unpark - its park ended by @ticks, if it was parked. */
void record__unpark(struct tracker *tracker, struct goroutine *g, uint64_t ticks);

#endif /* GLEAKD_TRACK_TRACKER_INTERNAL_H */
