// SPDX-License-Identifier: Apache-2.0
#include "track/verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define LOCK_STUCK_NS	   (60 * NSEC_PER_SEC)
#define ALARM_MAX_NS	   (3600 * NSEC_PER_SEC)
#define MIN_RISE	   5.0
#define MIN_RISE_SHARE	   0.1 /* of the members: less is a fluctuation */
#define DURATION_TEXT_SIZE 24

static const char *const names[] = {
	[VERDICT_ACTIVE] = "active", [VERDICT_IDLE] = "idle",	    [VERDICT_GROWING] = "growing",
	[VERDICT_STUCK] = "stuck",   [VERDICT_LEAKING] = "leaking",
};

const char *verdict__name(enum verdict verdict)
{
	return (size_t)verdict < ARRAY_SIZE(names) ? names[verdict] : "unknown";
}

/* "850ms", "42s", "3m20s", "2h05m", "3d04h" */
static const char *duration_text(char out[DURATION_TEXT_SIZE], uint64_t ns)
{
	const uint64_t s = ns / NSEC_PER_SEC;

	if (s < 1)
		snprintf(out, DURATION_TEXT_SIZE, "%" PRIu64 "ms", ns / (uint64_t)NSEC_PER_MSEC);
	else if (s < 60)
		snprintf(out, DURATION_TEXT_SIZE, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(out, DURATION_TEXT_SIZE, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, DURATION_TEXT_SIZE, "%" PRIu64 "h%02" PRIu64 "m", s / 3600,
			 s / 60 % 60);
	else
		snprintf(out, DURATION_TEXT_SIZE, "%" PRIu64 "d%02" PRIu64 "h", s / 86400,
			 s / 3600 % 24);
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

static bool is_leaking(const struct evidence *e, struct opinion *opinion)
{
	char stay[DURATION_TEXT_SIZE], window[DURATION_TEXT_SIZE];
	struct growth growth;
	uint64_t stayed;

	if (!growth__test(e, &growth))
		return false;
	opinion->verdict = VERDICT_LEAKING;
	opinion->alarm = true;
	opinion->growth_ns = growth.stay_ns + growth.window_ns;
	duration_text(stay, growth.stay_ns);
	duration_text(window, growth.window_ns);
	/* Exact for min_age itself, within a step of the histogram for more. */
	stayed = e->settled;
	if (growth.stay_ns > e->min_age_ns)
		stayed = e->before +
			 (uint64_t)(ages__between(e->ages, growth.stay_ns, UINT64_MAX) + 0.5);
	if (growth.left)
		because(opinion,
			"%" PRIu64
			" goroutines parked here; of those that stayed %s or longer %" PRIu64
			" left and %" PRIu64 " did not",
			e->parked, stay, growth.left, stayed);
	else
		because(opinion,
			"%" PRIu64 " goroutines parked here; none of the %" PRIu64
			" that stayed %s or longer ever left",
			e->parked, stayed, stay);
	because(opinion, "%.0f more stayed within %s, in %u of %u periods: %.3g a minute",
		growth.stayed, window, growth.periods_with, growth.periods,
		growth.stayed * 60.0 * NSEC_PER_SEC / (double)growth.window_ns);
	explain_no_return(e, opinion);
	return true;
}

/* An alarm outlives its growth for a while, as long as its members stay. */
static bool was_leaking(const struct evidence *e, struct opinion *opinion)
{
	uint64_t hold = min_of(max_of(e->alarm_growth_ns, 6 * e->min_age_ns), ALARM_MAX_NS);
	char grew[DURATION_TEXT_SIZE], ago[DURATION_TEXT_SIZE];

	if (e->alarm_age_ns > hold || e->goroutines < e->alarm_goroutines / 5 * 4)
		return false;
	opinion->verdict = VERDICT_LEAKING;
	because(opinion,
		"grew for %s and has not grown so for %s, but %" PRIu64 " of %" PRIu64
		" are still here",
		duration_text(grew, e->alarm_growth_ns), duration_text(ago, e->alarm_age_ns),
		min_of(e->goroutines, e->alarm_goroutines), e->alarm_goroutines);
	explain_no_return(e, opinion);
	return true;
}

static bool is_stuck(const struct evidence *e, struct opinion *opinion)
{
	char park[DURATION_TEXT_SIZE], quiet[DURATION_TEXT_SIZE];

	duration_text(park, e->oldest_park_ns);
	if (e->wait_class == WAIT_NIL_CHAN && e->settled > (e->has_main ? 1 : 0)) {
		because(opinion, "a send or receive on a nil channel can never proceed");
		because(opinion, "%" PRIu64 " parked here, the oldest for %s", e->parked, park);
	} else if (e->wait_class == WAIT_LOCK &&
		   e->oldest_park_ns >= max_of(e->min_age_ns, LOCK_STUCK_NS) &&
		   e->quiet_ns >= LOCK_STUCK_NS) {
		because(opinion, "%" PRIu64 " waiting for a lock, the oldest for %s", e->parked,
			park);
		if (e->quiet_ns != UINT64_MAX)
			because(opinion, "nobody got past here for %s",
				duration_text(quiet, e->quiet_ns));
	} else if (e->wait_class == WAIT_CHAN_SEND && e->long_parked >= 2 && e->trend.samples &&
		   e->quiet_ns >= max_of(e->min_age_ns, VERDICT_LONG_PARK_NS)) {
		because(opinion, "%" PRIu64 " sends that nobody received, the oldest for %s",
			e->parked, park);
	} else {
		return false;
	}
	opinion->verdict = VERDICT_STUCK;
	return true;
}

static bool is_growing(const struct evidence *e, struct opinion *opinion)
{
	const struct trend *trend = &e->trend;
	double least = max_of(MIN_RISE, (double)e->goroutines * MIN_RISE_SHARE);
	char span[DURATION_TEXT_SIZE], stay[DURATION_TEXT_SIZE];
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
	return true;
}

static bool is_idle(const struct evidence *e, struct opinion *opinion)
{
	bool too_early = e->watched_ns < e->min_age_ns;
	char park[DURATION_TEXT_SIZE];

	if (e->parked == 0 || e->parked < e->goroutines - e->parked)
		return false;
	if (!waits_by_nature(e->wait_class) && !too_early && e->settled * 2 < e->goroutines)
		return false;
	opinion->verdict = VERDICT_IDLE;
	because(opinion, "%" PRIu64 " of %" PRIu64 " parked, the longest for %s", e->parked,
		e->goroutines, duration_text(park, e->oldest_park_ns));
	return true;
}

void verdict__of(const struct evidence *evidence, struct opinion *ret_opinion)
{
	bool suspect = !evidence->exempt && evidence->goroutines;

	*ret_opinion = (struct opinion){.verdict = VERDICT_ACTIVE};
	if (suspect && can_leak(evidence->wait_class)) {
		if (is_leaking(evidence, ret_opinion) || was_leaking(evidence, ret_opinion) ||
		    is_stuck(evidence, ret_opinion))
			return;
	}
	if (suspect && is_growing(evidence, ret_opinion))
		return;
	if (is_idle(evidence, ret_opinion))
		return;
	because(ret_opinion, "%" PRIu64 " here, %" PRIu64 " of them parked", evidence->goroutines,
		evidence->parked);
}
