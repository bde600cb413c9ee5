/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_VERDICT_H
#define GLEAKD_TRACK_VERDICT_H

/*
 * From what was seen of a site to a judgement. Pure: the same evidence, the same judgement.
 * docs/verdicts.md is the long version, for people who have to act on a verdict; the numbers stand
 * in verdict_limits.h.
 *
 * A leak is growth by members that stay. So the question is not how many goroutines a site has. It
 * is, period by period: of those that arrived, how many are still here; has any that stayed so long
 * ever left; and do arrivals go on? It is asked twice (growth.c):
 *
 * - of parks: staying means being parked without a break. This finds goroutines that are forgotten
 *   at a channel or a lock.
 * - of lives: staying means not having exited, whatever else the goroutine does. This finds
 *   goroutines that wake up now and then: ticker loops, retry loops.
 *
 * The rules:
 * - Staying means staying for T. T is min_age where next to no member that stayed so long has left.
 *   Where some have (long polls, batch jobs, rare work for a pool), T is doubled until that is so:
 *   a site whose members leave after a minute is judged by those of two minutes.
 * - Growth means that enough arrivals stayed, spread over the periods of a window that is long
 *   against T, and that the latest arrived about as recently as the rate makes one expect.
 * - The window has to be a certain part of the time watched, so that a long watch is not alarmed by
 *   every short rise.
 * - Goroutines that grow along with the process' connections or open files may be one to a
 *   connection; goroutines that share one channel with a buffer may be a pool, or wait for a
 *   consumer that pauses; so may receivers that share any channel and wake up. These need longer
 *   windows.
 * - Lives count where half of those that stayed have woken up since their first park. Where they
 *   come slowly, that needs a longer window: sessions and tenants come so and stay for long.
 * - Growth that slows down by more than chance is something that fills up.
 * - A park that an armed timer will end has to be long before it means anything.
 *
 * What cannot be told from outside in a short watch: a steady rise of something healthy (a load
 * ramp, a pool that fills slowly) that began with the watch looks like a leak until it stops. Such
 * an alarm ends by itself: it outlives the growth by as long as it grew, and ends at once when a
 * part of the members has left.
 *
 * The confidence is a sum of weights of evidence in decibans, ten times the decimal logarithm of
 * the odds that the members are leaked (weights.c): 0 is even odds, 10 is ten to one, 20 a hundred
 * to one.
 */
#include "base/common.h"
#include "golang/wait_reason.h"
#include "track/first_look.h"
#include "track/histograms.h"
#include "track/history.h"
#include "track/tracker.h"

struct evidence {
	enum wait_class wait_class;
	enum site_nature nature;
	bool exempt;   /* the runtime's own, or members of many sites: never flagged */
	bool has_main; /* goroutine 1 is a member, which may well wait for ever */

	uint64_t goroutines, parked;
	uint64_t lived_min_age;	 /* of goroutines, have existed for min_age or longer */
	uint64_t parked_min_age; /* of parked, for min_age or longer */
	uint64_t parked_long;	 /* ... for max(min_age, STUCK_SEND_NS) or longer */
	uint64_t parked_before;	 /* ... since before the watch began */
	uint64_t came; /* ... since it began, for min_age or longer; ago: the first and the last */
	uint64_t came_first_ns, came_last_ns;
	uint64_t oldest_park_ns;
	uint64_t running, running_min_age; /* not parked; not for min_age or longer */
	bool in_syscall;		   /* that is where they are, or in C */
	uint64_t quiet_ns; /* since a park here last ended; UINT64_MAX: none ever did */

	double companions; /* confidence that what was created with them leaks; 0: nothing does */

	struct first_look first_look;
	uint64_t moved_ns;   /* since .moved_ticks of the first look; UINT64_MAX: not known */
	uint64_t open_files; /* of the process at that time */

	/* Of members whose park, or life, began during the watch; NULL: too few to speak of. */
	const struct age_histogram *park_ages;
	const struct age_histogram *life_ages;
	/* of those that woke up after their first park */
	const struct age_histogram *woken_life_ages;
	const struct age_histogram *run_ages; /* of those that do not park: since they last did */
	const struct length_histogram *ended_parks; /* here */
	const struct length_histogram *ended_runs;  /* times without a park; NULL with run_ages */
	const struct length_histogram *ended_lives; /* of goroutines of the same origin */

