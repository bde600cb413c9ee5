/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_VERDICT_H
#define GLEAKD_TRACK_VERDICT_H

/*
 * From what was seen at a site to an opinion about it. Pure: the same evidence, the same opinion.
 * docs/verdicts.md explains it to those who have to act on it.
 *
 * A leak is growth by members who stay. So the question is not how many goroutines a site has but,
 * period by period, how many of those that arrived are still here, whether anybody who stayed that
 * long ever left, and whether it goes on. It is asked twice (growth.c):
 *
 * - of parks: staying means parked without a break. This finds who is forgotten at a channel or lock.
 * - of lives: staying means not having exited, whatever else it does. This finds who wakes up now and
 *   then: ticker loops, retry loops.
 *
 * In numbers:
 * - staying means: for T. T is min_age where next to nobody who stayed that long has left; where some
 *   have (long polls, batch jobs, rare work for a pool), T doubles until that is so. A site whose
 *   members leave after a minute is judged by those of two minutes.
 * - growth means: at least 8 arrivals stayed, spread over the periods of a window of 1.6 T or more
 *   (0.8 T for a fast one), and the latest arrived about as recently as the rate makes one expect.
 * - a window has to be 1/32 of the time watched (30 minutes at most), so that a long watch is not
 *   alarmed by every short rise.
 * - goroutines that grow along with the process' connections or open files may be one per connection:
 *   there it takes a window of 60 min_age.
 * - those that share one channel with a buffer may be a pool, or wait for a consumer that pauses;
 *   so may receivers that share any channel and wake up: there it takes a window of 30 min_age.
 * - lives count where half of those that stayed have woken up since their first park; of fewer than
 *   54 a minute it takes a window of 30 min_age: sessions, tenants, groups come at that rate, and
 *   stay for long.
 * - growth that slows down, beyond what chance explains, is something that fills up.
 * - parks that a timer will end are none to judge before 30 min_age; lives are.
 *
 * Time to verdict for a leak of r per second: min_age + max(1.6 min_age, 8 / r), plus a census
 * interval where events are not attached.
 *
 * What cannot be told from outside in a short watch: a steady rise of something healthy (a load
 * ramp, a pool filling slowly) that began with the watch and looks like a leak until it stops. Such
 * an alarm ends by itself: it outlives the growth by as long as it grew (1 h at most), and ends at
 * once when a fifth of the members have left.
 *
 * The confidence is a sum of weights of evidence in decibans, ten times the decimal logarithm of the
 * odds that the members are leaked (weights.c): 0 is even odds, 10 is ten to one, 20 a hundred to one.
 */
#include "base/common.h"
#include "golang/wait_reason.h"
#include "track/ages.h"
#include "track/history.h"
#include "track/tracker.h"

/* A send that nobody receives is stuck after this long, unless min_age is more. */
#define VERDICT_LONG_PARK_NS (300 * NSEC_PER_SEC)
/* No more than a heap analysis may be surer than this. */
#define VERDICT_MAX_CONFIDENCE 0.99

/* What the first census told of the time before it (first_look.h). */
struct first_look {
	uint64_t
		moved_ns; /* since a member is known to have been somewhere else; UINT64_MAX: none is */
	/* Members that came one by one and have waited here ever since; 0: they did not come so. */
	uint64_t arrived;
	uint64_t span_ns;		    /* ... over this long */
	unsigned int periods, periods_with; /* parts of it; those in which enough came */
	uint64_t connections; /* goroutines in network waits that were created in between */
	uint64_t files;	      /* that the process had open */
};

struct evidence {
	enum wait_class wait_class;
	enum site_nature nature;
	bool exempt;   /* the runtime's own, or members of many sites: no accusation */
	bool has_main; /* goroutine 1 is here, which may well wait for ever */

