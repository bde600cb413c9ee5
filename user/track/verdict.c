// SPDX-License-Identifier: Apache-2.0
#include "track/verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/duration.h"

#define LOCK_STUCK_NS	 (60 * NSEC_PER_SEC)
#define LONE_SEND_NS	 (900 * NSEC_PER_SEC)
#define LONGER_THAN_EVER 4 /* times the longest wait here that did end */
#define ALARM_MAX_NS	 (3600 * NSEC_PER_SEC)
#define MIN_RISE	 5.0
#define MIN_RISE_SHARE	 0.1 /* of the members: less is a fluctuation */

const char *verdict__name(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_ACTIVE:
		return "active";
	case VERDICT_IDLE:
		return "idle";
	case VERDICT_GROWING:
		return "growing";
	case VERDICT_SUSPECTED:
		return "suspected";
	case VERDICT_STUCK:
		return "stuck";
	case VERDICT_LEAKING:
		return "leaking";
	}
	return "unknown";
}

static const char *duration_text(char out[DURATION_SIZE], uint64_t ns)
{
	duration__format_whole(ns, out);
	return out;
}

static __printf_fmt(2, 3) void because(struct opinion *opinion, const char *format, ...)
{
	va_list args;

	if (opinion->n_why == SITE_MAX_WHY)
		return;
	va_start(args, format);
	vsnprintf(opinion->why[opinion->n_why++], sizeof(opinion->why[0]), format, args);
	va_end(args);
}

/* Waits that end only by what the program does: where a goroutine can be forgotten. */
static bool can_leak(enum wait_class class)
{
	switch (class) {
	case WAIT_CHAN_RECEIVE:
	case WAIT_CHAN_SEND:
	case WAIT_NIL_CHAN:
	case WAIT_SELECT:
	case WAIT_SELECT_NONE:
	case WAIT_LOCK:
	case WAIT_SEMAPHORE:
	case WAIT_WAIT_GROUP:
	case WAIT_COND:
	case WAIT_COROUTINE:
		return true;
	default:
		return false;
	}
}

/* Waits that are what the goroutine is there for. */
static bool waits_by_nature(enum wait_class class)
{
	return class == WAIT_IO || class == WAIT_SLEEP || class == WAIT_RUNTIME;
}

static void explain_no_return(const struct evidence *e, struct opinion *opinion)
{
	if (e->wait_class == WAIT_NIL_CHAN)
		because(opinion, "a send or receive on a nil channel can never proceed");
	else if (e->wait_class == WAIT_SELECT_NONE)
		because(opinion, "a select without cases can never proceed");
}

/* How many stayed for T or longer: exact for parks of min_age itself, else to a histogram's step. */
static uint64_t count_stayed(const struct evidence *e, const struct growth *growth)
{
	uint64_t arrived = (uint64_t)(growth->all_stayed + 0.5);

	if (growth->of_lives)
		return arrived;
	return growth->stay_ns > e->min_age_ns ? e->before + arrived : e->settled;
}

static void explain_parks(const struct evidence *e, const struct growth *growth, const char *stay,
			  struct opinion *opinion)
{
	if (growth->left)
		because(opinion,
			"%" PRIu64
			" goroutines parked here; of those that stayed %s or longer %" PRIu64
			" left and %" PRIu64 " did not",
			e->parked, stay, growth->left, opinion->stayed);
	else
		because(opinion,
			"%" PRIu64 " goroutines parked here; none of the %" PRIu64
			" that stayed %s or longer ever left",
			e->parked, opinion->stayed, stay);
}

static void explain_lives(const struct evidence *e, const struct growth *growth, const char *stay,
			  struct opinion *opinion)
{
	if (growth->left)
		because(opinion,
			"%" PRIu64 " goroutines that wake up now and then; of those that lived %s "
			"or longer %" PRIu64 " ended and %" PRIu64 " did not",
			e->goroutines, stay, growth->left, opinion->stayed);
	else
		because(opinion,
			"%" PRIu64 " goroutines that wake up now and then; none of the %" PRIu64
			" that lived %s or longer ever ended",
			e->goroutines, opinion->stayed, stay);
}

static bool is_leaking(const struct evidence *e, struct opinion *opinion)
{
	char stay[DURATION_SIZE], window[DURATION_SIZE];
	struct growth growth;

	if (!growth__test(e, &growth))
		return false;
	opinion->verdict = VERDICT_LEAKING;
	opinion->alarm = true;
	opinion->growth_ns = growth.stay_ns + growth.window_ns;
	opinion->stay_ns = growth.stay_ns;
	opinion->stayed = count_stayed(e, &growth);
	opinion->left = growth.left;
	duration_text(stay, growth.stay_ns);
	duration_text(window, growth.window_ns);
	if (growth.of_lives)
		explain_lives(e, &growth, stay, opinion);
	else
		explain_parks(e, &growth, stay, opinion);
	because(opinion, "%.0f more stayed within %s, in %u of %u periods: %.3g a minute",
		growth.stayed, window, growth.periods_with, growth.periods,
		growth.stayed * 60.0 * NSEC_PER_SEC / (double)growth.window_ns);
	explain_no_return(e, opinion);
	weights__of_leak(e, &growth, opinion);
	return true;
}