	/* Lives of the process' goroutines in network waits, and of those that woke up of late. */
	const struct age_histogram *connections, *awake_connections;
	/* connections that others opened, as goroutines; likewise */
	const struct history *accepted;
	const struct tracker_sockets *sockets; /* now; NULL: not known */
	const struct history *files;	       /* its open files, as goroutines */
	uint64_t now;			       /* ticks of these histories */
	struct site_objects objects;
	struct site_proof proof;

	uint64_t min_age_ns;
	uint64_t watched_ns;	      /* since the first census was complete */
	uint64_t lives_watched_ns;    /* ... or since that of the gleakd before this one */
	uint64_t parks_resolution_ns; /* how exactly the begins of parks are known: interval or 0 */
	uint64_t lives_resolution_ns;
	bool inexact;	    /* events are missing */
	struct trend trend; /* of goroutines */

	uint64_t alarm_age_ns; /* since the growth test last held; UINT64_MAX: never */
	/* how long it grew; members that had stayed then */
	uint64_t alarm_growth_ns, alarm_goroutines;
	uint64_t alarm_still_here; /* of those */
};

/* site_objects__end_by_timer - an armed timer is among what most members wait for. */
static inline bool site_objects__end_by_timer(const struct site_objects *objects)
{
	return objects->with_timer * 2 > objects->looked_at;
}

/* site_objects__are_shared - all members wait on the same object, or the same few. */
static inline bool site_objects__are_shared(const struct site_objects *objects)
{
	return objects->looked_at && objects->shared_by >= objects->looked_at &&
	       objects->distinct <= 3;
}

/* evidence__held_by - what leads to what members wait on; HOLDER_NOT_KNOWN as well where nothing does. */
static inline enum proof_holder evidence__held_by(const struct evidence *evidence)
{
	return evidence->proof.goroutines ? HOLDER_NOT_KNOWN : evidence->proof.holder;
}

/*
 * evidence__ends_by_timer - a timer will end most members' waits: one that they wait for, or one whose
 * function has the channel that they receive from (time.AfterFunc). Among several channels of a select it
 * may be a context's end that is far away.
 */
static inline bool evidence__ends_by_timer(const struct evidence *evidence)
{
	return site_objects__end_by_timer(&evidence->objects) ||
	       (evidence->wait_class == WAIT_CHAN_RECEIVE && evidence->nature != NATURE_ABANDONED &&
		evidence__held_by(evidence) == HOLDER_RUNTIME);
}

/* Why the growth test does not hold; the last ones come nearest to it. */
enum growth_obstacle {
	OBSTACLE_NONE,
	OBSTACLE_FEW,	      /* too few have stayed */
	OBSTACLE_LEFT,	      /* too many have left after a stay: staying takes longer here */
	OBSTACLE_SHORT,	      /* has not lasted long enough */
	OBSTACLE_WATCHED,     /* ... for so long a watch */
	OBSTACLE_CONNECTIONS, /* ... for what comes with connections or open files */
	OBSTACLE_ACCEPTED,    /* ... that others opened, and are still there for */
	OBSTACLE_OWN,	      /* ... that the process opened itself */
	OBSTACLE_WAKE,	      /* ... for what wakes up now and then */
	OBSTACLE_QUEUE,	      /* ... for what waits at one queue */
	OBSTACLE_OWN_QUEUES,  /* ... at a queue of its own that a variable has */
	OBSTACLE_SIGNAL,      /* ... for one signal that somebody may give */
	OBSTACLE_TIMER,	      /* ... for what a timer wakes */
	OBSTACLE_RUN,	      /* ... for what runs, or is in a system call or in C */
	OBSTACLE_UNEVEN,      /* not spread over the window, as a leak would be */
	OBSTACLE_SLOWS,	      /* fewer come than before */
	OBSTACLE_STOPPED,     /* none comes any more */
};

/*
 * evidence__left - how many have left after they had stayed for @stay_ns, at most: as many waits that
 * long have ended, and as many lives. A wait that ends is no departure where the goroutine goes on.
 */
uint64_t evidence__left(const struct evidence *evidence, uint64_t stay_ns);

