// SPDX-License-Identifier: Apache-2.0
#include "track/resource_judge.h"

#include <math.h>
#include <string.h>

const char *resource_verdict__name(enum resource_verdict verdict)
{
	switch (verdict) {
	case RESOURCE_NOT_JUDGED:
		break;
	case RESOURCE_STEADY:
		return "steady";
	case RESOURCE_GROWING:
		return "growing";
	case RESOURCE_REUSE_LOST:
		return "reuse lost";
	}
	return "";
}

enum resource_verdict resource_verdict__find(const char *name)
{
	for (enum resource_verdict v = RESOURCE_STEADY; v <= RESOURCE_REUSE_LOST; v++) {
		if (!strcmp(resource_verdict__name(v), name))
			return v;
	}
	return RESOURCE_NOT_JUDGED;
}

/* What requests open for themselves: not what is deferred by one call, nor what a service has few of. */
static bool goes_with_clients(enum resource_kind kind)
{
	switch (kind) {
	case RESOURCE_LISTENER:
	case RESOURCE_PROCESS:
	case RESOURCE_SQL_DB:
	case RESOURCE_SEMAPHORE:
	case RESOURCE_DEFER:
		return false;
	default:
		return true;
	}
}

uint64_t resource_series__clients(const struct resource_series *series,
				  const struct resource_place *place)
{
	uint64_t came;

	if (!series->n || !goes_with_clients(place->kind))
		return 0;
	came = series->clients[series->n - 1] - series->clients[0];
	return place->counts[series->n - 1] - place->counts[0] <= RESOURCE_PER_CLIENT * came ?
		       came :
		       0;
}

_Static_assert(RESOURCE_MAX_LOOKS == 64, "each look has a bit");

static bool is_blind(const struct resource_place *place, size_t look)
{
	return place->blind >> look & 1;
}

static bool rises(const struct resource_series *series, const struct resource_place *place)
{
	size_t last = series->n - 1;
	double rise = (double)place->counts[last] - (double)place->counts[0];
	double span = (double)(series->times[last] - series->times[0]);

	if (rise < fmax(RESOURCE_MIN_RISE, 2 * sqrt((double)place->counts[0])) || span <= 0)
		return false;
	/* What a blind look has not seen the next one has. */
	for (size_t i = 1, before = 0; i <= last; i++) {
		double step = (double)place->counts[i] - (double)place->counts[before];
		double part = (double)(series->times[i] - series->times[before]) / span;

		if (is_blind(place, i))
			continue;
		if (step <= 0 || step < RESOURCE_MIN_STEP * rise * part)
			return false;
		before = i;
	}
	return true;
}

static bool few_closed(uint64_t closed, uint64_t opened)
{
	return closed * RESOURCE_MAX_CLOSED_PART <= opened;
}

/* As long as from one look to the next. */
static bool is_measured(const struct resource_times *times)
{
	return times->watched_ns && times->watched_ns * (times->looks - 1) >= times->elapsed_ns;
}

/*
 * What is known of an opener is from when somebody watched: what it has opened then and not closed, in that time. Of a
 * short time that says little: of what came to the place as much is taken for its as it has of what was seen.
 */
static void judge_openers(struct resource_place *place, const struct resource_times *times)
{
	double watched = (double)times->watched_ns / 60e9, seen = 0;

	for (size_t i = 0; i < place->n_openers; i++)
		seen += (double)(place->openers[i].opened - place->openers[i].closed);
	for (size_t i = 0; i < place->n_openers; i++) {
		struct resource_opener *opener = &place->openers[i];
		double stayed = (double)(opener->opened - opener->closed);

		if (is_measured(times))
			opener->per_minute = stayed / watched;
		else
			opener->per_minute = seen > 0 ? place->per_minute * stayed / seen : 0;
		opener->verdict = place->verdict;
		if (place->verdict == RESOURCE_GROWING &&
		    (stayed <= 0 || !few_closed(opener->closed, opener->opened)))
			opener->verdict = RESOURCE_STEADY;
	}
}

/* Where each thing that is done arms a timer, there are more and more of them until the first fire. */
static bool is_too_soon(const struct resource_place *place, const struct resource_times *times)
{
	return place->kind == RESOURCE_TIMER && place->left_ns < RESOURCE_SHORT_TIMER_NS &&
	       times->elapsed_ns < resource_timers__told_after(place->left_ns);
}

void resource_place__judge(struct resource_place *place, const struct resource_series *series,
			   const struct resource_times *times)
{
	double minutes = (double)times->elapsed_ns / 60e9;
	bool grows;

	/* Nothing is known of it: what it was it is. */
	if (series->n > 1 && is_blind(place, series->n - 1))
		return;
	grows = rises(series, place) && few_closed(place->closed, place->opened);

	place->too_soon = grows && is_too_soon(place, times);
	place->clients = grows ? resource_series__clients(series, place) : 0;
	place->per_minute =
		minutes > 0 ? ((double)place->outstanding - (double)place->first) / minutes : 0;
	if (series->n < RESOURCE_MIN_LOOKS)
		place->verdict = RESOURCE_NOT_JUDGED;
	else
		place->verdict = grows && !place->clients && !place->too_soon ? RESOURCE_GROWING :
										RESOURCE_STEADY;
	judge_openers(place, times);
}
