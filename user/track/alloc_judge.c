// SPDX-License-Identifier: Apache-2.0
#include "track/alloc_judge.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/duration.h"
#include "base/number.h"

/* Looks of the history to a period, at most. */
#define MAX_STEP ((ALLOC_LOOKS - 1) / ALLOC_PERIODS)

/* Six periods and what was freed in them. */
struct window {
	uint64_t stayed[ALLOC_PERIODS + 1]; /* at the beginning of the first and the end of each */
	double bytes[ALLOC_PERIODS + 1];
	uint64_t freed;
	uint64_t ns;
	bool held_against_heap;
	double heap[2], whole[2]; /* at its beginning and end */
};

void alloc_evidence__add(struct alloc_evidence *evidence, const struct alloc_past *past,
			 double bytes)
{
	for (unsigned int i = 0; i < evidence->times.n; i++) {
		evidence->stayed[i] += past->stayed[i];
		evidence->freed[i] += past->freed[i];
		evidence->bytes[i] += past->stayed[i] * bytes;
	}
}

void alloc_evidence__of_heap(struct alloc_evidence *evidence, const double heap_bytes[ALLOC_LOOKS],
			     const struct alloc_evidence *whole)
{
	evidence->held_against_heap = true;
	for (unsigned int i = 0; i < evidence->times.n; i++) {
		evidence->heap[i] = heap_bytes[i];
		evidence->whole[i] = whole->bytes[i];
	}
}

const char *alloc_verdict__name(enum alloc_verdict verdict)
{
	switch (verdict) {
	case ALLOC_STEADY:
		return "steady";
	case ALLOC_GROWING:
		return "growing";
	case ALLOC_NOT_JUDGED:
		break;
	}
	return "";
}

/* The last of them, of @step looks to a period. False: it is not known for so long, or it is too short. */
static bool window_of(const struct alloc_evidence *e, unsigned int step, struct window *window)
{
	unsigned int first, last = e->times.n - 1;

	if (e->times.n <= step * ALLOC_PERIODS)
		return false;
	first = last - step * ALLOC_PERIODS;
	*window = (struct window){
		.ns = e->times.ns[last] - e->times.ns[first],
		.held_against_heap = e->held_against_heap,
		.heap = {e->heap[first], e->heap[last]},
		.whole = {e->whole[first], e->whole[last]},
	};
	for (unsigned int i = 0; i <= ALLOC_PERIODS; i++) {
		window->stayed[i] = e->stayed[first + i * step];
		window->bytes[i] = e->bytes[first + i * step];
	}
	/* What was freed before the first of these looks was not counted in any. */
	for (unsigned int i = first + 1; i <= last; i++)
		window->freed += e->freed[i];
	return window->ns >= e->min_window_ns - e->min_window_ns / ALLOC_SLACK_PART;
}

/* In every period, neither in one go nor slower and slower. */
static bool rises_all_the_time(const struct window *w, uint64_t rise)
{
	uint64_t middle = w->stayed[ALLOC_PERIODS / 2];

	for (unsigned int i = 0; i < ALLOC_PERIODS; i++) {
		if (w->stayed[i + 1] <= w->stayed[i] ||
		    (w->stayed[i + 1] - w->stayed[i]) * ALLOC_PERIOD_MAX_PART > rise)
			return false;
	}
	return (w->stayed[ALLOC_PERIODS] - middle) * ALLOC_SLOWING_PART >= middle - w->stayed[0];
}

static bool is_growing(const struct window *w)
{
	uint64_t rise;

	if (w->stayed[ALLOC_PERIODS] <= w->stayed[0])
		return false;
	rise = w->stayed[ALLOC_PERIODS] - w->stayed[0];
	return rise >= ALLOC_MIN_RISE && w->freed * ALLOC_MAX_FREED_PART <= rise &&
	       rises_all_the_time(w, rise);
}

/* Whether the heap has become larger by what is said to stay, or by a good part of it. */
static bool heap_agrees(const struct window *w)
{
	double rise = w->heap[1] - w->heap[0];

	if (!w->held_against_heap)
		return true;
	return w->heap[0] > 0 && w->heap[1] > 0 && rise > 0 &&
	       rise * ALLOC_HEAP_PART >= w->whole[1] - w->whole[0] &&
	       rise * ALLOC_HEAP_PART >= w->bytes[ALLOC_PERIODS] - w->bytes[0];
}

static void explain_heap(const struct window *w, struct alloc_judgement *judgement)
{
	char before[NUMBER_BYTES_SIZE], after[NUMBER_BYTES_SIZE];

	number__bytes((uint64_t)w->heap[0], before);
	number__bytes((uint64_t)w->heap[1], after);
	snprintf(judgement->why[judgement->n_why], sizeof(judgement->why[0]),
		 "what collections left of the whole heap rose from %s to %s", before, after);
	judgement->n_why++;
}

