// SPDX-License-Identifier: Apache-2.0
#include "track/verdict.h"

#include <inttypes.h>

#include "base/duration.h"
#include "base/number.h"
#include "track/verdict_limits.h"
#include "track/verdict_words.h"

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

static void explain_no_return(const struct evidence *e, struct judgement *judgement)
{
	if (e->wait_class == WAIT_NIL_CHAN)
		verdict_words__add(judgement,
				   "a send or receive on a nil channel can never proceed");
	else if (e->wait_class == WAIT_SELECT_NONE)
		verdict_words__add(judgement, "a select without cases can never proceed");
}

/*
 * How many stayed for T or longer: exact for parks of min_age itself, else to a histogram's step.
 */
static uint64_t count_stayed(const struct evidence *e, const struct growth *growth)
{
	uint64_t arrived = (uint64_t)(growth->all_stayed + 0.5);

	if (growth->of_lives || growth->of_runs)
		return arrived;
	return growth->stay_ns > e->min_age_ns ? e->parked_before + arrived : e->parked_min_age;
}

uint64_t evidence__left(const struct evidence *e, uint64_t stay_ns)
{
	return min_of(length_histogram__at_least(e->ended_parks, stay_ns),
		      length_histogram__at_least(e->ended_lives, stay_ns));
}

static bool is_leaking(const struct evidence *e, struct judgement *judgement)
{
	struct growth growth;

	if (!growth__test(e, &growth))
		return false;
	judgement->verdict = VERDICT_LEAKING;
	judgement->alarm = true;
	judgement->growth_ns = growth.stay_ns + growth.window_ns;
	judgement->stay_ns = growth.stay_ns;
	judgement->stayed = count_stayed(e, &growth);
	judgement->left =
		growth.of_lives || growth.of_runs ? growth.left : evidence__left(e, growth.stay_ns);
	verdict_words__leak(e, &growth, judgement);
	explain_no_return(e, judgement);
	verdict_words__own(e, &growth, judgement);
	weights__of_leak(e, &growth, judgement);
	return true;
}

/* An alarm outlives the growth that raised it for a while, as long as its members stay. */
static bool was_leaking(const struct evidence *e, struct judgement *judgement)
{
	uint64_t hold =
		min_of(max_of(e->alarm_growth_ns, ALARM_MIN_HOLD * e->min_age_ns), ALARM_MAX_NS);
	char grew[DURATION_SIZE], ago[DURATION_SIZE];

	if (e->alarm_age_ns > hold ||
	    e->alarm_still_here * ALARM_LEFT_SHARE < e->alarm_goroutines * (ALARM_LEFT_SHARE - 1))
		return false;
	judgement->verdict = VERDICT_LEAKING;
	verdict_words__add(judgement,
			   "grew for %s and has not grown so for %s, but %" PRIu64 " of %" PRIu64
			   " are still here",
			   verdict_words__duration(grew, e->alarm_growth_ns),
			   verdict_words__duration(ago, e->alarm_age_ns),
			   min_of(e->alarm_still_here, e->alarm_goroutines), e->alarm_goroutines);
	explain_no_return(e, judgement);
	weights__of_past(e, judgement);
	return true;
}

/* Whether gleakd would have seen it by now if goroutines got past this place all the time. */
static bool is_watched(const struct evidence *e)
{
	return e->watched_ns >= STUCK_WATCH_NS;
}

/*
 * A wait that has lasted for @least is beyond what the site's own past explains. What got past here
 * before the watch, the first look may tell.
 */
static bool beyond_the_past(const struct evidence *e, uint64_t least)
{
	least = max_of(least, e->min_age_ns);
	least = max_of(least, STUCK_TIMES_LONGEST * length_histogram__longest_ns(e->ended_parks));
	return e->oldest_park_ns >= least && e->quiet_ns >= least && e->moved_ns >= least;
}

static bool never_proceeds(const struct evidence *e)
{
	return wait_class__facts(e->wait_class)->for_ever &&
	       e->parked_min_age > (e->has_main ? 1 : 0);
}

/*
 * A lone sender may be one that makes something on demand and is asked seldom, and so may several whose
 * channels somebody has. At first most have to
 * wait that long: those that do not may be on their way. A channel with a buffer may be what limits
 * how many work at a time (golang.org/x/sync/errgroup SetLimit): for as long as the wait has to be,
 * nothing must have been seen to proceed.
 */
static bool is_stuck_send(const struct evidence *e)
{
	bool lone = e->parked_long < 2, most = e->parked_long * 2 >= e->parked;
	bool held = evidence__held_by(e) != HOLDER_NOT_KNOWN;
	uint64_t least = lone || held ? STUCK_LONE_SEND_NS : STUCK_SEND_NS;

	if (e->wait_class != WAIT_CHAN_SEND || !e->parked_long || (!is_watched(e) && !most))
		return false;
	if (e->objects.with_buffer * 2 > e->objects.looked_at && e->watched_ns < least)
		return false;
	return beyond_the_past(e, least);
}