/* An alarm outlives its growth for a while, as long as its members stay. */
static bool was_leaking(const struct evidence *e, struct opinion *opinion)
{
	uint64_t hold = min_of(max_of(e->alarm_growth_ns, 6 * e->min_age_ns), ALARM_MAX_NS);
	char grew[DURATION_SIZE], ago[DURATION_SIZE];

	if (e->alarm_age_ns > hold || e->aged < e->alarm_goroutines / 5 * 4)
		return false;
	opinion->verdict = VERDICT_LEAKING;
	because(opinion,
		"grew for %s and has not grown so for %s, but %" PRIu64 " of %" PRIu64
		" are still here",
		duration_text(grew, e->alarm_growth_ns), duration_text(ago, e->alarm_age_ns),
		min_of(e->aged, e->alarm_goroutines), e->alarm_goroutines);
	explain_no_return(e, opinion);
	weights__of_past(e, opinion);
	return true;
}

/*
 * A wait that has lasted for @least is beyond what the site's own past explains. Before anything
 * can have been seen to get past here, the order of goids tells whether something did.
 */
static bool beyond_the_past(const struct evidence *e, uint64_t least)
{
	least = max_of(least, e->min_age_ns);
	least = max_of(least, LONGER_THAN_EVER * leavers__longest_ns(e->leavers));
	if (!e->trend.samples && e->first_look.moved_ns < least)
		return false;
	return e->oldest_park_ns >= least && e->quiet_ns >= least;
}

static bool never_proceeds(const struct evidence *e)
{
	return (e->wait_class == WAIT_NIL_CHAN || e->wait_class == WAIT_SELECT_NONE) &&
	       e->settled > (e->has_main ? 1 : 0);
}

/*
 * A lone sender may be one that makes something on demand and is asked seldom. On the first look
 * most have to wait that long: those that do not may be on their way. A channel with a buffer may be
 * what limits how many work at a time (golang.org/x/sync/errgroup SetLimit): for as long as the wait
 * has to be, nothing must have been seen to proceed.
 */
static bool is_stuck_send(const struct evidence *e)
{
	bool lone = e->long_parked < 2, most = e->long_parked * 2 >= e->parked;
	uint64_t least = lone ? LONE_SEND_NS : VERDICT_LONG_PARK_NS;

	if (e->wait_class != WAIT_CHAN_SEND || !e->long_parked || (!e->trend.samples && !most))
		return false;
	if (e->objects.with_buffer * 2 > e->objects.looked_at && e->watched_ns < least)
		return false;
	return beyond_the_past(e, least);
}

static bool is_stuck(const struct evidence *e, struct opinion *opinion)
{
	char park[DURATION_SIZE], quiet[DURATION_SIZE];

	duration_text(park, e->oldest_park_ns);
	if (never_proceeds(e)) {
		explain_no_return(e, opinion);
		because(opinion, "%" PRIu64 " parked here, the oldest for %s", e->parked, park);
	} else if (e->wait_class == WAIT_LOCK && beyond_the_past(e, LOCK_STUCK_NS)) {
		because(opinion, "%" PRIu64 " waiting for a lock, the oldest for %s", e->parked,
			park);
		if (e->quiet_ns != UINT64_MAX)
			because(opinion, "nobody got past here for %s",
				duration_text(quiet, e->quiet_ns));
	} else if (is_stuck_send(e)) {
		because(opinion, "%" PRIu64 " %s that nobody received, the oldest for %s",
			e->parked, e->parked == 1 ? "send" : "sends", park);
	} else {
		return false;
	}
	opinion->verdict = VERDICT_STUCK;
	weights__of_stuck(e, opinion);
	return true;
}

/* --- what the first look shows ------------------------------------------------------------------ */

/* Like the growth test's own view of it, but of all the time before the watch. */
static bool arrived_with_connections(const struct evidence *e)
{
	const struct first_look *look = &e->first_look;

	if (e->nature == NATURE_CONNECTION)
		return true;
	if (e->nature == NATURE_ABANDONED || e->wait_class == WAIT_CHAN_SEND ||
	    e->wait_class == WAIT_LOCK)
		return false;
	return max_of(look->connections, look->files) * 2 >= look->arrived;
}

/* What members wait on excuses them: one object for all, as a pool has, or a timer. */
static bool excused_by_objects(const struct evidence *e)
{
	const struct site_objects *objects = &e->objects;
	bool shared = objects->shared_by >= objects->looked_at && objects->distinct <= 3;
	bool pool = e->wait_class != WAIT_LOCK && e->wait_class != WAIT_WAIT_GROUP;

	return objects->looked_at && ((shared && pool) || ends_by_timer(objects));
}

