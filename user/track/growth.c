// SPDX-License-Identifier: Apache-2.0
/*
 * The growth test. Each candidate is a time to stay T and a window W: of the goroutines that
 * arrived between T + W and T ago, how many are still here, period by period? verdict.h says what
 * must hold.
 */
#include <math.h>

#include "track/reach.h"
#include "track/ticks.h"
#include "track/verdict.h"
#include "track/verdict_limits.h"

/* The test is made of parks, and of lives: one question each. */
struct question {
	const struct evidence *e;
	const struct age_histogram *ages;	/* of parks, or lives, that go on */
	const struct age_histogram *woken_ages; /* of those that have woken; NULL: no matter */
	const struct length_histogram *ended;
	uint64_t watched_ns, resolution_ns;
	uint64_t least_stay_ns;
};

/* How many more files, sockets among them, the process had open after the window than before. */
static double files_rise(const struct evidence *e, const struct growth *g)
{
	uint64_t to = g->stay_ns >> TICK_SHIFT, from = (g->stay_ns + g->window_ns) >> TICK_SHIFT;

	/* A leaked response body or sql.Rows keeps a file open itself: files do not excuse it. */
	if (!e->files || !e->files->count || e->nature == NATURE_ABANDONED)
		return 0;
	return history__rise(e->files, e->now - min_of(from, e->now), e->now - min_of(to, e->now));
}

static bool grows_with_connections(const struct evidence *e, const struct growth *g)
{
	double rise = files_rise(e, g);

	if (e->nature == NATURE_CONNECTION)
		return true;
	if (!wait_class__facts(e->wait_class)->may_serve_connection)
		return false;
	if (e->connections)
		rise = max_of(rise, age_histogram__between(e->connections, g->stay_ns,
							   g->stay_ns + g->window_ns));
	return rise >= g->stayed / 2;
}

/*
 * Whether all members wait at the same channel, as healthy goroutines do: workers that receive
 * jobs, or the signal to end, from one channel; producers that a full buffer holds up while the
 * consumer pauses.
 */
static bool is_queue(const struct evidence *e, const struct growth *g)
{
	const struct site_objects *objects = &e->objects;

	if (objects->looked_at < 2 || objects->shared_by < objects->looked_at)
		return false;
	if (e->wait_class == WAIT_CHAN_SEND)
		return objects->queue;
	/* Jobs come through a buffer, or workers are seen to wake up and take some now and then. */
	return (objects->queue || g->of_lives) && objects->distinct <= 3 &&
	       (e->wait_class == WAIT_CHAN_RECEIVE || e->wait_class == WAIT_SELECT);
}

/* The shortest window that proves anything, whatever else is known of the site. */
static uint64_t shortest_window_ns(uint64_t stay_ns, double stayed)
{
	uint64_t tenths =
		stayed >= GROWTH_FAST_STAYED ? GROWTH_FAST_WINDOW_TENTHS : GROWTH_WINDOW_TENTHS;

	return stay_ns * tenths / 10;
}

/* A rise over a shorter window than this proves nothing at this site. */
static uint64_t least_window_ns(const struct question *q, struct growth *g)
{
	uint64_t least = shortest_window_ns(g->stay_ns, g->stayed);

	least = max_of(least, min_of(q->watched_ns / GROWTH_WATCHED_PART, GROWTH_WATCHED_MAX_NS));
	g->with_connections = grows_with_connections(q->e, g);
	if (g->with_connections)
		least = max_of(least, q->e->min_age_ns * GROWTH_CONNECTION_WINDOW);
	if (g->of_lives && g->stayed < GROWTH_LIVES_FAST_RATE * (double)g->window_ns / NSEC_PER_SEC)
		least = max_of(least, q->e->min_age_ns * GROWTH_LIVES_WINDOW);
	if (is_queue(q->e, g))
		least = max_of(least, q->e->min_age_ns * GROWTH_QUEUE_WINDOW);
	return least;
}

/*
 * Whether goroutines arrived and stayed in enough of the periods and in the latest, not in a burst.
 */
static bool spread_out(const struct question *q, struct growth *g)
{
	double even = g->stayed / g->periods;

	g->periods_with = 0;
	for (unsigned int i = 0; i < g->periods; i++) {
		uint64_t from = g->stay_ns + g->window_ns * i / g->periods;
		uint64_t to = g->stay_ns + g->window_ns * (i + 1) / g->periods;
		double here = age_histogram__between(q->ages, from, to);

		if (here > g->stayed * GROWTH_PERIOD_MAX_SHARE)
			return false;
		if (here >= even * GROWTH_PERIOD_MIN_SHARE)
			g->periods_with++;
		else if (i == 0)
			return false;
	}
	/* With few periods none may be missing. */
	return g->periods_with >= max_of(GROWTH_MIN_PERIODS, g->periods - 1);
}

/* Whether fewer arrived in the last third of the window than in the first, by two sigma. */
static bool slows_down(const struct question *q, const struct growth *g)
{
	uint64_t third = g->window_ns / 3;
	double last = age_histogram__between(q->ages, g->stay_ns, g->stay_ns + third);
	double first =
		age_histogram__between(q->ages, g->stay_ns + 2 * third, g->stay_ns + g->window_ns);

	return first > last &&
	       (first - last) * (first - last) > GROWTH_SIGMAS * GROWTH_SIGMAS * (first + last);
}

