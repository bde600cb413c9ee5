// SPDX-License-Identifier: Apache-2.0
/*
 * The growth test. Each candidate is a time to stay T and a window W: of those who arrived between
 * T + W and T ago, how many are still here, period by period? See verdict.h for what must hold.
 */
#include <math.h>

#include "track/reach.h"
#include "track/ticks.h"
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
#define CONNECTION_WINDOW 60  /* times min_age */
#define QUEUE_WINDOW	  30  /* times min_age */
#define LIVES_WINDOW	  30  /* times min_age, below this rate: */
#define LIVES_FAST_RATE	  0.9 /* a second */
#define TIMER_STAY	  30  /* times min_age */
#define MAX_DOUBLINGS	  20

/* One way to ask: of parks, or of lives. */
struct question {
	const struct evidence *e;
	const struct ages *ages;
	const struct ages *woken; /* NULL: it does not matter who has */
	const struct leavers *leavers;
	uint64_t watched_ns, resolution_ns;
	uint64_t least_stay_ns;
};

/* Waits in which a healthy goroutine per connection or stream spends its life. */
static bool may_serve_connection(const struct evidence *e)
{
	switch (e->wait_class) {
	case WAIT_SELECT:
	case WAIT_CHAN_RECEIVE:
	case WAIT_COND:
	case WAIT_SLEEP:
		return true;
	default:
		return false;
	}
}

/* Open files that came in the window, sockets among them. */
static double files_rise(const struct evidence *e, const struct growth *g)
{
	uint64_t to = g->stay_ns >> TICK_SHIFT, from = (g->stay_ns + g->window_ns) >> TICK_SHIFT;

	/* What the program has not finished has an open file as well, when it is forgotten. */
	if (!e->files || !e->files->count || e->nature == NATURE_ABANDONED)
		return 0;
	return history__rise(e->files, e->now - min_of(from, e->now), e->now - min_of(to, e->now));
}

static bool grows_with_connections(const struct evidence *e, const struct growth *g)
{
	double rise = files_rise(e, g);

	if (e->nature == NATURE_CONNECTION)
		return true;
	if (!may_serve_connection(e))
		return false;
	if (e->connections)
		rise = max_of(rise,
			      ages__between(e->connections, g->stay_ns, g->stay_ns + g->window_ns));
	return rise >= g->stayed / 2;
}

/*
 * All at the same channel: workers that get work, or the signal to end, from one channel; producers
 * that a full buffer holds up while the consumer pauses.
 */
static bool is_queue(const struct evidence *e, const struct growth *g)
{
	const struct site_objects *objects = &e->objects;

	if (objects->looked_at < 2 || objects->shared_by < objects->looked_at)
		return false;
	if (e->wait_class == WAIT_CHAN_SEND)
		return objects->queue;
	/* Jobs come through a buffer, or the workers are seen to get some now and then. */
	return (objects->queue || g->of_lives) && objects->distinct <= 3 &&
	       (e->wait_class == WAIT_CHAN_RECEIVE || e->wait_class == WAIT_SELECT);
}

/* The shortest window that proves anything, whatever else is known of the site. */
static uint64_t shortest_window_ns(uint64_t stay_ns, double stayed)
{
	return stay_ns * 8 / (stayed >= FAST_STAYED ? 10 : 5);
}

/* Shorter windows than this prove nothing here. */
static uint64_t least_window_ns(const struct question *q, struct growth *g)
{
	uint64_t least = shortest_window_ns(g->stay_ns, g->stayed);

	least = max_of(least, min_of(q->watched_ns / WATCHED_PART, WATCHED_MAX_NS));
	g->with_connections = grows_with_connections(q->e, g);
	if (g->with_connections)
		least = max_of(least, q->e->min_age_ns * CONNECTION_WINDOW);
	if (g->of_lives && g->stayed < LIVES_FAST_RATE * (double)g->window_ns / NSEC_PER_SEC)
		least = max_of(least, q->e->min_age_ns * LIVES_WINDOW);
	if (is_queue(q->e, g))
		least = max_of(least, q->e->min_age_ns * QUEUE_WINDOW);
	return least;
}

