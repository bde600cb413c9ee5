// SPDX-License-Identifier: Apache-2.0
/*
 * The growth test. Each candidate is a time to stay T and a window W: of the goroutines that
 * arrived between T + W and T ago, how many are still here, period by period? verdict.h says what
 * must hold.
 */
#include <math.h>

#include "track/growth_window.h"
#include "track/reach.h"
#include "track/ticks.h"
#include "track/verdict.h"
#include "track/verdict_limits.h"

/*
 * Whether goroutines arrived and stayed in enough of the periods and in the latest, not in a burst.
 */
static bool spread_out(const struct growth_question *q, struct growth *g)
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
static bool slows_down(const struct growth_question *q, const struct growth *g)
{
	uint64_t third = g->window_ns / 3;
	double last = age_histogram__between(q->ages, g->stay_ns, g->stay_ns + third);
	double first =
		age_histogram__between(q->ages, g->stay_ns + 2 * third, g->stay_ns + g->window_ns);

	return first > last &&
	       (first - last) * (first - last) > GROWTH_SIGMAS * GROWTH_SIGMAS * (first + last);
}

/* Whether arrivals go on. The window ends T ago, since what came later cannot have stayed yet. */
static bool goes_on(const struct growth_question *q, const struct growth *g)
{
	double expected = g->stayed * (double)g->stay_ns / (double)g->window_ns;
	uint64_t usual_gap = (uint64_t)((double)g->window_ns / g->stayed);
	uint64_t patience = max_of(GROWTH_MAX_GAPS * usual_gap, g->stay_ns / 4) + q->resolution_ns;

	if (age_histogram__youngest_ns(q->ages) > patience)
		return false;
	return expected < 4 || age_histogram__between(q->ages, 0, g->stay_ns) >= expected / 2;
}

static enum growth_obstacle test_window(const struct growth_question *q, struct growth *g)
{
	g->stayed = age_histogram__between(q->ages, g->stay_ns, g->stay_ns + g->window_ns);
	if (g->stayed < GROWTH_MIN_STAYED)
		return OBSTACLE_FEW;
	if ((double)g->left > g->stayed * GROWTH_MAX_LEFT_SHARE)
		return OBSTACLE_LEFT;
	g->periods = GROWTH_PERIODS;
	if (q->resolution_ns)
		g->periods = (unsigned int)min_of(g->window_ns / q->resolution_ns,
						  (uint64_t)GROWTH_PERIODS);
	if (g->periods < GROWTH_MIN_PERIODS)
		return OBSTACLE_SHORT;
	g->in_step = g->of_runs ? IN_STEP_NOT : growth_window__in_step(q, g);
	growth_window__find_least(q, g);
	if (g->window_ns < g->least_ns)
		return g->obstacle;
	if (!spread_out(q, g))
		return OBSTACLE_UNEVEN;
	if (slows_down(q, g))
		return OBSTACLE_SLOWS;
	return goes_on(q, g) ? OBSTACLE_NONE : OBSTACLE_STOPPED;
}

/* Windows go from all of the watch down to the least, each 1/sqrt(2) of the one before. */
static uint64_t shorter_ns(uint64_t window_ns)
{
	return window_ns * 29 / 41;
}

static bool test_stay(const struct growth_question *q, struct growth *g)
{
	uint64_t least = g->stay_ns * GROWTH_FAST_WINDOW_TENTHS / 10;

	g->left = length_histogram__at_least(q->ended, g->stay_ns);
	for (g->window_ns = q->watched_ns - g->stay_ns; g->window_ns >= least;
	     g->window_ns = shorter_ns(g->window_ns))
		if (test_window(q, g) == OBSTACLE_NONE)
			return true;
	return false;
}

/*
 * Whether half of those that stayed have woken up since their first park. A goroutine in its first
 * wait may be in a long one: the test of lives is for those that are known to go on and not to end.
 */
static bool have_woken(const struct growth_question *q, const struct growth *g)
{
	return !q->woken_ages ||
	       age_histogram__between(q->woken_ages, g->stay_ns, UINT64_MAX) * 2 >= g->all_stayed;
}

