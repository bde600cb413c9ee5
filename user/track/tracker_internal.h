/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_TRACKER_INTERNAL_H
#define GLEAKD_TRACK_TRACKER_INTERNAL_H

/*
 * What the parts of the tracker share: tracker.c (events), records.c (goroutines and their sites),
 * merge.c (censuses), first_look.c (what the first census tells of the past), judge*.c (verdicts),
 * apart.c (calls that led to a go statement), saved.c (restarts), lives.c (who keeps goroutines one by
 * one).
 * Every change of a record goes through the functions below, which keep the totals and the sites'
 * counts in step.
 */
#include "track/callers.h"
#include "track/collections.h"
#include "track/departed.h"
#include "track/goid_clock.h"
#include "track/goroutine_table.h"
#include "track/lives.h"
#include "track/site_table.h"
#include "track/site_views.h"
#include "track/ticks.h"
#include "track/tracker.h"

struct tracker {
	struct tracker_options options;
	struct tracker_observer observer;
	struct goroutine_table *goroutines;
	struct site_table *sites;
	struct departed *departed;
	struct callers *callers; /* NULL: of no goroutine it is known */
	struct waits *waits;	 /* NULL: they are not traced */

	uint64_t created, exited, lost, repaired;
	uint64_t lifetimes[TRACKER_LIFETIMES];
	double lifetime_seconds;
	uint64_t system, parked; /* records of the runtime's own; parked records of the others */

	/* Creations of which no event told. */
	uint64_t creations_lost;	/* the events are known to have been lost */
	uint64_t creations_lost_before; /* ... before the census under way began */
	uint64_t creations_concluded;	/* known by a sighting or an exit all the same */
	uint64_t creations_unseen;	/* concluded to be of goroutines that have ended unseen */

	/* Goroutines that got no record because a limit was reached. */
	uint64_t refused_seen;	/* by the last census */
	uint64_t refused_since; /* created since */
	uint64_t refusing;	/* by the census under way, so far */

	uint8_t epoch; /* of the census under way or the last one */
	bool in_census;
	bool repairs;	  /* what the census under way finds, events should have told */
	bool inexact;	  /* events were lost before the census under way began, or the last one */
	bool inexact_now; /* ... after it began */
	bool parks_told;  /* park events came between the begin of the last two censuses */
	bool parks_now;	  /* ... since the last one began */

	uint64_t n_censuses; /* complete ones */
	/* In ticks: */
	uint64_t events_since;	 /* lifecycle events are attached since then */
	uint64_t census_ticks;	 /* begin of the census under way or the last one */
	uint64_t previous_ticks; /* ... of the last complete one */
	uint64_t interval_ticks; /* between the last two complete ones */
	uint64_t watch_ticks;	 /* end of the first complete census, a former gleakd's included */
	uint64_t parks_ticks;	 /* ... of this gleakd's: how long older parks last is not known */
	uint64_t halved_ticks;	 /* site_table__halve_ended() was last done */

	bool restored; /* what a former gleakd knew of the process is in here */
	uint64_t max_goid;
	struct goid_clock clock;
	struct history files; /* open files, as goroutines */

	struct history accepted; /* connections that others opened, as goroutines */
	struct tracker_sockets sockets;
	bool sockets_known;
	bool wants_sockets;

	uint64_t process_ticks; /* the process' start */
	struct collections collections;
	bool looked_first;     /* first_look__take() has been done, and waits are settled */
	uint64_t judged_ticks; /* 0: never */
	struct site_views views;
};

/*
 * tracker__site_of - the site of @key, its traits and whether it is the runtime's own filled in.
 * @stack_id: an example of a stack at the place, 0: none.
 */
uint32_t tracker__site_of(struct tracker *tracker, const struct site_key *key, uint32_t stack_id);

/* tracker__unknown_site - counts goroutines of which no more is known than that they have ended. */
struct site *tracker__unknown_site(struct tracker *tracker);

/*
 * record__add - a new record at @site, of a goroutine first and last known of at @ticks; NULL:
 * refused.
 */
struct goroutine *record__add(struct tracker *tracker, uint64_t goid, uint32_t site, uint64_t ticks,
			      uint32_t *ret_handle);
/*
 * record__exit - count the exit at @ticks, note it among the departed with @flags, drop the record.
 */
void record__exit(struct tracker *tracker, struct goroutine *g, uint32_t handle, uint64_t ticks,
		  unsigned int flags);
/* record__count_created - the goroutine was created since the attach. */
void record__count_created(struct tracker *tracker, struct goroutine *g);
void record__move(struct tracker *tracker, struct goroutine *g, uint32_t site);
/* record__park - parked since @since; replaces what was known of its park. */
void record__park(struct tracker *tracker, struct goroutine *g, uint64_t since);
/* record__unpark - its park ended by @ticks, if it was parked. */
void record__unpark(struct tracker *tracker, struct goroutine *g, uint64_t ticks);

/*
 * tracker__settle_waits - after the first look: waits of which the target's collections tell when they began are
 * taken to have begun as late as they can have.
 */
void tracker__settle_waits(struct tracker *tracker);

/* waits.c */
void waits__free(struct waits *waits);
uint64_t waits__memory(const struct tracker *tracker); /* bytes */
/* waits__of - how long @g, which is parked, has been waiting of the time that waits are traced for; 0: not known. */
uint64_t waits__of(const struct tracker *tracker, uint32_t handle, const struct goroutine *g,
		   uint64_t now);

/* tracker__call_of - the call that led to @g where that makes a site of its own; 0: it does not. */
uint64_t tracker__call_of(const struct tracker *tracker, const struct goroutine *g);
/* apart.c: judge whether calls tell goroutines of one go statement apart, and give those calls sites. */
void apart__judge(struct tracker *tracker, uint64_t min_age_ns);
void apart__cut(struct tracker *tracker);
/* apart__park_ended - of @g, which is where it was, after @length nanoseconds. */
void apart__park_ended(struct tracker *tracker, const struct goroutine *g, uint64_t length);

#endif /* GLEAKD_TRACK_TRACKER_INTERNAL_H */
