/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_VERDICT_LIMITS_H
#define GLEAKD_TRACK_VERDICT_LIMITS_H

/*
 * Every number that a verdict or a confidence depends on. docs/verdicts.md tells them to the user,
 * and says why each is what it is; a test holds that page against this header
 * (tests/unit/track/verdict_docs.c). T is the time that staying means at a site.
 */
#include "base/common.h"

/* --- growth: when a site is leaking (growth.c) ---------------------------------------------------- */

#define GROWTH_MIN_STAYED	8.0
#define GROWTH_MAX_LEFT_SHARE	0.02 /* of those that stayed for T: more, and T is doubled */
#define GROWTH_MAX_DOUBLINGS	20
#define GROWTH_PERIODS		6u   /* parts of the window; all but one need growth ... */
#define GROWTH_MIN_PERIODS	4u   /* ... this many at least */
#define GROWTH_PERIOD_MIN_SHARE 0.25 /* of an even share, for a period to count as one of growth */
#define GROWTH_PERIOD_MAX_SHARE 0.5  /* of all that stayed: more is a burst */
#define GROWTH_SIGMAS		2    /* fewer in the last third than in the first: it slows down */
#define GROWTH_MAX_GAPS		4    /* without an arrival: it has stopped */

/* The shortest window that proves anything, in tenths of T ... */
#define GROWTH_WINDOW_TENTHS	  16
#define GROWTH_FAST_WINDOW_TENTHS 8
#define GROWTH_FAST_STAYED	  300.0 /* from so many on it is the latter */
/* ... and this part of the time watched, but no more than that. */
#define GROWTH_WATCHED_PART   32
#define GROWTH_WATCHED_MAX_NS (1800 * NSEC_PER_SEC)

/* Longer windows, in multiples of min_age. */
#define GROWTH_CONNECTION_WINDOW 60
#define GROWTH_ACCEPTED_WINDOW	 360 /* ... that others opened and have not closed */
#define GROWTH_OWN_WINDOW	 10 /* ... in step with connections that the process opened itself */
#define GROWTH_QUEUE_WINDOW	 30
#define GROWTH_POOL_MAX		 1000.0 /* that stayed, of workers with a queue each ... */
#define GROWTH_SIGNAL_MAX	 200.0	/* ... or of what waits for one signal: more are no pool */
#define GROWTH_LIVES_WINDOW	 30  /* of goroutines that wake up, if they come more slowly than */
#define GROWTH_LIVES_FAST_RATE	 0.9 /* a second */
#define GROWTH_UNFINISHED_WINDOW 10  /* ... that exist only while something was not finished */
#define GROWTH_RUN_WINDOW	 10  /* of goroutines that run without a break */
#define GROWTH_TIMER_STAY	 30  /* T of parks that an armed timer will end */

/* A park that begins this soon after the goroutine's creation is its first, or as good as that. */
#define GROWTH_FIRST_PARK_NS (500 * NSEC_PER_MSEC)

/* --- how long an alarm outlives its growth (verdict.c) -------------------------------------------- */

#define ALARM_MIN_HOLD	 6 /* times min_age */
#define ALARM_MAX_NS	 (3600 * NSEC_PER_SEC)
#define ALARM_LEFT_SHARE 5 /* one in so many of its members has left: it ends at once */

/* --- stuck (verdict.c) ---------------------------------------------------------------------------- */

#define STUCK_LOCK_NS		(60 * NSEC_PER_SEC)
#define STUCK_UNWATCHED_LOCK_NS (300 * NSEC_PER_SEC) /* before it has been watched for ... */
#define STUCK_WATCH_NS		(60 * NSEC_PER_SEC) /* ... this long, the first look's rules hold */
#define STUCK_SEND_NS		(300 * NSEC_PER_SEC)
#define STUCK_LONE_SEND_NS	(900 * NSEC_PER_SEC)
#define STUCK_TIMES_LONGEST	4 /* times the longest wait that ever ended here */

/* --- confirmed and proven (verdict.c) -------------------------------------------------------------- */

#define CONFIRMED_MIN_CAME   3 /* so many came during the watch: its number rises ... */
#define CONFIRMED_APART_PART 4 /* ... when it was not all within this part of min_age */

/* --- growing (verdict.c) -------------------------------------------------------------------------- */

#define GROWING_TREND_NS       (300 * NSEC_PER_SEC) /* the trend is that of the last so long ... */
#define GROWING_TREND_PART     4 /* ... or of this part of the watch, if that is longer */
#define GROWING_MIN_RISE       5.0
#define GROWING_MIN_RISE_SHARE 0.1 /* of the members: less is a fluctuation */