/* Whether arrivals go on. The window ends T ago, since what came later cannot have stayed yet. */
static bool goes_on(const struct question *q, const struct growth *g)
{
	double expected = g->stayed * (double)g->stay_ns / (double)g->window_ns;
	uint64_t usual_gap = (uint64_t)((double)g->window_ns / g->stayed);
	uint64_t patience = max_of(GROWTH_MAX_GAPS * usual_gap, g->stay_ns / 4) + q->resolution_ns;

	if (age_histogram__youngest_ns(q->ages) > patience)
		return false;
	return expected < 4 || age_histogram__between(q->ages, 0, g->stay_ns) >= expected / 2;
}

static bool test_window(const struct question *q, struct growth *g)
{
	g->stayed = age_histogram__between(q->ages, g->stay_ns, g->stay_ns + g->window_ns);
	if (g->stayed < GROWTH_MIN_STAYED || (double)g->left > g->stayed * GROWTH_MAX_LEFT_SHARE)
		return false;
	g->periods = GROWTH_PERIODS;
	if (q->resolution_ns)
		g->periods = (unsigned int)min_of(g->window_ns / q->resolution_ns,
						  (uint64_t)GROWTH_PERIODS);
	if (g->periods < GROWTH_MIN_PERIODS || g->window_ns < least_window_ns(q, g))
		return false;
	return spread_out(q, g) && !slows_down(q, g) && goes_on(q, g);
}

/* Windows from all of the watch down to the least, each 1/sqrt(2) of the one before. */
static bool test_stay(const struct question *q, struct growth *g)
{
	uint64_t least = g->stay_ns * GROWTH_FAST_WINDOW_TENTHS / 10;

	g->left = length_histogram__at_least(q->ended, g->stay_ns);
	for (g->window_ns = q->watched_ns - g->stay_ns; g->window_ns >= least;
	     g->window_ns = g->window_ns * 29 / 41)
		if (test_window(q, g))
			return true;
	return false;
}

/*
 * Whether half of those that stayed have woken up since their first park. A goroutine in its first
 * wait may be in a long one: the test of lives is for those that are known to go on and not to end.
 */
static bool have_woken(const struct question *q, const struct growth *g)
{
	return !q->woken_ages ||
	       age_histogram__between(q->woken_ages, g->stay_ns, UINT64_MAX) * 2 >= g->all_stayed;
}

static bool ask(const struct question *q, bool of_lives, struct growth *ret_growth)
{
	struct growth growth = {.of_lives = of_lives, .stay_ns = q->least_stay_ns};

	if (!q->ages)
		return false;
	for (int i = 0; i < GROWTH_MAX_DOUBLINGS && growth.stay_ns < q->watched_ns; i++) {
		growth.all_stayed = age_histogram__between(q->ages, growth.stay_ns, UINT64_MAX);
		if (growth.all_stayed < GROWTH_MIN_STAYED)
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
		.ages = evidence->park_ages,
		.ended = evidence->ended_parks,
		.watched_ns = evidence->watched_ns,
		.resolution_ns = evidence->parks_resolution_ns,
		.least_stay_ns =
			stay_ns *
			(site_objects__end_by_timer(&evidence->objects) ? GROWTH_TIMER_STAY : 1),
	};
	const struct question lives = {
		.e = evidence,
		.ages = evidence->life_ages,
		.woken_ages = evidence->woken_life_ages,
		.ended = evidence->ended_lives,
		.watched_ns = evidence->lives_watched_ns,
		.resolution_ns = evidence->lives_resolution_ns,
		.least_stay_ns = stay_ns,
	};
	/* A sleep ends by itself: only the life of a sleeping goroutine can be too long. */
	bool parks_tell = evidence->wait_class != WAIT_SLEEP;

	return (parks_tell && ask(&parks, false, ret_growth)) || ask(&lives, true, ret_growth);
}

/* --- what is out of reach ------------------------------------------------------------------------ */

/* The window that a watch has to leave for so many to have stayed. */
static uint64_t window_for_ns(uint64_t stay_ns, uint64_t resolution_ns, double stayed)
{
	return max_of(shortest_window_ns(stay_ns, stayed), GROWTH_MIN_PERIODS * resolution_ns);
}

uint64_t reach__least_watch_ns(uint64_t min_age_ns, uint64_t resolution_ns)
{
	uint64_t stay_ns = least_stay_ns(min_age_ns);

	return stay_ns + window_for_ns(stay_ns, resolution_ns, GROWTH_MIN_STAYED);
}

double reach__slowest_per_second(uint64_t min_age_ns, uint64_t resolution_ns, uint64_t watched_ns)
{
	uint64_t stay_ns = least_stay_ns(min_age_ns);
	uint64_t window_ns = watched_ns - min_of(watched_ns, stay_ns);
	double window_s = (double)window_ns / (double)NSEC_PER_SEC;

	if (window_ns >= window_for_ns(stay_ns, resolution_ns, GROWTH_MIN_STAYED))
		return GROWTH_MIN_STAYED / window_s;
	if (window_ns >= window_for_ns(stay_ns, resolution_ns, GROWTH_FAST_STAYED))
		return GROWTH_FAST_STAYED / window_s;
	return INFINITY;
}
