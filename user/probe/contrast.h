/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_CONTRAST_H
#define GLEAKD_PROBE_CONTRAST_H

/*
 * What a target uses with probes beside what it used without: whether they cost it more than its hits
 * by the calibrated figures. Pure.
 *
 * How much work a goroutine does is the program's business and changes with the hour. So two guesses are
 * made of what the target would use without probes, as much as before for each goroutine created, and as
 * much as before altogether, and the larger one is taken off. Nothing is said where its load is not
 * comparable, and no more is called certain than stands out of the scatter of its seconds.
 */
#include "base/common.h"

/* Of a stretch of time, of some tens of ms or more. */
struct contrast_sample {
	double seconds;
	double cpu_ns;
	double creations; /* of goroutines; < 0: not known */
	double hits_ns;	  /* what the hits should have cost; 0 without probes */
};

#define CONTRAST_SAMPLES 16 /* the last ones count */

struct contrast_side {
	struct contrast_sample samples[CONTRAST_SAMPLES];
	size_t n, next;
};

struct contrast {
	struct contrast_side without, with;
};

/* Per second of the side with probes. */
struct contrast_excess {
	double hits_ns;	  /* what the hits should cost */
	double likely_ns; /* what the probes seem to cost; may be negative */
	double least_ns;  /* what they cost for certain */
	double most_ns;	  /* and what is the most that they can cost */
};

void contrast_side__clear(struct contrast_side *side);
void contrast_side__add(struct contrast_side *side, const struct contrast_sample *sample);

/* contrast_side__sum - of all samples. */
struct contrast_sample contrast_side__sum(const struct contrast_side *side);

/* contrast__compare - false: there is too little of one side, or the loads cannot be compared. */
bool contrast__compare(const struct contrast *contrast, struct contrast_excess *ret_excess);

#endif /* GLEAKD_PROBE_CONTRAST_H */