/* How long a watch takes to tell whether what the first look shows goes on (docs/verdicts.md). */
static uint64_t settled_after_ns(const struct evidence *e)
{
	uint64_t stay = max_of(e->min_age_ns, NSEC_PER_SEC);
	uint64_t eight_arrive = e->first_look.span_ns * 8 / e->first_look.arrived;

	return stay + max_of(stay * 16 / 10, eight_arrive) * 3 / 2 + 2 * e->parks_resolution_ns;
}

static bool is_suspected(const struct evidence *e, struct opinion *opinion)
{
	const struct first_look *look = &e->first_look;
	char span[DURATION_SIZE], settled[DURATION_SIZE];
	uint64_t left = leavers__since(e->leavers, e->min_age_ns), due;

	if (!look->arrived || left * 50 > look->arrived || e->nature == NATURE_SERVICE ||
	    arrived_with_connections(e) || excused_by_objects(e))
		return false;
	due = settled_after_ns(e);
	if (e->lives_watched_ns >= due)
		return false;
	opinion->verdict = VERDICT_SUSPECTED;
	because(opinion,
		"%" PRIu64 " came one by one and have waited here ever since, as their goids and "
		"waits tell: %.3g a minute for %s",
		look->arrived, (double)look->arrived * 60.0 * NSEC_PER_SEC / (double)look->span_ns,
		duration_text(span, look->span_ns));
	because(opinion, "one look does not show whether others left: watching for %s more does",
		duration_text(settled, due - e->lives_watched_ns));
	opinion->stay_ns = e->min_age_ns;
	opinion->stayed = e->settled;
	opinion->left = left;
	weights__of_suspicion(e, opinion);
	return true;
}

static bool is_growing(const struct evidence *e, struct opinion *opinion)
{
	const struct trend *trend = &e->trend;
	double least = max_of(MIN_RISE, (double)e->goroutines * MIN_RISE_SHARE);
	char span[DURATION_SIZE], stay[DURATION_SIZE];
	uint64_t left = leavers__since(e->leavers, e->min_age_ns);

	if (e->wait_class == WAIT_IO || e->wait_class == WAIT_RUNTIME)
		return false;
	if (trend->span_ns < e->min_age_ns || !trend->steady || trend->per_minute <= 0 ||
	    trend->rise < least)
		return false;
	opinion->verdict = VERDICT_GROWING;
	because(opinion, "from %" PRIu32 " to %" PRIu32 " within %s, %.3g a minute", trend->first,
		trend->last, duration_text(span, trend->span_ns), trend->per_minute);
	duration_text(stay, e->min_age_ns);
	if (left)
		because(opinion, "%" PRIu64 " that had stayed about %s or longer did leave", left,
			stay);
	else if (e->settled)
		because(opinion,
			"%" PRIu64 " have stayed %s or longer, too few or too early to say more",
			e->settled, stay);
	opinion->stay_ns = e->min_age_ns;
	opinion->stayed = e->settled;
	opinion->left = left;
	weights__of_rise(e, opinion);
	return true;
}

/* A set that hardly changes, however often its members get work: a pool, a ticker, a listener. */
static bool is_constant(const struct evidence *e)
{
	const struct trend *trend = &e->trend;

	return trend->samples && trend->span_ns >= e->min_age_ns &&
	       (trend->arrivals + trend->departures) * 10 <= e->goroutines;
}

static bool is_idle(const struct evidence *e, struct opinion *opinion)
{
	bool too_early = e->watched_ns < e->min_age_ns, constant = is_constant(e);
	char park[DURATION_SIZE], span[DURATION_SIZE];

	if (e->parked == 0 || e->parked < e->goroutines - e->parked)
		return false;
	if (!waits_by_nature(e->wait_class) && !too_early && !constant &&
	    e->settled * 2 < e->goroutines)
		return false;
	opinion->verdict = VERDICT_IDLE;
	because(opinion, "%" PRIu64 " of %" PRIu64 " parked, the longest for %s", e->parked,
		e->goroutines, duration_text(park, e->oldest_park_ns));
	if (constant)
		because(opinion, "the same number for %s: %" PRIu64 " came, %" PRIu64 " left",
			duration_text(span, e->trend.span_ns), e->trend.arrivals,
			e->trend.departures);
	return true;
}

/* Who is forgotten in a wait, or wakes up again and again without ever ending. */
static bool may_be_accused(const struct evidence *e)
{
	return !e->exempt && e->goroutines &&
	       (can_leak(e->wait_class) || e->wait_class == WAIT_SLEEP);
}

void verdict__of(const struct evidence *evidence, struct opinion *ret_opinion)
{
	*ret_opinion = (struct opinion){.verdict = VERDICT_ACTIVE};
	if (may_be_accused(evidence)) {
		if (is_leaking(evidence, ret_opinion) || was_leaking(evidence, ret_opinion) ||
		    is_stuck(evidence, ret_opinion) || is_suspected(evidence, ret_opinion))
			return;
	}
	if (!evidence->exempt && evidence->goroutines && is_growing(evidence, ret_opinion))
		return;
	if (is_idle(evidence, ret_opinion))
		return;
	because(ret_opinion, "%" PRIu64 " here, %" PRIu64 " of them parked", evidence->goroutines,
		evidence->parked);
}
