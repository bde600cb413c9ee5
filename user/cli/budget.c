// SPDX-License-Identifier: Apache-2.0
#include "cli/budget.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "host/process.h"
#include "host/resident.h"
#include "host/self_usage.h"
#include "session/shares.h"

#define CPU_WINDOW_NS (60 * NSEC_PER_SEC)
/* Over its own budget gleakd takes longer breaks, up to that many times the interval. */
#define MAX_STRETCH 32

/* What can wait may take that much of it: rounds over what is watched already go on meanwhile. */
#define BEGIN_SHARE 0.75
/* How often it is looked at what was used, and how long a pause lasts at most. */
#define LOOK_NS	     (50 * NSEC_PER_MSEC)
#define PAUSE_MAX_NS (5 * NSEC_PER_SEC)

/* What else gleakd does is paid from it, too. */
#define CENSUS_SHARE 0.5
/* Where it is short: what looking at new processes of one user may take of it. */
#define USER_LOOKS_SHARE 0.25

/* Of a minute, what is used up: what takes longer than was thought has to fit as well. */
#define MINUTE_SHARE 0.95
/* More than this is not kept for rounds: where they take more there are fewer (judge_cpu()). */
#define ROUNDS_SHARE 0.55
/* Where nothing is left something that can wait is begun this often, for the time of a round. */
#define STARVED_NS (120 * NSEC_PER_SEC)

static void tell_over(const struct budget *budget, double share, const char *format, ...)
	__printf_fmt(3, 4);

static void tell_over(const struct budget *budget, double share, const char *format, ...)
{
	char what[160];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	log_warn("gleakd used %.1f%% of a core, %.1f%% are allowed: %s from now on", share * 100,
		 budget->max_cpu * 100, what);
}

/* Whether somebody is to blame, who waits from now on. */
static bool slow_down_some(struct budget *budget, struct session *session, double share,
			   bool settled, uint64_t elapsed_ns)
{
	size_t slowed =
		settled ? shares__slow_down(session, budget->max_cpu * CENSUS_SHARE, elapsed_ns) :
			  0;
	bool paced = !budget->paced;

	if (slowed)
		tell_over(budget, share,
			  "%zu of its targets, whose censuses take more than their share, are "
			  "looked at half as often",
			  slowed);
	else if (paced)
		tell_over(budget, share,
			  "of each user's new processes one is looked at after the other");
	budget->paced = true;
	return slowed || paced;
}

static void slow_down(struct budget *budget, struct session *session, double share, bool settled,
		      uint64_t elapsed_ns)
{
	/* Processes that have just come cost more than they will: their binaries are read first. */
	if (slow_down_some(budget, session, share, settled, elapsed_ns) || !settled ||
	    budget->stretch >= MAX_STRETCH)
		return;
	budget->stretch *= 2;
	tell_over(budget, share, "one round every %u intervals", budget->stretch);
}

static void judge_cpu(struct budget *budget, struct session *session, double share, bool settled,
		      uint64_t elapsed_ns)
{
	if (share > budget->max_cpu) {
		slow_down(budget, session, share, settled, elapsed_ns);
	} else if (settled && share < budget->max_cpu / 4) {
		shares__speed_up(session);
		budget->paced = budget->stretch > 1;
		budget->stretch = max_of(budget->stretch / 2, 1u);
	}
}

double budget__looks_share(const struct budget *budget)
{
	return budget->paced ? budget->max_cpu * USER_LOOKS_SHARE : 0;
}

static double used_seconds(void)
{
	return self_usage__read(PROC_ROOT).cpu_seconds;
}

void budget__begin_round(struct budget *budget)
{
	budget->peak_before = budget->peak;
	budget->peak = 0;
	budget->round_begun_seconds = used_seconds();
}

void budget__end_round(struct budget *budget, double else_seconds)
{
	budget->round_seconds =
		max_of(used_seconds() - budget->round_begun_seconds - else_seconds, 0.0);
}

void budget__keep_cpu(struct budget *budget, struct session *session, bool settled, uint64_t now_ns)
{
	double elapsed = (double)(now_ns - budget->cpu_ns) / (double)NSEC_PER_SEC;
	struct self_usage usage;

	if (budget->cpu_ns && now_ns - budget->cpu_ns < CPU_WINDOW_NS)
		return;
	usage = self_usage__read(PROC_ROOT);
	/* Who starts something all the time is no reason not to judge; when gleakd starts all do. */
	if (budget->cpu_ns && budget->was_settled && budget->max_cpu > 0)
		judge_cpu(budget, session,
			  (usage.cpu_seconds - budget->cpu_seconds) / max_of(elapsed, 1.0),
			  budget->settled, now_ns - budget->cpu_ns);
	budget->cpu_seconds = usage.cpu_seconds;
	budget->cpu_ns = now_ns;
	budget->settled = settled;
	budget->was_settled |= settled;
}

