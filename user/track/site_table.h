/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_SITE_TABLE_H
#define GLEAKD_TRACK_SITE_TABLE_H

/*
 * Sites, found by key or by index. Bounded: when the table is full, a site without members gives up
 * its place and leaves its counts to the "other" site (index 0); when all have members, newcomers
 * are members of "other". So sums over all sites stay right.
 */
#include "base/common.h"
#include "golang/wait_reason.h"
#include "track/ages.h"
#include "track/history.h"
#include "track/tracker.h"

#define SITE_OTHER 0u

struct site_key {
	uint64_t creation_pc, start_pc;
	uint64_t place;
	uint8_t wait_reason;
};

/* That the site was seen to leak: a verdict outlives its evidence for a while (verdict.c). */
struct site_alarm {
	uint64_t ticks;	     /* when the evidence last held; 0: never */
	uint64_t growth_ns;  /* over how long it grew */
	uint64_t goroutines; /* how many there were */
};

/* What the first census told of the time before it (first_look.h). */
struct site_first_look {
	uint64_t
		moved_ticks; /* a member was last somewhere else before then; 0: none is known to */
	/* Members that came one by one and have waited here ever since; 0: they did not come so. */
	uint64_t arrived;
	uint64_t span_ns;		    /* ... over this long */
	unsigned int periods, periods_with; /* parts of it; those in which enough came */
	uint64_t connections; /* goroutines in network waits that were created in between */
};

/* What one pass over all goroutines finds out; valid during tracker__judge(). */
struct site_pass {
	uint64_t oldest_park_ns, oldest_age_ns;
	uint32_t settled;     /* members parked for min_age or longer */
	uint32_t long_parked; /* ... or as long as VERDICT_LONG_PARK_NS, if that is more */
	uint32_t before;      /* members whose park began before the watch did */
	uint32_t aged;	      /* members that have lived for min_age or longer */
	bool has_main;	      /* goroutine 1 is a member */
	uint32_t age_steps[SITE_AGE_STEPS];
	/* Of what began during the watch; NULL: too few to matter. */
	struct ages *ages;  /* members' parks */
	struct ages *born;  /* members' lives */
	struct ages *woken; /* ... of those that have woken up since their first park */
	struct ages *alive; /* of an origin: the lives of all that its go statement created */
};

/*
 * A site, or an origin: the site without a place stands for its `go` statement, holds those that no
 * census has seen parked yet, and counts for all that it created wherever they are now.
 */
struct site {
	struct site_key key;
	enum wait_class wait_class;
	enum site_nature nature;
	bool used;
	bool system;
	uint32_t stack_id; /* an example of a stack at the place */
	uint32_t origin;   /* index of its origin; its own if it is one */
	uint32_t children; /* of an origin: sites that refer to it */
	uint32_t goroutines, parked;
	uint64_t created, exited;
	uint32_t arrivals, departures; /* since the last sample */
	uint32_t born, died;	       /* of an origin: likewise, all that it created */
	struct leavers leavers;	       /* how long the parks here had lasted that ended */
	struct leavers lives;	       /* of an origin: the lives that ended */
	uint64_t left_ticks;	       /* when a park here last ended; 0: never */
	uint64_t first_ticks;	       /* first seen */
	struct history *history;
	struct site_alarm alarm;
	struct site_alarm alarm_before; /* as it was before the last judgement */
	struct site_first_look first_look;
	struct site_objects objects;
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
/* site_table__fade - let all sites forget half of who left (see struct leavers). */
void site_table__fade(struct site_table *table);

#endif /* GLEAKD_TRACK_SITE_TABLE_H */