/* --- idle (verdict.c) ------------------------------------------------------------------------------ */

#define IDLE_CHANGE_PART 10 /* no more than one in so many members came or left: a constant set */

/* --- suspected, on the first look (first_look.c, verdict.c) --------------------------------------- */

#define SUSPECT_MIN_ARRIVED 100
#define SUSPECT_MIN_SHARE   0.9 /* of the members have to have come one by one */
#define SUSPECT_MIN_NS	    (480 * NSEC_PER_SEC)
/* In a younger process so many, from collection to collection as evenly as those lie apart. */
#define SUSPECT_YOUNG_ARRIVED	 1000
#define SUSPECT_YOUNG_NS	 (30 * NSEC_PER_SEC)
#define SUSPECT_STEP_MIN_SHARE	 0.5 /* of an even share; one may have fewer, but not the latest */
#define SUSPECT_STEP_MAX_SHARE	 2.0
#define SUSPECT_MIN_LIFE_SHARE	 0.75 /* of the process' life */
#define SUSPECT_PERIODS		 6u
#define SUSPECT_PERIOD_MIN_SHARE 0.25 /* as GROWTH_PERIOD_MIN_SHARE */
#define SUSPECT_PERIOD_MAX_SHARE 0.5
#define SUSPECT_MAX_LEFT_PART	 50 /* no more than one in so many may have been seen to leave */
/* A goroutine has always been in its wait when this is shorter than its life by no more than ... */
#define FIRST_LOOK_LIFE_SHARE  0.9
#define FIRST_LOOK_BEFORE_NS   (60 * NSEC_PER_SEC)
#define FIRST_LOOK_BEFORE_PART 8 /* ... and by no more than this part of the process' life */
/* A life by the share of goids handed out since may be wrong by this factor: load is uneven. */
#define FIRST_LOOK_UNEVEN 4

/* --- one leak at several places (bundles.c) --------------------------------------------------------- */

#define BUNDLE_MIN_SHARE \
	0.9 /* of the members of each site have one of the other that was created ... */
#define BUNDLE_GAP_PART	 4 /* ... within this part of the usual gap between two members */
#define BUNDLE_MAX_TIMES 8 /* as many of one site as of the other, or so many times as many */

/* --- calls that lead to a library's go statement (apart.c) ------------------------------------------- */

#define APART_MIN 8 /* so many of a call have stayed, or ended, for it to tell goroutines apart */

/* --- confidence: weights of evidence in decibans (weights.c) -------------------------------------- */

#define CONFIDENCE_MAX 0.99 /* no more than a heap analysis may be surer than this */

#define DECIBANS_MAX_BY_NUMBER 10.0 /* limit of a weight that rises with a number */

#define DECIBANS_LEAK	      (-6.0) /* to start with */
#define DECIBANS_NONE_LEFT    4.0
#define DECIBANS_EVERY_PERIOD 2.0
#define DECIBANS_OF_LIVES     (-4.0)
#define DECIBANS_IN_STEP      (-6.0)
#define DECIBANS_IN_STEP_OWN  (-3.0)

#define DECIBANS_PAST (-4.0) /* to start with */

#define DECIBANS_SEVERAL     3.0
#define DECIBANS_LONE_SENDER (-4.0)
#define DECIBANS_GOT_PAST    (-4.0)

#define DECIBANS_CONFIRMED 25.0 /* nothing leads to what they wait on, as several scans say ... */
#define DECIBANS_PROVEN	   40.0 /* ... as one picture shows */

#define DECIBANS_RISE (-12.0) /* to start with */

#define DECIBANS_SUSPICION (-14.0) /* to start with */

#define DECIBANS_NIL_CHANNEL (20.0)
#define DECIBANS_SELECT_NONE (10.0)
#define DECIBANS_SEND_LOCK   4.0
#define DECIBANS_COND	     (-2.0)
#define DECIBANS_ABANDONED   6.0
#define DECIBANS_CONNECTION  (-3.0)
#define DECIBANS_SERVICE     (-2.0)
#define DECIBANS_TIMER	     (-6.0)
#define DECIBANS_SHARED	     (-4.0)
#define DECIBANS_OWN	     3.0
#define DECIBANS_LOSSES	     (-3.0)

#endif /* GLEAKD_TRACK_VERDICT_LIMITS_H */