/* Whether as many connections or open files came as goroutines. */
enum in_step {
	IN_STEP_NOT,
	IN_STEP_OWN, /* but nobody else opened them, and nothing has come through them of late */
	IN_STEP,
	IN_STEP_ACCEPTED, /* others opened that many more than they have closed */
};

/* What the growth test found. */
struct growth {
	bool of_lives;	    /* of lives, not of parks */
	bool of_runs;	    /* ... of times without a park */
	uint64_t stay_ns;   /* T */
	uint64_t window_ns; /* before the last T */
	double stayed;	    /* arrived in the window and still here */
	double all_stayed;  /* for T or longer, of all that arrived during the watch */
	uint64_t left;	    /* had stayed T or longer when they left, ever */
	unsigned int periods, periods_with;
	enum in_step in_step;
	uint64_t least_ns;	       /* the window has to be this long ... */
	enum growth_obstacle obstacle; /* ... by this rule */
};

/* evidence__waits_tell - what members wait for may keep them for ever, or wake them again and again. */
static inline bool evidence__waits_tell(const struct evidence *evidence)
{
	return wait_class__facts(evidence->wait_class)->can_leak ||
	       evidence->wait_class == WAIT_SLEEP;
}

/*
 * growth__test - true and @ret_growth when @evidence shows growth by members who stay, of parks or
 * else of lives.
 */
bool growth__test(const struct evidence *evidence, struct growth *ret_growth);

/*
 * growth__was_asked_for - others have opened half as many connections during the watch as there are
 * members, or may have: the members may be there for those.
 */
bool growth__was_asked_for(const struct evidence *evidence);

/* What holds back the verdict on a site that rises. */
struct growth_hold {
	enum growth_obstacle obstacle;
	bool of_runs;
	bool of_lives;		/* the test of lives will be the first to hold */
	uint64_t stay_ns;	/* what staying will mean */
	uint64_t least_stay_ns; /* ... if nobody had left */
	uint64_t stayed, left;	/* for the former; after the latter */
	uint64_t due_ns; /* until the growth test holds if it goes on so; 0: not to be told */
};

/* growth__hold - what holds @evidence back, which growth__test() does not accept. */
void growth__hold(const struct evidence *evidence, struct growth_hold *ret_hold);

/* struct site_weight before its text has a place to stay. */
struct judgement_weight {
	double decibans;
	char text[112];
};

struct judgement {
	enum verdict verdict;
	bool alarm;	       /* the growth test held just now */
	bool asks_who_opened;  /* the process' connections: that matters */
	uint64_t growth_ns;    /* ... over this long */
	uint64_t stay_ns;      /* what staying means here; 0: nothing was asked */
	uint64_t stayed, left; /* that long or longer */
	uint64_t due_ns;       /* until a verdict if it goes on so; 0: not to be told */
	size_t n_why;
	char why[SITE_MAX_WHY][160];
	double confidence; /* of leaking, stuck and growing */
	size_t n_weights;
	struct judgement_weight weights[SITE_MAX_WEIGHTS]; /* heaviest first */
};

void verdict__of(const struct evidence *evidence, struct judgement *ret_judgement);

/* --- weights.c ----------------------------------------------------------------------------------- */

/* weights__of_* - fill in the weights and the confidence of @judgement. */
void weights__of_leak(const struct evidence *evidence, const struct growth *growth,
		      struct judgement *judgement);
void weights__of_stuck(const struct evidence *evidence, struct judgement *judgement);
void weights__of_rise(const struct evidence *evidence, struct judgement *judgement);
/* weights__of_proof - of what nothing leads to any more; added to what is there. */
void weights__of_proof(const struct evidence *evidence, struct judgement *judgement);
/* weights__of_suspicion - of what the first look shows. */
void weights__of_suspicion(const struct evidence *evidence, struct judgement *judgement);
/* weights__of_companions - of what was created together with goroutines that leak. */
void weights__of_companions(const struct evidence *evidence, struct judgement *judgement);
/* weights__of_past - of an alarm whose growth is over. */
void weights__of_past(const struct evidence *evidence, struct judgement *judgement);

#endif /* GLEAKD_TRACK_VERDICT_H */
