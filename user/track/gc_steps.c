// SPDX-License-Identifier: Apache-2.0
#include "track/gc_steps.h"

#include <string.h>

#include "base/bisect.h"
#include "track/ticks.h"
#include "track/verdict_limits.h"

/* How long a census of a large process may take: a second, or this part of the process' life. */
#define RECENT_PART 32
/* Steps that are a smaller part of all are one with the next. */
#define LEAST_PART 32

void gc_steps__begin(struct gc_steps *steps, uint64_t now_ticks, uint64_t life_ticks)
{
	uint64_t recent = max_of((uint64_t)ticks__of(NSEC_PER_SEC), life_ticks / RECENT_PART);

	*steps = (struct gc_steps){.now_ticks = now_ticks,
				   .recent_ticks = now_ticks - min_of(now_ticks, recent)};
}

/* The first that is not before @ticks. */
static size_t place_of(const struct gc_steps *steps, uint64_t ticks)
{
	return bisect(steps->n, i, steps->ticks[i] < ticks);
}

void gc_steps__note(struct gc_steps *steps, uint64_t since_ticks)
{
	size_t at;

	if (since_ticks >= steps->recent_ticks)
		return;
	at = place_of(steps, since_ticks);
	if (at < steps->n && steps->ticks[at] == since_ticks)
		return;
	if (steps->n == GC_STEPS_MAX) {
		steps->too_many = true;
		return;
	}
	memmove(&steps->ticks[at + 1], &steps->ticks[at],
		(steps->n - at) * sizeof(steps->ticks[0]));
	steps->ticks[at] = since_ticks;
	steps->n++;
}

size_t gc_steps__of(const struct gc_steps *steps, uint64_t since_ticks)
{
	size_t after = place_of(steps, since_ticks + 1);

	return after ? after - 1 : 0;
}

/* A step, or several short ones in a row. */
struct step {
	uint64_t length_ns, arrived;
};

/* The steps behind the first. Returns how many; what is short at the end is part of the last. */
static size_t merge_short(const struct gc_steps *steps, const uint32_t *counts, uint64_t span_ns,
			  struct step merged[GC_STEPS_MAX])
{
	struct step step = {0};
	size_t n = 0;

	for (size_t i = 1; i < steps->n; i++) {
		uint64_t end = i + 1 == steps->n ? steps->now_ticks : steps->ticks[i + 1];

		step.length_ns += ticks__age_ns(steps->ticks[i], end);
		step.arrived += counts[i];
		if (step.length_ns < span_ns / LEAST_PART)
			continue;
		merged[n++] = step;
		step = (struct step){0};
	}
	if (n) {
		merged[n - 1].length_ns += step.length_ns;
		merged[n - 1].arrived += step.arrived;
	}
	return n;
}

bool gc_steps__rise(const struct gc_steps *steps, const uint32_t *counts,
		    struct gc_steps_rise *ret_rise)
{
	struct step merged[GC_STEPS_MAX];
	struct gc_steps_rise rise = {0};
	bool goes_on = false;

	if (steps->too_many || steps->n < 2)
		return false;
	rise.span_ns = ticks__age_ns(steps->ticks[1], steps->now_ticks);
	rise.periods = (unsigned int)merge_short(steps, counts, rise.span_ns, merged);
	for (size_t i = 1; i < steps->n; i++)
		rise.arrived += counts[i];
	for (size_t i = 0; i < rise.periods; i++) {
		double even =
			(double)rise.arrived * (double)merged[i].length_ns / (double)rise.span_ns;

		if ((double)merged[i].arrived > even * SUSPECT_STEP_MAX_SHARE)
			return false;
		goes_on = (double)merged[i].arrived >= even * SUSPECT_STEP_MIN_SHARE;
		rise.periods_with += goes_on;
	}
	*ret_rise = rise;
	return goes_on && rise.periods >= GROWTH_MIN_PERIODS &&
	       rise.periods_with + 1 >= rise.periods;
}
