/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_GOVERNOR_H
#define GLEAKD_PROBE_GOVERNOR_H

/*
 * Keeps what watching costs a target within its budget: which events are attached, from moment to
 * moment. Pure: told what happened in each tick, it says what to do next.
 *
 * The cost of a tick is hits by calibrated nanoseconds per hit. The budget is a share: of the
 * target's CPU time in that tick, and of one core. A target that uses less than COST_BASE_SHARE
 * of a core is taken to use that: of nearly nothing no share can be taken.
 *
 * Down at once: as soon as one tick is over, to the highest mode that fits by what was measured. Up
 * slowly: when what is to be attached fits into GOVERNOR_UP_SHARE of the budget by all that is
 * known - creations are known from the census without any probe, parks from when they were last
 * counted, scaled by the target's CPU time - for as many ticks in a row as the hold says. The hold
 * doubles each time a step up turns out to have been wrong, up to an hour, and is forgotten after
 * a long time without: no flapping.
 *
 * A hit may cost a target more than the machine's calibration says: others trace the same instruction,
 * many processors meet in one trap. So what the target uses with probes is compared with what it used
 * without (probe/contrast.h), and the worse is believed. Where that alone is over the budget, the probes
 * go for a look at what the target uses without them now: if that is as much, its work has changed, and
 * the doubt is withdrawn.
 */
#include "base/common.h"
#include "probe/contrast.h"
#include "probe/cost.h"
#include "probe/event.h"

#define GOVERNOR_UP_SHARE 0.5 /* of the budget */
#define GOVERNOR_REASON	  192

struct governor_options {
	double max_overhead;	 /* share of the target's CPU time and of one core; 0: no limit */
	enum probe_mode highest; /* what works on this target, or was asked for */
	bool begin_low;		 /* in census: look first, then attach */
	bool calibrated;	 /* @ns_per_hit is of this machine */
	uint64_t ns_per_hit[PROBE_EVENT_COUNT];
};

/* What happened since the tick before. */
struct governor_tick {
	uint64_t elapsed_ns;
	uint64_t target_cpu_ns;
	uint64_t hits[PROBE_EVENT_COUNT]; /* of the events that were attached; 0 for the others */
	/* Goroutines created, known from the goids handed out. UINT64_MAX: not known. */
	uint64_t creations;
};

struct governor {
	struct governor_options options;
	enum probe_mode mode;
	char reason[GOVERNOR_REASON]; /* why the mode is not the highest; "" when it is */
	double overhead;	      /* of the last tick: share of the budgeted CPU time */
	double creations_per_s;	      /* last known */
	double parks_per_cpu_s;	      /* last counted, per second of target CPU; < 0: never */
	double parks_per_creation;    /* likewise */
	uint64_t fitting_ns;	      /* how long a step up would have fitted by now */
	uint64_t hold_ns;	      /* how long it has to */
	uint64_t up_ns; /* since the last step up; UINT64_MAX: none, or it was right */
	uint64_t changes;

	struct contrast contrast;
	double dearer;		/* how many times its calibrated cost a hit takes; 1 or more */
	bool settling;		/* what is attached changed at the end of the last tick */
	bool doubting;		/* in census for a look */
	uint64_t doubted_ns;	/* since the last doubt; UINT64_MAX: there was none */
	uint64_t doubt_wait_ns; /* from one to the next */
};

/*
 * governor__init - begins at @options->highest; with @options->begin_low and a limit in census: what
 * the target does is seen before anything is attached.
 */
void governor__init(struct governor *governor, const struct governor_options *options);

/*
 * governor__look - before the first tick and before anything is attached: what the target did in some
 * moments. Begins in the highest mode that fits into the budget by that.
 */
void governor__look(struct governor *governor, const struct contrast_sample *samples, size_t n);

/* governor__tick - returns the mode to be in from now on; governor->reason says why. */
enum probe_mode governor__tick(struct governor *governor, const struct governor_tick *tick);

/* governor__cost - the worse of what hits should cost and what they were seen to cost for certain. */
struct probe_cost governor__cost(const struct governor *governor);

#endif /* GLEAKD_PROBE_GOVERNOR_H */
