// SPDX-License-Identifier: Apache-2.0
#include "track/verdict_words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/duration.h"
#include "base/number.h"
#include "track/verdict_limits.h"

const char *verdict_words__duration(char out[DURATION_SIZE], uint64_t ns)
{
	duration__format_whole(ns, out);
	return out;
}

void verdict_words__add(struct judgement *judgement, const char *format, ...)
{
	va_list args;

	if (judgement->n_why == SITE_MAX_WHY)
		return;
	va_start(args, format);
	vsnprintf(judgement->why[judgement->n_why++], sizeof(judgement->why[0]), format, args);
	va_end(args);
}

static void explain_parks(const struct evidence *e, const struct growth *growth, const char *stay,
			  struct judgement *judgement)
{
	if (growth->left)
		verdict_words__add(judgement,
				   "%" PRIu64
				   " goroutines parked here; of the waits of %s or longer %" PRIu64
				   " have ended and %" PRIu64 " go on",
				   e->parked, stay, growth->left, judgement->stayed);
	else
		verdict_words__add(judgement,
				   "%" PRIu64 " goroutines parked here; none of the %" PRIu64
				   " that stayed %s or longer ever left",
				   e->parked, judgement->stayed, stay);
}

static void explain_lives(const struct evidence *e, const struct growth *growth, const char *stay,
			  struct judgement *judgement)
{
	if (growth->left)
		verdict_words__add(judgement,
				   "%" PRIu64
				   " goroutines that wake up now and then; of those that lived %s "
				   "or longer %" PRIu64 " ended and %" PRIu64 " did not",
				   e->goroutines, stay, growth->left, judgement->stayed);
	else
		verdict_words__add(judgement,
				   "%" PRIu64
				   " goroutines that wake up now and then; none of the %" PRIu64
				   " that lived %s or longer ever ended",
				   e->goroutines, judgement->stayed, stay);
}

/* What does not park: a thread each, or a share of the processors. */
static void explain_runs(const struct evidence *e, const struct growth *growth, const char *stay,
			 struct judgement *judgement)
{
	const char *what = e->in_syscall ? "in a system call or in C, each with a thread" :
					   "running, or ready to run, without a break";

	if (growth->left)
		verdict_words__add(judgement,
				   "%" PRIu64 " %s; %" PRIu64
				   " times of %s or longer ended and %" PRIu64 " go on",
				   e->running, what, growth->left, stay, judgement->stayed);
	else
		verdict_words__add(judgement,
				   "%" PRIu64 " %s; of the %" PRIu64
				   " for %s or longer none ever stopped",
				   e->running, what, judgement->stayed, stay);
}

void verdict_words__leak(const struct evidence *e, const struct growth *growth,
			 struct judgement *judgement)
{
	char stay[DURATION_SIZE], window[DURATION_SIZE], rate[NUMBER_RATE_SIZE];

	verdict_words__duration(stay, growth->stay_ns);
	verdict_words__duration(window, growth->window_ns);
	if (growth->of_runs)
		explain_runs(e, growth, stay, judgement);
	else if (growth->of_lives)
		explain_lives(e, growth, stay, judgement);
	else
		explain_parks(e, growth, stay, judgement);
	number__rate(growth->stayed * 60.0 * NSEC_PER_SEC / (double)growth->window_ns, rate);
	verdict_words__add(judgement,
			   "%.0f more stayed within %s, in %u of %u periods: %s a minute",
			   growth->stayed, window, growth->periods_with, growth->periods, rate);
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

/* Whether it was others who opened most of what is silent, and they have gone. */
static bool have_hung_up(const struct evidence *e)
{
	return e->sockets && e->sockets->hung_up > e->sockets->dialled;
}

void verdict_words__own(const struct evidence *e, const struct growth *growth,
			struct judgement *judgement)
{
	char peer[PEER_WORDS];

	if (growth->in_step != IN_STEP_OWN)
		return;
	if (have_hung_up(e))
		verdict_words__add(judgement,
				   "with them came connections that others opened: of %" PRIu64
				   " the other end has hung up",
				   e->sockets->hung_up);
	else
		verdict_words__add(
			judgement,
			"with them came connections or files that the process opened, silent "
			"since%s",
			peer_words(e, peer));
}

/* What holds it back, where no number belongs to it. */
static const char *hold_text(const struct evidence *e, enum growth_obstacle obstacle)
{
	switch (obstacle) {
	case OBSTACLE_NONE:
	case OBSTACLE_SHORT:
	case OBSTACLE_FEW:
	case OBSTACLE_LEFT:
		break;
	case OBSTACLE_WATCHED:
		return "a rise has to last longer where the watch is this long";
	case OBSTACLE_CONNECTIONS:
		return e->nature == NATURE_CONNECTION ?
			       "rises with connections: there is one per connection" :
			       "rises with connections or open files";
	case OBSTACLE_ACCEPTED:
		return "rises with connections that others opened and are still there for";
	case OBSTACLE_OWN:
		return have_hung_up(e) ? "rises with connections whose other ends have hung up" :
					 "rises with connections or files that the process opened";
	case OBSTACLE_WAKE:
		return "they wake up now and then, as sessions or tenants do";
	case OBSTACLE_QUEUE:
		return "all wait at one queue, as workers do";
	case OBSTACLE_OWN_QUEUES:
		return "each waits at a queue of its own that a variable still has, as workers do";
	case OBSTACLE_SIGNAL:
		return "all wait for one signal that somebody still has, as for the end of the "
		       "service";
	case OBSTACLE_TIMER:
		return site_objects__end_by_timer(&e->objects) ?
			       "a timer will wake most of them up" :
			       "what they wait for hangs on the runtime, as on a timer that will "
			       "wake them up";
	case OBSTACLE_RUN:
		return e->in_syscall ?
			       "in a system call or in C, as what waits for a child process is" :
			       "they run without a break, as what computes does";
	case OBSTACLE_UNEVEN:
		return "they did not come evenly, as they would in a leak";
	case OBSTACLE_SLOWS:
		return "fewer come than before, as where something fills up";
	case OBSTACLE_STOPPED:
		return "none has come for longer than usual";
	}
	return "has not risen for long enough yet";
}

void verdict_words__hold(const struct evidence *e, const struct growth_hold *hold,
			 struct judgement *judgement)
{
	char stay[DURATION_SIZE], least[DURATION_SIZE], peer[PEER_WORDS] = "";

	verdict_words__duration(stay, hold->stay_ns);
	verdict_words__duration(least, hold->least_stay_ns);
	if (hold->obstacle == OBSTACLE_FEW) {
		verdict_words__add(judgement,
				   "%" PRIu64 " have stayed %s or longer so far, %.0f have to",
				   hold->stayed, stay, GROWTH_MIN_STAYED);
	} else if (hold->obstacle == OBSTACLE_LEFT) {
		verdict_words__add(judgement,
				   "%" PRIu64 " %s of %s or longer ended, so staying takes %s here",
				   hold->left, hold->of_lives ? "lives" : "waits", least, stay);
	} else {
		if (hold->obstacle == OBSTACLE_OWN && !have_hung_up(e))
			peer_words(e, peer);
		verdict_words__add(judgement, "%s%s", hold_text(e, hold->obstacle), peer);
	}
}
