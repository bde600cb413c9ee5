// SPDX-License-Identifier: Apache-2.0
/*
 * How long a window has to be for a rise in it to prove something: longer where goroutines come along with
 * connections, share a queue, wake up now and then, or run.
 */
#include "track/growth_window.h"

#include <math.h>

#include "track/ticks.h"
#include "track/verdict_limits.h"

/* How many more files, sockets among them, the process had open after the window than before. */
static double files_rise(const struct evidence *e, const struct growth *g)
{
	uint64_t to = g->stay_ns >> TICK_SHIFT, from = (g->stay_ns + g->window_ns) >> TICK_SHIFT;

	/* A leaked response body or sql.Rows keeps a file open itself: files do not excuse it. */
	if (!e->files || !e->files->count || e->nature == NATURE_ABANDONED)
		return 0;
	return history__rise(e->files, e->now - min_of(from, e->now), e->now - min_of(to, e->now));
}

/* Connections that others opened and that are there now; more than there can be when nobody knows. */
static double accepted_now(const struct evidence *e)
{
	const struct history_sample *latest = e->accepted ? history__latest(e->accepted) : NULL;

	if (!latest || ticks__age_ns(latest->ticks, e->now) > TRACKER_SOCKETS_MAX_AGE_NS)
		return INFINITY;
	return latest->goroutines;
}

/* How many more of them there are than when the window of @g began. */
static double accepted_rise(const struct evidence *e, const struct growth *g)
{
	uint64_t span = min_of((g->stay_ns + g->window_ns) >> TICK_SHIFT, e->now),
		 from = e->now - span;

	/* A history that becomes coarser loses a little of its begin. */
	if (!e->accepted || !history__covers(e->accepted, from + span / 8))
		return 0;
	return min_of(accepted_now(e), history__rise(e->accepted, from, e->now));
}

/*
 * How many connections came in the window and have stayed since. As old as the goroutines are those
 * that they may belong to: of connections that come, go and are replaced none is left in the oldest
 * part of the window, where half of the goroutines would have to have one.
 */
static double connections_rise(const struct growth_question *q, const struct growth *g)
{
	uint64_t end = g->stay_ns + g->window_ns, old = end - g->window_ns / 3;
	const struct age_histogram *connections = q->e->connections;
	double rise = accepted_rise(q->e, g);

	if (connections && age_histogram__between(connections, old, end) * 2 >=
				   age_histogram__between(q->ages, old, end))
		rise = max_of(rise, age_histogram__between(connections, g->stay_ns, end));
	return rise;
}

/*
 * Whether the process opened itself what came with the goroutines, and it has been silent since: so
 * look clients that were forgotten. What others open comes with their demand.
 */
static bool opened_and_silent(const struct evidence *e, const struct growth *g)
{
	/* Any of those that are there may have come in the window, in the place of another. */
	double accepted = accepted_now(e), awake = 0;

	/* What is younger than min_age cannot have been silent for as long. */
	if (e->awake_connections)
		awake = age_histogram__between(e->awake_connections,
					       max_of(g->stay_ns, e->min_age_ns),
					       g->stay_ns + g->window_ns);
	if (e->nature == NATURE_CONNECTION && files_rise(e, g) - accepted < g->stayed / 2)
		return false; /* many may share one connection, which others opened */
	return accepted < g->stayed / 2 && awake < g->stayed / 2;
}

bool growth__was_asked_for(const struct evidence *e)
{
	return accepted_now(e) >= (double)e->goroutines / 2;
}

enum in_step growth_window__in_step(const struct growth_question *q, const struct growth *g)
{
	const struct evidence *e = q->e;
	double rise = max_of(files_rise(e, g), connections_rise(q, g));

	if (e->nature != NATURE_CONNECTION &&
	    (!wait_class__facts(e->wait_class)->may_serve_connection || rise <= 0 ||
	     rise < g->stayed / 2))
		return IN_STEP_NOT;
	if (opened_and_silent(e, g))
		return IN_STEP_OWN;
	return accepted_rise(e, g) >= g->stayed / 2 ? IN_STEP_ACCEPTED : IN_STEP;
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
	/*
	 * Jobs come through a buffer or by themselves, or workers are seen to wake up and take some now and
	 * then. What carries no values is closed one day, to end those that wait.
	 */
	return (objects->queue || g->of_lives ||
		(objects->values && e->wait_class == WAIT_CHAN_RECEIVE)) &&
	       objects->distinct <= 3 &&
	       (e->wait_class == WAIT_CHAN_RECEIVE || e->wait_class == WAIT_SELECT);
}

/*
 * Whether each member receives values from a channel of its own that a variable of the program still has:
 * workers with a queue each, which the program may send to; or subscribers that it has forgotten in a list.
 */
