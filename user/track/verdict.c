// SPDX-License-Identifier: Apache-2.0
#include "track/verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/duration.h"
#include "base/number.h"
#include "track/verdict_limits.h"

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

static __printf_fmt(2, 3) void add_why(struct judgement *judgement, const char *format, ...)
{
	va_list args;

	if (judgement->n_why == SITE_MAX_WHY)
		return;
	va_start(args, format);
	vsnprintf(judgement->why[judgement->n_why++], sizeof(judgement->why[0]), format, args);
	va_end(args);
}

static void explain_no_return(const struct evidence *e, struct judgement *judgement)
{
	if (e->wait_class == WAIT_NIL_CHAN)
		add_why(judgement, "a send or receive on a nil channel can never proceed");
	else if (e->wait_class == WAIT_SELECT_NONE)
		add_why(judgement, "a select without cases can never proceed");
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

static void explain_parks(const struct evidence *e, const struct growth *growth, const char *stay,
			  struct judgement *judgement)
{
	if (growth->left)
		add_why(judgement,
			"%" PRIu64 " goroutines parked here; of the waits of %s or longer %" PRIu64
			" have ended and %" PRIu64 " go on",
			e->parked, stay, growth->left, judgement->stayed);
	else
		add_why(judgement,
			"%" PRIu64 " goroutines parked here; none of the %" PRIu64
			" that stayed %s or longer ever left",
			e->parked, judgement->stayed, stay);
}

static void explain_lives(const struct evidence *e, const struct growth *growth, const char *stay,
			  struct judgement *judgement)
{
	if (growth->left)
		add_why(judgement,
			"%" PRIu64 " goroutines that wake up now and then; of those that lived %s "
			"or longer %" PRIu64 " ended and %" PRIu64 " did not",
			e->goroutines, stay, growth->left, judgement->stayed);
	else
		add_why(judgement,
			"%" PRIu64 " goroutines that wake up now and then; none of the %" PRIu64
			" that lived %s or longer ever ended",
			e->goroutines, judgement->stayed, stay);
}

#define PEER_WORDS (TRACKER_PEER_SIZE + 40)

/* ", 88 of 90 to 10.0.0.5:22": where most of the connections go that the process opened. */
static const char *peer_words(const struct evidence *e, char out[PEER_WORDS])
{
	const struct tracker_sockets *sockets = e->sockets;

	out[0] = '\0';
	if (sockets && sockets->peer[0] && sockets->to_peer * 2 > sockets->dialled)
		snprintf(out, PEER_WORDS, ", %" PRIu64 " of %" PRIu64 " to %s", sockets->to_peer,
			 sockets->dialled, sockets->peer);
	return out;
}

static void explain_own(const struct evidence *e, const struct growth *growth,
			struct judgement *judgement)
{
	char peer[PEER_WORDS];

	if (growth->in_step == IN_STEP_OWN)
		add_why(judgement,
			"with them came connections or files that the process opened, silent "
			"since%s",
			peer_words(e, peer));
}

/* What does not park: a thread each, or a share of the processors. */
static void explain_runs(const struct evidence *e, const struct growth *growth, const char *stay,
			 struct judgement *judgement)
{
	const char *what = e->in_syscall ? "in a system call or in C, each with a thread" :
					   "running, or ready to run, without a break";

	if (growth->left)
		add_why(judgement,
			"%" PRIu64 " %s; %" PRIu64 " times of %s or longer ended and %" PRIu64
			" go on",
			e->running, what, growth->left, stay, judgement->stayed);
	else
		add_why(judgement,
			"%" PRIu64 " %s; of the %" PRIu64 " for %s or longer none ever stopped",
			e->running, what, judgement->stayed, stay);
}

static bool is_leaking(const struct evidence *e, struct judgement *judgement)
{
	char stay[DURATION_SIZE], window[DURATION_SIZE], rate[NUMBER_RATE_SIZE];
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
	duration_text(stay, growth.stay_ns);
	duration_text(window, growth.window_ns);
	if (growth.of_runs)
		explain_runs(e, &growth, stay, judgement);
	else if (growth.of_lives)
		explain_lives(e, &growth, stay, judgement);
	else
		explain_parks(e, &growth, stay, judgement);
	number__rate(growth.stayed * 60.0 * NSEC_PER_SEC / (double)growth.window_ns, rate);
	add_why(judgement, "%.0f more stayed within %s, in %u of %u periods: %s a minute",
		growth.stayed, window, growth.periods_with, growth.periods, rate);
	explain_no_return(e, judgement);
	explain_own(e, &growth, judgement);
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
	add_why(judgement,
		"grew for %s and has not grown so for %s, but %" PRIu64 " of %" PRIu64
		" are still here",
		duration_text(grew, e->alarm_growth_ns), duration_text(ago, e->alarm_age_ns),
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
 * A lone sender may be one that makes something on demand and is asked seldom. At first most have to
 * wait that long: those that do not may be on their way. A channel with a buffer may be what limits
 * how many work at a time (golang.org/x/sync/errgroup SetLimit): for as long as the wait has to be,
 * nothing must have been seen to proceed.
 */
static bool is_stuck_send(const struct evidence *e)
{
	bool lone = e->parked_long < 2, most = e->parked_long * 2 >= e->parked;
	uint64_t least = lone ? STUCK_LONE_SEND_NS : STUCK_SEND_NS;

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

	duration_text(park, e->oldest_park_ns);
	if (never_proceeds(e)) {
		explain_no_return(e, judgement);
		add_why(judgement, "%" PRIu64 " parked here, the oldest for %s", e->parked, park);
	} else if (is_stuck_lock(e)) {
		add_why(judgement, "%" PRIu64 " waiting for a lock, the oldest for %s", e->parked,
			park);
		if (e->quiet_ns != UINT64_MAX)
			add_why(judgement, "nobody got past here for %s",
				duration_text(quiet, e->quiet_ns));
	} else if (is_stuck_send(e)) {
		add_why(judgement, "%" PRIu64 " %s that nobody received, the oldest for %s",
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

	add_why(judgement, "%" PRIu32 " of %" PRIu64 " wait for what nothing leads to any more: %s",
		e->proof.goroutines, e->goroutines,
		proven ? "one consistent picture of the process proves it" :
			 "several scans of its heap confirm it");
	weights__of_proof(e, judgement);
}

/* Nothing can wake these again, whatever their number or rate. */
static bool is_unreachable(const struct evidence *e, struct judgement *judgement)
{
	if (!e->proof.goroutines)
		return false;
	judgement->verdict =
		e->trend.steady && e->trend.per_minute > 0 ? VERDICT_LEAKING : VERDICT_STUCK;
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
	add_why(judgement,
		"%" PRIu64 " came one by one and have waited here ever since, as their goids and "
		"waits tell: %s a minute for %s",
		look->arrived, rate, duration_text(span, look->span_ns));
	add_why(judgement, "one look does not show whether others left: watching for %s more does",
		duration_text(settled, due - e->lives_watched_ns));
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

/* The rule that holds the verdict back, in words; when one is due is in .due_ns. */
static void explain_hold(const struct evidence *e, const struct growth_hold *hold,
			 struct judgement *judgement)
{
	char stay[DURATION_SIZE], least[DURATION_SIZE], peer[PEER_WORDS];

	duration_text(stay, hold->stay_ns);
	duration_text(least, hold->least_stay_ns);
	switch (hold->obstacle) {
	case OBSTACLE_NONE:
	case OBSTACLE_SHORT:
		add_why(judgement, "has not risen for long enough yet");
		break;
	case OBSTACLE_FEW:
		add_why(judgement, "%" PRIu64 " have stayed %s or longer so far, %.0f have to",
			hold->stayed, stay, GROWTH_MIN_STAYED);
		break;
	case OBSTACLE_LEFT:
		add_why(judgement, "%" PRIu64 " %s of %s or longer ended, so staying takes %s here",
			hold->left, hold->of_lives ? "lives" : "waits", least, stay);
		break;
	case OBSTACLE_WATCHED:
		add_why(judgement, "a rise has to last longer where the watch is this long");
		break;
	case OBSTACLE_CONNECTIONS:
		add_why(judgement, e->nature == NATURE_CONNECTION ?
					   "rises with connections: there is one per connection" :
					   "rises with connections or open files");
		break;
	case OBSTACLE_OWN:
		add_why(judgement, "rises with connections or files that the process opened%s",
			peer_words(e, peer));
		break;
	case OBSTACLE_WAKE:
		add_why(judgement, "they wake up now and then, as sessions or tenants do");
		break;
	case OBSTACLE_QUEUE:
		add_why(judgement, "all wait at one queue, as workers do");
		break;
	case OBSTACLE_TIMER:
		add_why(judgement, "a timer will wake most of them up");
		break;
	case OBSTACLE_RUN:
		add_why(judgement,
			e->in_syscall ?
				"in a system call or in C, as what waits for a child process is" :
				"they run without a break, as what computes does");
		break;
	case OBSTACLE_UNEVEN:
		add_why(judgement, "they did not come evenly, as they would in a leak");
		break;
	case OBSTACLE_SLOWS:
		add_why(judgement, "fewer come than before, as where something fills up");
		break;
	case OBSTACLE_STOPPED:
		add_why(judgement, "none has come for longer than usual");
		break;
	}
}

static void explain_rise(const struct evidence *e, struct judgement *judgement)
{
	uint64_t woken = length_histogram__at_least(e->ended_parks, e->min_age_ns);
	char span[DURATION_SIZE], stay[DURATION_SIZE], rate[NUMBER_RATE_SIZE];
	struct growth_hold hold;

	if (may_be_accused(e)) {
		growth__hold(e, &hold);
		explain_hold(e, &hold, judgement);
		judgement->due_ns = hold.due_ns;
	}
	number__rate(e->trend.per_minute, rate);
	add_why(judgement, "from %" PRIu32 " to %" PRIu32 " within %s, %s a minute", e->trend.first,
		e->trend.last, duration_text(span, e->trend.span_ns), rate);
	duration_text(stay, e->min_age_ns);
	if (judgement->left)
		add_why(judgement, "%" PRIu64 " that had lived for about %s or longer have ended",
			judgement->left, stay);
	if (woken > judgement->left)
		add_why(judgement,
			"%" PRIu64 " waits of about %s or longer ended and the goroutine went on: "
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
	add_why(judgement, "%" PRIu64 " of %" PRIu64 " parked, the longest for %s", e->parked,
		e->goroutines, duration_text(park, e->oldest_park_ns));
	if (constant)
		add_why(judgement, "the same number for %s: %" PRIu64 " came, %" PRIu64 " left",
			duration_text(span, e->trend.span_ns), e->trend.arrivals,
			e->trend.departures);
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
			if (evidence->proof.goroutines)
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
	add_why(ret_judgement, "%" PRIu64 " here, %" PRIu64 " of them parked", evidence->goroutines,
		evidence->parked);
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
	add_why(judgement,
		"each was created together with goroutines that leak: they are one finding");
	add_why(judgement, "%" PRIu64 " here, %" PRIu64 " of them parked", e->goroutines,
		e->parked);
	weights__of_companions(e, judgement);
}

void verdict__of(const struct evidence *evidence, struct judgement *ret_judgement)
{
	judge(evidence, ret_judgement);
	if (!verdict__is_alarm(ret_judgement->verdict) && is_companion(evidence))
		accuse_companion(evidence, ret_judgement);
	ret_judgement->asks_who_opened = (ret_judgement->verdict == VERDICT_GROWING ||
					  ret_judgement->verdict == VERDICT_LEAKING) &&
					 may_come_with_connections(evidence);
	ret_judgement->asks_who_opened |= evidence->companions > 0;
}