/* Arrivals that stayed in enough of the periods, in the latest one, and in no burst. */
static bool spread_out(const struct question *q, struct growth *g)
{
	double even = g->stayed / g->periods;

	g->periods_with = 0;
	for (unsigned int i = 0; i < g->periods; i++) {
		uint64_t from = g->stay_ns + g->window_ns * i / g->periods;
		uint64_t to = g->stay_ns + g->window_ns * (i + 1) / g->periods;
		double here = ages__between(q->ages, from, to);

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

/* Two standard deviations fewer arrivals in the last third of the window than in the first. */
static bool slows_down(const struct question *q, const struct growth *g)
{
	uint64_t third = g->window_ns / 3;
	double last = ages__between(q->ages, g->stay_ns, g->stay_ns + third);
	double first = ages__between(q->ages, g->stay_ns + 2 * third, g->stay_ns + g->window_ns);

	return first > last && (first - last) * (first - last) > 4 * (first + last);
}

/* Whether arrivals go on: those of the last T have not had the time to stay. */
static bool goes_on(const struct question *q, const struct growth *g)
{
	double expected = g->stayed * (double)g->stay_ns / (double)g->window_ns;
	uint64_t usual_gap = (uint64_t)((double)g->window_ns / g->stayed);
	uint64_t patience = max_of(4 * usual_gap, g->stay_ns / 4) + q->resolution_ns;

	if (ages__youngest_ns(q->ages) > patience)
		return false;
	return expected < 4 || ages__between(q->ages, 0, g->stay_ns) >= expected / 2;
}

static bool test_window(const struct question *q, struct growth *g)
{
	g->stayed = ages__between(q->ages, g->stay_ns, g->stay_ns + g->window_ns);
	if (g->stayed < MIN_STAYED || (double)g->left > g->stayed * MAX_LEFT_SHARE)
		return false;
	g->periods = MAX_PERIODS;
	if (q->resolution_ns)
		g->periods = (unsigned int)min_of(g->window_ns / q->resolution_ns,
						  (uint64_t)MAX_PERIODS);
	if (g->periods < MIN_PERIODS || g->window_ns < least_window_ns(q, g))
		return false;
	return spread_out(q, g) && !slows_down(q, g) && goes_on(q, g);
}

/* Windows from all of the watch downwards, each 1/sqrt(2) of the one before. */
static bool test_stay(const struct question *q, struct growth *g)
{
	uint64_t least = g->stay_ns * 8 / 10;

	g->left = leavers__since(q->leavers, g->stay_ns);
	for (g->window_ns = q->watched_ns - g->stay_ns; g->window_ns >= least;
	     g->window_ns = g->window_ns * 29 / 41)
		if (test_window(q, g))
			return true;
	return false;
}

/* A first wait may be a long one: who is to be judged by its life has been seen to go on with it. */
static bool have_woken(const struct question *q, const struct growth *g)
{
	return !q->woken || ages__between(q->woken, g->stay_ns, UINT64_MAX) * 2 >= g->all_stayed;
}

static bool ask(const struct question *q, bool of_lives, struct growth *ret_growth)
{
	struct growth growth = {.of_lives = of_lives, .stay_ns = q->least_stay_ns};

	if (!q->ages)
		return false;
	for (int i = 0; i < MAX_DOUBLINGS && growth.stay_ns < q->watched_ns; i++) {
		growth.all_stayed = ages__between(q->ages, growth.stay_ns, UINT64_MAX);
		if (growth.all_stayed < MIN_STAYED)
			return false;
		if (have_woken(q, &growth) && test_stay(q, &growth)) {
			*ret_growth = growth;
			return true;
		}
		growth.stay_ns *= 2;
	}
	return false;
}

static uint64_t least_stay_ns(uint64_t min_age_ns)
{
	return max_of(min_age_ns, NSEC_PER_SEC);
}

bool growth__test(const struct evidence *evidence, struct growth *ret_growth)
{
	uint64_t stay_ns = least_stay_ns(evidence->min_age_ns);
	const struct question parks = {
		.e = evidence,
		.ages = evidence->ages,
		.leavers = evidence->leavers,
		.watched_ns = evidence->watched_ns,
		.resolution_ns = evidence->parks_resolution_ns,
		.least_stay_ns = stay_ns * (ends_by_timer(&evidence->objects) ? TIMER_STAY : 1),
	};
	const struct question lives = {
		.e = evidence,
		.ages = evidence->born,
		.woken = evidence->woken,
		.leavers = evidence->lives,
		.watched_ns = evidence->lives_watched_ns,
		.resolution_ns = evidence->lives_resolution_ns,
		.least_stay_ns = stay_ns,
	};
	/* Who sleeps will wake up: only its life can be too long. */
	bool parks_tell = evidence->wait_class != WAIT_SLEEP;

	return (parks_tell && ask(&parks, false, ret_growth)) || ask(&lives, true, ret_growth);
}

/* --- what is out of reach ------------------------------------------------------------------------ */

/* The window that a watch has to leave for so many to have stayed. */
static uint64_t window_for_ns(uint64_t stay_ns, uint64_t resolution_ns, double stayed)
{
	return max_of(shortest_window_ns(stay_ns, stayed), MIN_PERIODS * resolution_ns);
}

uint64_t reach__least_watch_ns(uint64_t min_age_ns, uint64_t resolution_ns)
{
	uint64_t stay_ns = least_stay_ns(min_age_ns);

	return stay_ns + window_for_ns(stay_ns, resolution_ns, MIN_STAYED);
}

double reach__slowest_per_second(uint64_t min_age_ns, uint64_t resolution_ns, uint64_t watched_ns)
{
	uint64_t stay_ns = least_stay_ns(min_age_ns);
	uint64_t window_ns = watched_ns - min_of(watched_ns, stay_ns);
	double window_s = (double)window_ns / (double)NSEC_PER_SEC;

	if (window_ns >= window_for_ns(stay_ns, resolution_ns, MIN_STAYED))
		return MIN_STAYED / window_s;
	if (window_ns >= window_for_ns(stay_ns, resolution_ns, FAST_STAYED))
		return FAST_STAYED / window_s;
	return INFINITY;
}