static bool has_own_queues(const struct evidence *e)
{
	return e->wait_class == WAIT_CHAN_RECEIVE && e->objects.values &&
	       evidence__held_by(e) == HOLDER_VARIABLE && e->objects.looked_at >= 2 &&
	       e->objects.distinct >= e->objects.looked_at;
}

/* Whether all members wait for one signal that somebody still has, and may give: the end, of most. */
static bool is_one_signal(const struct evidence *e)
{
	return e->wait_class == WAIT_CHAN_RECEIVE && !e->objects.values &&
	       evidence__held_by(e) != HOLDER_NOT_KNOWN && e->objects.looked_at >= 2 &&
	       e->objects.distinct == 1;
}

uint64_t growth_window__shortest_ns(uint64_t stay_ns, double stayed)
{
	uint64_t tenths =
		stayed >= GROWTH_FAST_STAYED ? GROWTH_FAST_WINDOW_TENTHS : GROWTH_WINDOW_TENTHS;

	return stay_ns * tenths / 10;
}

void growth_window__ask(struct growth *g, uint64_t ns, enum growth_obstacle obstacle)
{
	if (ns <= g->least_ns)
		return;
	g->least_ns = ns;
	g->obstacle = obstacle;
}

static void ask_for_step(const struct growth_question *q, struct growth *g)
{
	uint64_t min_age = q->e->min_age_ns;

	switch (g->in_step) {
	case IN_STEP_NOT:
		break;
	case IN_STEP_OWN:
		growth_window__ask(g, min_age * GROWTH_OWN_WINDOW, OBSTACLE_OWN);
		break;
	case IN_STEP:
		growth_window__ask(g, min_age * GROWTH_CONNECTION_WINDOW, OBSTACLE_CONNECTIONS);
		break;
	case IN_STEP_ACCEPTED:
		growth_window__ask(g, min_age * GROWTH_ACCEPTED_WINDOW, OBSTACLE_ACCEPTED);
		break;
	}
}

/*
 * What computes may be started one by one, and so may what waits for child processes. Where parks are
 * not traced, what is seen to run at each look may have waited in between.
 */
static uint64_t run_window_ns(const struct growth_question *q)
{
	bool sure = !q->e->in_syscall && !q->resolution_ns;

	return q->e->min_age_ns * (sure ? GROWTH_RUN_WINDOW : GROWTH_LIVES_WINDOW);
}

/*
 * Whether something else than a timer wakes them: somebody still sends to those, as to actors and
 * subscribers. Where nobody has looked what they wait on, that is not known.
 */
static bool others_wake(const struct evidence *e)
{
	return e->wait_class != WAIT_SLEEP && e->nature != NATURE_ABANDONED &&
	       e->objects.looked_at && !site_objects__end_by_timer(&e->objects);
}

/* What a program starts so many of is a pool no more, unless one queue is for all of them. */
static void ask_for_pool(const struct growth_question *q, struct growth *g)
{
	uint64_t least = q->e->min_age_ns * GROWTH_QUEUE_WINDOW;

	if (is_queue(q->e, g)) {
		growth_window__ask(g, least, OBSTACLE_QUEUE);
		return;
	}
	if (q->e->nature != NATURE_UNKNOWN)
		return;
	if (g->stayed < GROWTH_POOL_MAX && has_own_queues(q->e))
		growth_window__ask(g, least, OBSTACLE_OWN_QUEUES);
	else if (g->stayed < GROWTH_SIGNAL_MAX && is_one_signal(q->e))
		growth_window__ask(g, least, OBSTACLE_SIGNAL);
}

void growth_window__find_least(const struct growth_question *q, struct growth *g)
{
	uint64_t min_age = q->e->min_age_ns;

	g->least_ns = 0;
	growth_window__ask(g, growth_window__shortest_ns(g->stay_ns, g->stayed), OBSTACLE_SHORT);
	growth_window__ask(g, min_of(q->watched_ns / GROWTH_WATCHED_PART, GROWTH_WATCHED_MAX_NS),
			   OBSTACLE_WATCHED);
	if (g->of_runs) {
		growth_window__ask(g, run_window_ns(q), OBSTACLE_RUN);
		return;
	}
	ask_for_step(q, g);
	if (g->of_lives &&
	    (others_wake(q->e) ||
	     g->stayed < GROWTH_LIVES_FAST_RATE * (double)g->window_ns / NSEC_PER_SEC))
		growth_window__ask(g,
				   min_age * (q->e->nature == NATURE_ABANDONED ?
						      GROWTH_UNFINISHED_WINDOW :
						      GROWTH_LIVES_WINDOW),
				   OBSTACLE_WAKE);
	ask_for_pool(q, g);
}