/*
 * Goroutines that take turns at a lock may each wait for minutes. So that nothing gets past has to be
 * watched for as long as the wait has to be, or the wait has to be much longer.
 */
static bool is_stuck_lock(const struct evidence *e)
{
	return e->wait_class == WAIT_LOCK &&
	       beyond_the_past(e, is_watched(e) ? STUCK_LOCK_NS : STUCK_UNWATCHED_LOCK_NS);
}

static bool is_stuck(const struct evidence *e, struct judgement *judgement)
{
	char park[DURATION_SIZE], quiet[DURATION_SIZE];

	verdict_words__duration(park, e->oldest_park_ns);
	if (never_proceeds(e)) {
		explain_no_return(e, judgement);
		verdict_words__add(judgement, "%" PRIu64 " parked here, the oldest for %s",
				   e->parked, park);
	} else if (is_stuck_lock(e)) {
		verdict_words__add(judgement, "%" PRIu64 " waiting for a lock, the oldest for %s",
				   e->parked, park);
		if (e->quiet_ns != UINT64_MAX)
			verdict_words__add(judgement, "nobody got past here for %s",
					   verdict_words__duration(quiet, e->quiet_ns));
	} else if (is_stuck_send(e)) {
		verdict_words__add(judgement,
				   "%" PRIu64 " %s that nobody received, the oldest for %s",
				   e->parked, e->parked == 1 ? "send" : "sends", park);
	} else {
		return false;
	}
	judgement->verdict = VERDICT_STUCK;
	weights__of_stuck(e, judgement);
	return true;
}

/* --- what the first look shows ------------------------------------------------------------------ */

/* Whether as many connections or open files came with the members, as far as one look shows. */
static bool arrived_with_connections(const struct evidence *e)
{
	const struct first_look *look = &e->first_look;

	if (e->nature == NATURE_CONNECTION)
		return true;
	if (e->nature == NATURE_ABANDONED || e->wait_class == WAIT_CHAN_SEND ||
	    e->wait_class == WAIT_LOCK)
		return false;
	/*
	 * What the process opened itself is no demand that came from outside. Where it has both ends, one
	 * look does not show what it has them for.
	 */
	if (e->sockets && (e->sockets->accepted + e->sockets->with_itself) * 2 < look->arrived)
		return false;
	return max_of(look->connections, e->open_files) * 2 >= look->arrived;
}

/* Whether what members wait on excuses them: one object for all, as a pool has, or a timer. */
static bool excused_by_objects(const struct evidence *e)
{
	bool pool = e->wait_class != WAIT_LOCK && e->wait_class != WAIT_WAIT_GROUP;

	return (pool && site_objects__are_shared(&e->objects)) ||
	       site_objects__end_by_timer(&e->objects);
}

const char *proof_level__name(enum proof_level level)
{
	switch (level) {
	case PROOF_NONE:
		break;
	case PROOF_CONFIRMED:
		return "confirmed";
	case PROOF_PROVEN:
		return "proven";
	}
	return "";
}

const char *proof_holder__text(enum proof_holder holder)
{
	switch (holder) {
	case HOLDER_NOT_KNOWN:
		break;
	case HOLDER_VARIABLE:
		return "a variable of the program";
	case HOLDER_FINALIZER:
		return "something that has a finalizer or a cleanup";
	case HOLDER_RUNTIME:
		return "the runtime, such as a timer";
	case HOLDER_GOROUTINE:
		return "the stack of a goroutine that can go on";
	}
	return "";
}

static void add_proof(const struct evidence *e, struct judgement *judgement)
{
	bool proven = e->proof.level == PROOF_PROVEN;

	verdict_words__add(judgement,
			   "%" PRIu32 " of %" PRIu64 " wait for what nothing leads to any more: %s",
			   e->proof.goroutines, e->goroutines,
			   proven ? "one consistent picture of the process proves it" :
				    "several scans of its heap confirm it");
	weights__of_proof(e, judgement);
}

/*
 * Whether what nothing can wake becomes more. None of it ever leaves. So this goes by who came, and when:
 * it begins with the third, whatever the trend of the last minutes is, and ends once, when none has come
 * for so long that it is over.
 */
static bool confirmed_rises(const struct evidence *e)
{
	uint64_t gap;

	if (e->came < CONFIRMED_MIN_CAME ||
	    e->came_first_ns - e->came_last_ns < e->min_age_ns / CONFIRMED_APART_PART ||
	    (uint64_t)e->proof.goroutines * 2 < e->parked_min_age)
		return false;
	gap = (e->came_first_ns - e->came_last_ns) / (e->came - 1);
	return e->came_last_ns <= max_of((uint64_t)ALARM_MAX_NS, GROWTH_MAX_GAPS * gap);
}

