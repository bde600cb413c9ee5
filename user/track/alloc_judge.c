// SPDX-License-Identifier: Apache-2.0
#include "track/alloc_judge.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/duration.h"
#include "base/number.h"

void alloc_evidence__add(struct alloc_evidence *evidence, const struct alloc_past *past,
			 double bytes)
{
	evidence->n = past->n;
	for (unsigned int i = 0; i < past->n; i++) {
		evidence->stayed[i] += past->stayed[i];
		evidence->bytes[i] += past->stayed[i] * bytes;
		/* What was freed before the first of these looks was not counted in any. */
		evidence->freed += i ? past->freed[i] : 0;
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

/* In every period, neither in one go nor slower and slower. */
static bool rises_all_the_time(const struct alloc_evidence *e, uint64_t rise)
{
	uint64_t middle = e->stayed[ALLOC_PERIODS / 2];

	for (unsigned int i = 0; i < ALLOC_PERIODS; i++) {
		if (e->stayed[i + 1] <= e->stayed[i] ||
		    (e->stayed[i + 1] - e->stayed[i]) * ALLOC_PERIOD_MAX_PART > rise)
			return false;
	}
	return (e->stayed[ALLOC_PERIODS] - middle) * ALLOC_SLOWING_PART >= middle - e->stayed[0];
}

static bool is_growing(const struct alloc_evidence *e)
{
	uint64_t rise;

	if (e->stayed[ALLOC_PERIODS] <= e->stayed[0])
		return false;
	rise = e->stayed[ALLOC_PERIODS] - e->stayed[0];
	return rise >= ALLOC_MIN_RISE && e->freed * ALLOC_MAX_FREED_PART <= rise &&
	       rises_all_the_time(e, rise);
}

static void explain(const struct alloc_evidence *e, struct alloc_judgement *judgement)
{
	char before[NUMBER_BYTES_SIZE], after[NUMBER_BYTES_SIZE], window[DURATION_SIZE];

	number__bytes((uint64_t)e->bytes[0], before);
	number__bytes((uint64_t)e->bytes[ALLOC_PERIODS], after);
	duration__format(e->window_ns, window);
	snprintf(judgement->why[0], sizeof(judgement->why[0]),
		 "what survives collections rose from %s to %s in %s, in each of %d periods",
		 before, after, window, ALLOC_PERIODS);
	if (e->freed)
		snprintf(judgement->why[1], sizeof(judgement->why[1]),
			 "%" PRIu64 " sampled objects that had stayed were freed, %" PRIu64 " came",
			 e->freed, e->stayed[ALLOC_PERIODS] + e->freed - e->stayed[0]);
	else
		snprintf(judgement->why[1], sizeof(judgement->why[1]),
			 "none of the %" PRIu64 " sampled objects that stayed was freed",
			 e->stayed[ALLOC_PERIODS]);
	judgement->n_why = 2;
}

struct alloc_judgement alloc_judge__of(const struct alloc_evidence *evidence)
{
	struct alloc_judgement judgement = {.verdict = ALLOC_NOT_JUDGED};

	if (evidence->n <= ALLOC_PERIODS)
		return judgement;
	judgement.verdict = is_growing(evidence) ? ALLOC_GROWING : ALLOC_STEADY;
	if (judgement.verdict == ALLOC_GROWING)
		explain(evidence, &judgement);
	return judgement;
}
