// SPDX-License-Identifier: Apache-2.0
#include "probe/contrast.h"

#include <math.h>

/* Less is an anecdote. */
#define MIN_WITHOUT   4
#define MIN_WITH      3
#define MIN_CREATIONS 30
/* Loads whose creations differ by more are different work. */
#define MAX_LOAD_RATIO 2
/* Standard errors that make a difference certain. */
#define CERTAIN 3
/* Few samples may happen to be alike: at least that much scatter is assumed, of the mean. */
#define MIN_SCATTER 0.01

/* A quotient and its standard error. */
struct estimate {
	double value, error;
};

void contrast_side__clear(struct contrast_side *side)
{
	*side = (struct contrast_side){0};
}

void contrast_side__add(struct contrast_side *side, const struct contrast_sample *sample)
{
	side->samples[side->next] = *sample;
	side->next = (side->next + 1) % CONTRAST_SAMPLES;
	side->n = min_of(side->n + 1, (size_t)CONTRAST_SAMPLES);
}

struct contrast_sample contrast_side__sum(const struct contrast_side *side)
{
	struct contrast_sample sum = {0};

	for (size_t i = 0; i < side->n; i++) {
		const struct contrast_sample *sample = &side->samples[i];

		sum.seconds += sample->seconds;
		sum.cpu_ns += sample->cpu_ns;
		sum.hits_ns += sample->hits_ns;
		/* Unknown for one is unknown for all. */
		if (sample->creations < 0 || sum.creations < 0)
			sum.creations = -1;
		else
			sum.creations += sample->creations;
	}
	return sum;
}

/* CPU time per creation, or per second: the ratio of the sums, and the scatter of the samples around it. */
static struct estimate cpu_per(const struct contrast_side *side,
			       const struct contrast_sample *whole, bool creation)
{
	double total = creation ? whole->creations : whole->seconds;
	double n = (double)side->n, squares = 0, scatter;
	struct estimate estimate = {.value = whole->cpu_ns / total};

	for (size_t i = 0; i < side->n; i++) {
		const struct contrast_sample *sample = &side->samples[i];
		double part = creation ? sample->creations : sample->seconds;
		double off = sample->cpu_ns - estimate.value * part;

		squares += off * off;
	}
	scatter = sqrt(squares * n / (n - 1)) / total;
	estimate.error = max_of(scatter, estimate.value * MIN_SCATTER);
	return estimate;
}

static bool comparable(const struct contrast *contrast, const struct contrast_sample *without,
		       const struct contrast_sample *with)
{
	double before = without->creations / without->seconds;
	double now = with->creations / with->seconds;

	return contrast->without.n >= MIN_WITHOUT && contrast->with.n >= MIN_WITH &&
	       without->creations >= MIN_CREATIONS && with->creations >= MIN_CREATIONS &&
	       now <= before * MAX_LOAD_RATIO && before <= now * MAX_LOAD_RATIO;
}

/* What is more now, per second, by one of the two guesses. */
static void differ(const struct contrast *contrast, const struct contrast_sample *without,
		   const struct contrast_sample *with, bool creation,
		   struct contrast_excess *excess)
{
	struct estimate before = cpu_per(&contrast->without, without, creation);
	struct estimate now = cpu_per(&contrast->with, with, creation);
	double per_second = creation ? with->creations / with->seconds : 1;
	double error = CERTAIN * sqrt(before.error * before.error + now.error * now.error);
	double likely = now.value - before.value;

	excess->likely_ns = min_of(excess->likely_ns, likely * per_second);
	excess->least_ns = min_of(excess->least_ns, (likely - error) * per_second);
	excess->most_ns = min_of(excess->most_ns, (likely + error) * per_second);
}

bool contrast__compare(const struct contrast *contrast, struct contrast_excess *ret_excess)
{
	struct contrast_sample without = contrast_side__sum(&contrast->without);
	struct contrast_sample with = contrast_side__sum(&contrast->with);
	struct contrast_excess excess = {
		.likely_ns = INFINITY, .least_ns = INFINITY, .most_ns = INFINITY};

	if (!comparable(contrast, &without, &with))
		return false;
	differ(contrast, &without, &with, false, &excess);
	differ(contrast, &without, &with, true, &excess);
	excess.hits_ns = with.hits_ns / with.seconds;
	*ret_excess = excess;
	return true;
}