/* Nothing can wake these again, whatever their number or rate. */
static bool is_unreachable(const struct evidence *e, struct judgement *judgement)
{
	if (!e->proof.goroutines)
		return false;
	judgement->verdict = confirmed_rises(e) ? VERDICT_LEAKING : VERDICT_STUCK;
	judgement->stay_ns = e->min_age_ns;
	judgement->stayed = e->parked_min_age;
	judgement->left = evidence__left(e, e->min_age_ns);
	add_proof(e, judgement);
	return true;
}

/* How long a watch takes to tell whether what the first look shows goes on (docs/verdicts.md). */
static uint64_t settled_after_ns(const struct evidence *e)
{
	uint64_t stay = max_of(e->min_age_ns, NSEC_PER_SEC);
	uint64_t eight_arrive = (uint64_t)((double)e->first_look.span_ns * GROWTH_MIN_STAYED /
					   (double)e->first_look.arrived);

	return stay + max_of(stay * GROWTH_WINDOW_TENTHS / 10, eight_arrive) * 3 / 2 +
	       2 * e->parks_resolution_ns;
}

static bool is_suspected(const struct evidence *e, struct judgement *judgement)
{
	const struct first_look *look = &e->first_look;
	char span[DURATION_SIZE], settled[DURATION_SIZE], rate[NUMBER_RATE_SIZE];
	uint64_t left = length_histogram__at_least(e->ended_parks, e->min_age_ns), due;

	if (!look->arrived || left * SUSPECT_MAX_LEFT_PART > look->arrived ||
	    e->nature == NATURE_SERVICE || arrived_with_connections(e) || excused_by_objects(e))
		return false;
	due = settled_after_ns(e);
	if (e->lives_watched_ns >= due)
		return false;
	judgement->verdict = VERDICT_SUSPECTED;
	number__rate((double)look->arrived * 60.0 * NSEC_PER_SEC / (double)look->span_ns, rate);
	verdict_words__add(judgement,
			   "%" PRIu64
			   " came one by one and have waited here ever since, as their goids and "
			   "waits tell: %s a minute for %s",
			   look->arrived, rate, verdict_words__duration(span, look->span_ns));
	verdict_words__add(judgement,
			   "one look does not show whether others left: watching for %s more does",
			   verdict_words__duration(settled, due - e->lives_watched_ns));
	judgement->stay_ns = e->min_age_ns;
	judgement->stayed = e->parked_min_age;
	judgement->left = evidence__left(e, e->min_age_ns);
	judgement->due_ns = due - e->lives_watched_ns;
	weights__of_suspicion(e, judgement);
	return true;
}

/* Whether members may be forgotten in a wait, or wake up again and again without ever ending. */
static bool may_be_accused(const struct evidence *e)
{
	return !e->exempt && e->goroutines && (evidence__waits_tell(e) || e->run_ages);
}

static void explain_rise(const struct evidence *e, struct judgement *judgement)
{
	uint64_t woken = length_histogram__at_least(e->ended_parks, e->min_age_ns);
	char span[DURATION_SIZE], stay[DURATION_SIZE], rate[NUMBER_RATE_SIZE];
	struct growth_hold hold;

	if (may_be_accused(e)) {
		growth__hold(e, &hold);
		verdict_words__hold(e, &hold, judgement);
		judgement->due_ns = hold.due_ns;
	}
	number__rate(e->trend.per_minute, rate);
	verdict_words__add(judgement, "from %" PRIu32 " to %" PRIu32 " within %s, %s a minute",
			   e->trend.first, e->trend.last,
			   verdict_words__duration(span, e->trend.span_ns), rate);
	verdict_words__duration(stay, e->min_age_ns);
	if (judgement->left)
		verdict_words__add(judgement,
				   "%" PRIu64 " that had lived for about %s or longer have ended",
				   judgement->left, stay);
	if (woken > judgement->left)
		verdict_words__add(judgement,
				   "%" PRIu64
				   " waits of about %s or longer ended and the goroutine went on: "
				   "to wake up is not to leave",
				   woken - judgement->left, stay);
}

static bool is_growing(const struct evidence *e, struct judgement *judgement)
{
	const struct trend *trend = &e->trend;
	double least = max_of(GROWING_MIN_RISE, (double)e->goroutines * GROWING_MIN_RISE_SHARE);

	if (e->wait_class == WAIT_IO || e->wait_class == WAIT_RUNTIME)
		return false;
	if (trend->span_ns < e->min_age_ns || !trend->steady || trend->per_minute <= 0 ||
	    trend->rise < least)
		return false;
	judgement->verdict = VERDICT_GROWING;
	judgement->stay_ns = e->min_age_ns;
	judgement->stayed = max_of(e->parked_min_age, e->lived_min_age);
	judgement->left = evidence__left(e, e->min_age_ns);
	explain_rise(e, judgement);
	weights__of_rise(e, judgement);
	return true;
}