static bool ask(const struct growth_question *q, struct growth *ret_growth)
{
	struct growth growth = {
		.of_lives = q->of_lives,
		.of_runs = q->of_runs,
		.stay_ns = q->least_stay_ns,
	};

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

static struct growth_question question_of_parks(const struct evidence *e)
{
	bool timer = evidence__ends_by_timer(e);

	return (struct growth_question){
		.e = e,
		.ages = e->park_ages,
		.ended = e->ended_parks,
		.watched_ns = e->watched_ns,
		.resolution_ns = e->parks_resolution_ns,
		.least_stay_ns = least_stay_ns(e->min_age_ns) * (timer ? GROWTH_TIMER_STAY : 1),
	};
}

static struct growth_question question_of_lives(const struct evidence *e)
{
	return (struct growth_question){
		.e = e,
		.ages = e->life_ages,
		.woken_ages = e->woken_life_ages,
		.ended = e->ended_lives,
		.watched_ns = e->lives_watched_ns,
		.resolution_ns = e->lives_resolution_ns,
		.least_stay_ns = least_stay_ns(e->min_age_ns),
		.of_lives = true,
	};
}

static struct growth_question question_of_runs(const struct evidence *e)
{
	return (struct growth_question){
		.e = e,
		.ages = e->run_ages,
		.ended = e->ended_runs,
		.watched_ns = e->watched_ns,
		.resolution_ns = e->parks_resolution_ns,
		.least_stay_ns = least_stay_ns(e->min_age_ns),
		.of_runs = true,
	};
}

/* A sleep ends by itself: only the life of a sleeping goroutine can be too long. */
static bool parks_tell(const struct evidence *e)
{
	return e->wait_class != WAIT_SLEEP;
}

bool growth__test(const struct evidence *evidence, struct growth *ret_growth)
{
	const struct growth_question parks = question_of_parks(evidence);
	const struct growth_question lives = question_of_lives(evidence);

	const struct growth_question runs = question_of_runs(evidence);

	if (evidence__waits_tell(evidence) &&
	    ((parks_tell(evidence) && ask(&parks, ret_growth)) || ask(&lives, ret_growth)))
		return true;
	return ask(&runs, ret_growth);
}

/* --- what holds a verdict back -------------------------------------------------------------------- */

/* Until eight have stayed for T, if as many come as now. */
static uint64_t enough_after_ns(const struct growth_question *q, const struct growth *g)
{
	double per_second = q->e->trend.per_minute / 60, arrived = (double)q->e->goroutines;
	double after;

	if (q->ages)
		arrived = age_histogram__between(q->ages, 0, UINT64_MAX);
	if (per_second <= 0)
		return UINT64_MAX;
	after = (double)g->stay_ns +
		(GROWTH_MIN_STAYED - arrived) / per_second * (double)NSEC_PER_SEC;
	return after > 0 ? (uint64_t)min_of(after, 1e18) : 0;
}

/* The least T that next to nobody left after, whether the watch is long enough for it or not. */
static void find_stay(const struct growth_question *q, struct growth *g)
{
	for (int i = 0; i < GROWTH_MAX_DOUBLINGS; i++, g->stay_ns *= 2) {
		g->all_stayed =
			q->ages ? age_histogram__between(q->ages, g->stay_ns, UINT64_MAX) : 0;
		g->left = length_histogram__at_least(q->ended, g->stay_ns);
		if ((double)g->left <= g->all_stayed * GROWTH_MAX_LEFT_SHARE)
			return;
	}
}

/* What keeps windows that are long enough from being growth: of the one that comes nearest to it. */
static enum growth_obstacle obstacle_within(const struct growth_question *q, struct growth *g)
{
	enum growth_obstacle last = OBSTACLE_FEW;
	uint64_t least = g->least_ns;

	if (!q->ages)
		return last;
	for (; g->window_ns >= least; g->window_ns = shorter_ns(g->window_ns))
		last = max_of(last, test_window(q, g));
	return last;
}

/* Whether connections came with all that arrived so far, those that have not stayed yet included. */
static enum in_step will_be_in_step(const struct growth_question *q)
{
	struct growth all = {.window_ns = q->watched_ns};

	if (!q->ages)
		return IN_STEP_NOT;
	all.stayed = age_histogram__between(q->ages, 0, UINT64_MAX);
	return growth_window__in_step(q, &all);
}

static void look_ahead(const struct growth_question *q, struct growth_hold *ret_hold)
{
	struct growth g = {
		.of_lives = q->of_lives, .of_runs = q->of_runs, .stay_ns = q->least_stay_ns};
	uint64_t enough_ns, long_enough_ns;

	find_stay(q, &g);
	g.window_ns = q->watched_ns - min_of(q->watched_ns, g.stay_ns);
	g.stayed = g.all_stayed;
	g.in_step =
		g.stayed < GROWTH_MIN_STAYED ? will_be_in_step(q) : growth_window__in_step(q, &g);
	growth_window__find_least(q, &g);
	growth_window__ask(&g, GROWTH_MIN_PERIODS * q->resolution_ns, OBSTACLE_SHORT);
	enough_ns = g.stayed < GROWTH_MIN_STAYED ? enough_after_ns(q, &g) : 0;
	long_enough_ns = g.stay_ns + g.least_ns - min_of(g.stay_ns + g.least_ns, q->watched_ns);
	*ret_hold = (struct growth_hold){
		.of_lives = q->of_lives,
		.of_runs = q->of_runs,
		.stay_ns = g.stay_ns,
		.least_stay_ns = q->least_stay_ns,
		.stayed = q->ages     ? (uint64_t)(g.stayed + 0.5) :
			  q->of_lives ? q->e->lived_min_age :
					q->e->parked_min_age -
						min_of(q->e->parked_min_age, q->e->parked_before),
		.left = length_histogram__at_least(q->ended, q->least_stay_ns),
		.due_ns = max_of(enough_ns, long_enough_ns),
	};
	if (enough_ns == UINT64_MAX)
		ret_hold->due_ns = 0;
	if (ret_hold->due_ns && g.stay_ns > q->least_stay_ns)
		ret_hold->obstacle = OBSTACLE_LEFT;
	else if (enough_ns > long_enough_ns)
		ret_hold->obstacle = OBSTACLE_FEW;
	else if (ret_hold->due_ns)
		ret_hold->obstacle = q->least_stay_ns > least_stay_ns(q->e->min_age_ns) ?
					     OBSTACLE_TIMER :
					     g.obstacle;
	else
		ret_hold->obstacle = obstacle_within(q, &g);
}

/* Whether @a tells a time, and an earlier one than @b. */
static bool is_due_before(const struct growth_hold *a, const struct growth_hold *b)
{
	return a->due_ns && (!b->due_ns || a->due_ns < b->due_ns);
}

void growth__hold(const struct evidence *evidence, struct growth_hold *ret_hold)
{
	const struct growth_question parks = question_of_parks(evidence);
	const struct growth_question lives = question_of_lives(evidence);
	const struct growth after = {
		.stay_ns = lives.least_stay_ns,
		.all_stayed = evidence->life_ages ?
				      age_histogram__between(evidence->life_ages,
							     lives.least_stay_ns, UINT64_MAX) :
				      0,
	};
	const struct growth_question runs = question_of_runs(evidence);
	struct growth_hold of_lives, of_runs;

	look_ahead(&lives, &of_lives);
	*ret_hold = of_lives;
	if (parks_tell(evidence)) {
		look_ahead(&parks, ret_hold);
		if (evidence->life_ages && have_woken(&lives, &after) &&
		    is_due_before(&of_lives, ret_hold))
			*ret_hold = of_lives;
	}
	if (!evidence->run_ages)
		return;
	look_ahead(&runs, &of_runs);
	if (!evidence__waits_tell(evidence) || is_due_before(&of_runs, ret_hold))
		*ret_hold = of_runs;
}

/* --- what is out of reach ------------------------------------------------------------------------ */

/* The window that a watch has to leave for so many to have stayed. */
static uint64_t window_for_ns(uint64_t stay_ns, uint64_t resolution_ns, double stayed)
{
	return max_of(growth_window__shortest_ns(stay_ns, stayed),
		      GROWTH_MIN_PERIODS * resolution_ns);
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
