// SPDX-License-Identifier: Apache-2.0
/*
 * The growth test. Each candidate is a time to stay T and a window W: of those who arrived between
 * T + W and T ago, how many are still here, period by period? See verdict.h for what must hold.
 */
#include "track/verdict.h"

#define MIN_STAYED	  8.0
#define FAST_STAYED	  300.0 /* from here on a window of half the length is enough */
#define MAX_LEFT_SHARE	  0.02	/* of those who stayed */
#define MAX_PERIODS	  6u
#define MIN_PERIODS	  4u
#define PERIOD_MIN_SHARE  0.25 /* of an even share, for a period to count as one of growth */
#define PERIOD_MAX_SHARE  0.5  /* of all that stayed: more is a burst */
#define WATCHED_PART	  32
#define WATCHED_MAX_NS	  (1800 * NSEC_PER_SEC)
#define CONNECTION_WINDOW 30 /* times min_age */
#define MAX_DOUBLINGS	  20

/* Waits in which a healthy goroutine per connection or stream spends its life. */
static bool may_serve_connection(enum wait_class class)
{
	return class == WAIT_SELECT || class == WAIT_CHAN_RECEIVE || class == WAIT_COND;
}

static bool grows_with_connections(const struct evidence *e, const struct growth *g)
{
	if (!e->connections || !may_serve_connection(e->wait_class))
		return false;
	return ages__between(e->connections, g->stay_ns, g->stay_ns + g->window_ns) >=
	       g->stayed / 2;
}

/* Shorter windows than this prove nothing here. */
static uint64_t least_window_ns(const struct evidence *e, const struct growth *g)
{
	uint64_t least = g->stay_ns * 8 / (g->stayed >= FAST_STAYED ? 10 : 5);

	least = max_of(least, min_of(e->watched_ns / WATCHED_PART, WATCHED_MAX_NS));
	if (grows_with_connections(e, g))
		least = max_of(least, e->min_age_ns * CONNECTION_WINDOW);
	return least;
}

/* Arrivals that stayed in enough of the periods, in the latest one, and in no burst. */
static bool spread_out(const struct evidence *e, struct growth *g)
{
	double even = g->stayed / g->periods;

	g->periods_with = 0;
	for (unsigned int i = 0; i < g->periods; i++) {
		uint64_t from = g->stay_ns + g->window_ns * i / g->periods;
		uint64_t to = g->stay_ns + g->window_ns * (i + 1) / g->periods;
		double here = ages__between(e->ages, from, to);

		if (here > g->stayed * PERIOD_MAX_SHARE)
			return false;
		if (here >= even * PERIOD_MIN_SHARE)
			g->periods_with++;
		else if (i == 0)
			return false;
	}
	/* With few periods none may be missing. */
	return g->periods_with >= max_of(MIN_PERIODS, g->periods - 1);
}

/* Whether arrivals go on: those of the last T have not had the time to stay. */
static bool goes_on(const struct evidence *e, const struct growth *g)
{
	double expected = g->stayed * (double)g->stay_ns / (double)g->window_ns;
	uint64_t usual_gap = (uint64_t)((double)g->window_ns / g->stayed);
	uint64_t patience = max_of(4 * usual_gap, g->stay_ns / 4) + e->resolution_ns;

	if (ages__youngest_ns(e->ages) > patience)
		return false;
	return expected < 4 || ages__between(e->ages, 0, g->stay_ns) >= expected / 2;
}

static bool test_window(const struct evidence *e, struct growth *g)
{
	g->stayed = ages__between(e->ages, g->stay_ns, g->stay_ns + g->window_ns);
	if (g->stayed < MIN_STAYED || (double)g->left > g->stayed * MAX_LEFT_SHARE)
		return false;
	g->periods = MAX_PERIODS;
	if (e->resolution_ns)
		g->periods = (unsigned int)min_of(g->window_ns / e->resolution_ns,
						  (uint64_t)MAX_PERIODS);
	if (g->periods < MIN_PERIODS || g->window_ns < least_window_ns(e, g))
		return false;
	return spread_out(e, g) && goes_on(e, g);
}

/* Windows from all of the watch downwards, each 1/sqrt(2) of the one before. */
static bool test_stay(const struct evidence *e, struct growth *g)
{
	uint64_t least = g->stay_ns * 8 / 10;

	g->left = leavers__since(e->leavers, g->stay_ns);
	for (g->window_ns = e->watched_ns - g->stay_ns; g->window_ns >= least;
	     g->window_ns = g->window_ns * 29 / 41)
		if (test_window(e, g))
			return true;
	return false;
}

bool growth__test(const struct evidence *evidence, struct growth *ret_growth)
{
	struct growth growth = {.stay_ns = max_of(evidence->min_age_ns, NSEC_PER_SEC)};

	if (!evidence->ages)
		return false;
	for (int i = 0; i < MAX_DOUBLINGS && growth.stay_ns < evidence->watched_ns; i++) {
		if (ages__between(evidence->ages, growth.stay_ns, UINT64_MAX) < MIN_STAYED)
			return false;
		if (test_stay(evidence, &growth)) {
			*ret_growth = growth;
			return true;
		}
		growth.stay_ns *= 2;
	}
	return false;
}