/* A set that hardly changes, however often its members get work: a pool, a ticker, a listener. */
static bool is_constant(const struct evidence *e)
{
	const struct trend *trend = &e->trend;

	return trend->samples && trend->span_ns >= e->min_age_ns &&
	       (trend->arrivals + trend->departures) * IDLE_CHANGE_PART <= e->goroutines;
}

static bool is_idle(const struct evidence *e, struct judgement *judgement)
{
	bool too_early = e->watched_ns < e->min_age_ns, constant = is_constant(e);
	char park[DURATION_SIZE], span[DURATION_SIZE];

	if (e->parked == 0 || e->parked < e->goroutines - e->parked)
		return false;
	if (!wait_class__facts(e->wait_class)->by_nature && !too_early && !constant &&
	    e->parked_min_age * 2 < e->goroutines)
		return false;
	judgement->verdict = VERDICT_IDLE;
	verdict_words__add(judgement, "%" PRIu64 " of %" PRIu64 " parked, the longest for %s",
			   e->parked, e->goroutines,
			   verdict_words__duration(park, e->oldest_park_ns));
	if (constant)
		verdict_words__add(judgement,
				   "the same number for %s: %" PRIu64 " came, %" PRIu64 " left",
				   verdict_words__duration(span, e->trend.span_ns),
				   e->trend.arrivals, e->trend.departures);
	return true;
}

/* Whether a rise may be one of connections, which others or the process itself opened. */
static bool may_come_with_connections(const struct evidence *e)
{
	return e->nature == NATURE_CONNECTION ||
	       wait_class__facts(e->wait_class)->may_serve_connection;
}

static void judge(const struct evidence *evidence, struct judgement *ret_judgement)
{
	*ret_judgement = (struct judgement){.verdict = VERDICT_ACTIVE};
	if (may_be_accused(evidence)) {
		if (is_leaking(evidence, ret_judgement) || was_leaking(evidence, ret_judgement) ||
		    is_stuck(evidence, ret_judgement)) {
			if (!evidence->proof.goroutines)
				return;
			if (confirmed_rises(evidence))
				ret_judgement->verdict = VERDICT_LEAKING;
			add_proof(evidence, ret_judgement);
			return;
		}
		if (is_unreachable(evidence, ret_judgement) ||
		    is_suspected(evidence, ret_judgement))
			return;
	}
	if (!evidence->exempt && evidence->goroutines && is_growing(evidence, ret_judgement))
		return;
	if (is_idle(evidence, ret_judgement))
		return;
	verdict_words__add(ret_judgement, "%" PRIu64 " here, %" PRIu64 " of them parked",
			   evidence->goroutines, evidence->parked);
}

/*
 * Members of a bundle that leaks are leaked with it, whatever they wait for: the reader of a forgotten
 * client waits for the network. Not where they may be there for connections that others opened.
 */
static bool is_companion(const struct evidence *e)
{
	bool connection = e->wait_class == WAIT_IO || may_come_with_connections(e);

	return e->companions > 0 && !e->exempt && !(connection && growth__was_asked_for(e));
}

static void accuse_companion(const struct evidence *e, struct judgement *judgement)
{
	*judgement = (struct judgement){
		.verdict = VERDICT_LEAKING,
		.stay_ns = e->min_age_ns,
		.stayed = e->lived_min_age,
		.left = evidence__left(e, e->min_age_ns),
	};
	verdict_words__add(
		judgement,
		"each was created together with goroutines that leak: they are one finding");
	verdict_words__add(judgement, "%" PRIu64 " here, %" PRIu64 " of them parked", e->goroutines,
			   e->parked);
	weights__of_companions(e, judgement);
}

void verdict__of(const struct evidence *evidence, struct judgement *ret_judgement)
{
	judge(evidence, ret_judgement);
	if (!verdict__is_alarm(ret_judgement->verdict) && is_companion(evidence))
		accuse_companion(evidence, ret_judgement);
	/* Also where it pauses: what went on where nobody looked is not known. */
	ret_judgement->asks_who_opened = (ret_judgement->verdict == VERDICT_GROWING ||
					  ret_judgement->verdict == VERDICT_LEAKING ||
					  evidence->trend.rise >= GROWING_MIN_RISE) &&
					 may_come_with_connections(evidence);
	ret_judgement->asks_who_opened |= evidence->companions > 0;
}