	uint64_t goroutines, parked;
	uint64_t settled;     /* of parked, for min_age or longer */
	uint64_t long_parked; /* of parked, for max(min_age, VERDICT_LONG_PARK_NS) or longer */
	uint64_t before;      /* of parked, since before the watch began */
	uint64_t aged;	      /* members that have lived for min_age or longer */
	uint64_t oldest_park_ns;
	uint64_t quiet_ns; /* since a park here last ended; UINT64_MAX: none ever did */
	struct first_look first_look;

	/* Of what began during the watch; NULL: none to speak of. */
	const struct ages *ages;       /* members' parks */
	const struct ages *born;       /* members' lives */
	const struct ages *woken;      /* of those that have woken up since their first park */
	const struct leavers *leavers; /* how long the parks here had lasted that ended */
	const struct leavers *lives; /* how long those had lived, of the same origin, that exited */

	const struct ages *connections; /* lives of the process' goroutines in network waits */
	const struct history *files;	/* its open files, as goroutines */
	uint64_t now;			/* ticks of these histories */
	struct site_objects objects;

	uint64_t min_age_ns;
	uint64_t watched_ns;	      /* since the first census was complete */
	uint64_t lives_watched_ns;    /* ... or since that of the gleakd before this one */
	uint64_t parks_resolution_ns; /* how exactly the begins of parks are known: interval or 0 */
	uint64_t lives_resolution_ns;
	bool inexact;	    /* events are missing */
	struct trend trend; /* of goroutines */

	uint64_t alarm_age_ns; /* since the growth test last held; UINT64_MAX: never */
	uint64_t alarm_growth_ns, alarm_goroutines;
};

/* ends_by_timer - an armed timer among what most members wait for will wake them up by itself. */
static inline bool ends_by_timer(const struct site_objects *objects)
{
	return objects->with_timer * 2 > objects->looked_at;
}

/* What the growth test found. */
struct growth {
	bool of_lives;	    /* of lives, not of parks */
	uint64_t stay_ns;   /* T */
	uint64_t window_ns; /* before the last T */
	double stayed;	    /* arrived in the window and still here */
	double all_stayed;  /* for T or longer, of all that arrived during the watch */
	uint64_t left;	    /* had stayed T or longer when they left, ever */
	unsigned int periods, periods_with;
	bool with_connections; /* grew in step with them, or with open files */
};

/*
 * growth__test - true and @ret_growth when @evidence shows growth by members who stay, of parks or
 * else of lives.
 */
bool growth__test(const struct evidence *evidence, struct growth *ret_growth);

/* struct site_weight before its text has a place to stay. */
struct opinion_weight {
	double decibans;
	char text[112];
};

struct opinion {
	enum verdict verdict;
	bool alarm;	       /* the growth test held just now */
	uint64_t growth_ns;    /* ... over this long */
	uint64_t stay_ns;      /* what staying means here; 0: nothing was asked */
	uint64_t stayed, left; /* that long or longer */
	size_t n_why;
	char why[SITE_MAX_WHY][160];
	double confidence; /* of leaking, stuck and growing */
	size_t n_weights;
	struct opinion_weight weights[SITE_MAX_WEIGHTS]; /* heaviest first */
};

void verdict__of(const struct evidence *evidence, struct opinion *ret_opinion);

/* --- weights.c ----------------------------------------------------------------------------------- */

/* weights__of_* - fill in the weights and the confidence of @opinion. */
void weights__of_leak(const struct evidence *evidence, const struct growth *growth,
		      struct opinion *opinion);
void weights__of_stuck(const struct evidence *evidence, struct opinion *opinion);
void weights__of_rise(const struct evidence *evidence, struct opinion *opinion);
/* weights__of_suspicion - of what the first look shows. */
void weights__of_suspicion(const struct evidence *evidence, struct opinion *opinion);
/* weights__of_past - of an alarm whose growth is over. */
void weights__of_past(const struct evidence *evidence, struct opinion *opinion);

#endif /* GLEAKD_TRACK_VERDICT_H */