static void explain(const struct window *w, struct alloc_judgement *judgement)
{
	char before[NUMBER_BYTES_SIZE], after[NUMBER_BYTES_SIZE], window[DURATION_SIZE];

	number__bytes((uint64_t)w->bytes[0], before);
	number__bytes((uint64_t)w->bytes[ALLOC_PERIODS], after);
	duration__format(w->ns, window);
	snprintf(judgement->why[0], sizeof(judgement->why[0]),
		 "what survives collections rose from %s to %s in %s, in each of %d periods",
		 before, after, window, ALLOC_PERIODS);
	if (w->freed)
		snprintf(judgement->why[1], sizeof(judgement->why[1]),
			 "%" PRIu64 " sampled objects that had stayed were freed, %" PRIu64 " came",
			 w->freed, w->stayed[ALLOC_PERIODS] + w->freed - w->stayed[0]);
	else
		snprintf(judgement->why[1], sizeof(judgement->why[1]),
			 "none of the %" PRIu64 " sampled objects that stayed was freed",
			 w->stayed[ALLOC_PERIODS]);
	judgement->n_why = 2;
	if (w->held_against_heap)
		explain_heap(w, judgement);
}

static double pace(const struct window *w)
{
	double minutes = (double)w->ns / NSEC_PER_SEC / 60;

	return minutes > 0 ? (w->bytes[ALLOC_PERIODS] - w->bytes[0]) / minutes : 0;
}

/* --- when it would be growing --------------------------------------------------------------------- */

/* Since it has risen at each look, up to the last one. */
static struct window rise_of(const struct alloc_evidence *e, unsigned int *ret_periods)
{
	unsigned int last = e->times.n - 1, first = last;
	struct window window = {.held_against_heap = e->held_against_heap};

	while (first && e->stayed[first - 1] < e->stayed[first])
		window.freed += e->freed[first--];
	window.ns = e->times.ns[last] - e->times.ns[first];
	window.stayed[ALLOC_PERIODS] = e->stayed[last];
	window.bytes[ALLOC_PERIODS] = e->bytes[last];
	window.stayed[0] = e->stayed[first];
	window.bytes[0] = e->bytes[first];
	window.heap[0] = e->heap[first];
	window.heap[1] = e->heap[last];
	window.whole[0] = e->whole[first];
	window.whole[1] = e->whole[last];
	*ret_periods = last - first;
	return window;
}

/* Periods of the first window that is long enough and has enough of the rise, at the pace so far; 0: none. */
static unsigned int periods_needed(const struct alloc_evidence *e, uint64_t pace_ns, uint64_t rise,
				   unsigned int periods)
{
	uint64_t min_ns = e->min_window_ns - e->min_window_ns / ALLOC_SLACK_PART;

	for (unsigned int step = 1; step <= MAX_STEP; step++) {
		unsigned int n = step * ALLOC_PERIODS;

		if (pace_ns * n >= min_ns && rise * n >= (uint64_t)ALLOC_MIN_RISE * periods)
			return n;
	}
	return 0;
}

static uint64_t due_of(const struct alloc_evidence *e)
{
	unsigned int periods, needed;
	uint64_t rise, pace_ns;
	struct window w;

	if (!e->times.n)
		return 0;
	w = rise_of(e, &periods);
	rise = w.stayed[ALLOC_PERIODS] - w.stayed[0];
	if (periods < ALLOC_RISE_PERIODS || w.freed * ALLOC_MAX_FREED_PART > rise ||
	    rise < ALLOC_MIN_RISE / 2 || !heap_agrees(&w))
		return 0;
	pace_ns = w.ns / periods;
	needed = periods_needed(e, pace_ns, rise, periods);
	if (needed <= periods)
		return 0;
	return e->times.ns[e->times.n - 1] + (needed - periods) * pace_ns;
}

struct alloc_judgement alloc_judge__of(const struct alloc_evidence *evidence)
{
	struct alloc_judgement judgement = {.verdict = ALLOC_NOT_JUDGED};
	struct window window;

	/* The longest of them that grow tells most. */
	for (unsigned int step = 1; step <= MAX_STEP; step++) {
		if (!window_of(evidence, step, &window))
			continue;
		if (is_growing(&window)) {
			if (!heap_agrees(&window))
				continue;
			judgement.verdict = ALLOC_GROWING;
			judgement.bytes_per_minute = pace(&window);
			explain(&window, &judgement);
		} else if (judgement.verdict == ALLOC_NOT_JUDGED) {
			judgement.verdict = ALLOC_STEADY;
			judgement.bytes_per_minute = pace(&window);
		}
	}
	if (judgement.verdict != ALLOC_GROWING)
		judgement.due_ns = due_of(evidence);
	return judgement;
}