uint64_t budget__held_until(const struct budget *budget, double used, uint64_t now_ns)
{
	uint64_t minute_end_ns = budget->started_ns + CPU_WINDOW_NS;
	double earned = budget->max_cpu * BEGIN_SHARE;

	if (now_ns < minute_end_ns)
		return used <= earned * CPU_WINDOW_NS / NSEC_PER_SEC ? 0 : minute_end_ns;
	return now_ns + min_of((uint64_t)((used - budget->begun_seconds) / earned * NSEC_PER_SEC),
			       (uint64_t)PAUSE_MAX_NS);
}

uint64_t budget__hold(struct budget *budget, uint64_t now_ns)
{
	double used;

	if (budget->max_cpu <= 0)
		return 0;
	if (now_ns >= budget->held_ns && now_ns - budget->looked_ns >= LOOK_NS) {
		used = used_seconds();
		budget->held_ns = budget__held_until(budget, used, now_ns);
		budget->looked_ns = now_ns;
		budget->begun_seconds = used;
	}
	return budget->held_ns - min_of(now_ns, budget->held_ns);
}

/* The minute that is over has more than it may have: the next has so much less, and is not used up by that. */
static void next_minute(struct budget *budget, double used, uint64_t now_ns)
{
	double minute = budget->max_cpu * CPU_WINDOW_NS / NSEC_PER_SEC;
	double may = budget->max_cpu * (double)(now_ns - budget->minute_ns) / NSEC_PER_SEC;
	double debt = used - budget->minute_seconds - may;

	budget->minute_seconds = used - min_of(max_of(debt, 0.0), minute);
	budget->minute_ns = now_ns;
}

uint64_t budget__wait_of(struct budget *budget, double used, uint64_t interval_ns, uint64_t now_ns)
{
	double minute = budget->max_cpu * CPU_WINDOW_NS / NSEC_PER_SEC, rounds;
	bool enough, starved;
	uint64_t left_ns;

	if (!budget->minute_ns)
		budget->minute_ns = budget->begin_ns = budget->started_ns;
	if (now_ns - budget->minute_ns >= CPU_WINDOW_NS)
		next_minute(budget, used, now_ns);
	left_ns = CPU_WINDOW_NS - (now_ns - budget->minute_ns);
	rounds = min_of(budget->round_seconds / (double)interval_ns,
			budget->max_cpu * ROUNDS_SHARE / NSEC_PER_SEC) *
		 (double)left_ns;
	enough = used - budget->minute_seconds + rounds < minute * MINUTE_SHARE;
	starved = now_ns - budget->begin_ns >= STARVED_NS;
	if (enough || now_ns - budget->begin_ns >= STARVED_NS + interval_ns)
		budget->begin_ns = now_ns;
	return enough || starved ? 0 : left_ns;
}

uint64_t budget__wait(struct budget *budget, uint64_t interval_ns, uint64_t now_ns)
{
	return budget->max_cpu > 0 ? budget__wait_of(budget, used_seconds(), interval_ns, now_ns) :
				     0;
}

/* Before it is said to be full, what is free already goes back to the system; the heap keeps much of it. */
static uint64_t occupied(const struct budget *budget)
{
	uint64_t bytes = resident__of(PROC_ROOT, 0);

	if (!budget->full && bytes > budget->max_memory) {
		malloc_trim(0);
		bytes = resident__of(PROC_ROOT, 0);
	}
	return bytes;
}

static void set_full(struct budget *budget, uint64_t bytes, bool full)
{
	if (full != budget->full)
		log_warn("gleakd occupies %llu MB of the %llu allowed: %s",
			 (unsigned long long)bytes >> 20,
			 (unsigned long long)budget->max_memory >> 20,
			 full ? "no more processes and goroutines are taken in for now" :
				"processes and goroutines are taken in again");
	budget->full = full;
}

void budget__keep_memory(struct budget *budget)
{
	uint64_t bytes = budget->max_memory ? occupied(budget) : 0;

	budget->peak = max_of(budget->peak, bytes);
	if (bytes > budget->max_memory)
		set_full(budget, bytes, true);
}

void budget__trim(struct budget *budget)
{
	uint64_t bytes;

	if (!budget->full)
		return;
	malloc_trim(0);
	bytes = max_of(budget->peak, budget->peak_before);
	bytes = max_of(bytes, resident__of(PROC_ROOT, 0));
	/* Again only when there is some room, or it would go to and fro. */
	if (!budget->max_memory || bytes <= budget->max_memory / 10 * 9)
		set_full(budget, bytes, false);
}
