/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_HISTOGRAMS_H
#define GLEAKD_TRACK_HISTOGRAMS_H

/*
 * Two histograms of durations: one of what goes on, one of what has ended.
 *
 * struct age_histogram counts the present members of a site by age: how long each has been parked,
 * or how long it has lived. An age is also a time of arrival, so a single look at the members tells
 * how many of those that arrived in each past period are still there: growth without any recorded
 * history. Each octave of ages is cut into 8 bins; the smallest is 134 ms wide, ages beyond 13 days
 * share the last one.
 *
 * struct length_histogram counts the parks (or lives) that have ended by the length that they
 * reached, one bin to an octave. Where many parks have ended after more than a minute, a member
 * that has been parked for a minute has not come to stay: so this decides how long "staying" is.
 */
#include "base/common.h"

#define AGE_UNIT_SHIFT 27 /* 2^27 ns = 134 ms */
#define AGE_STEPS      8  /* per octave */
#define AGE_OCTAVES    23
#define AGE_BINS       (AGE_STEPS * (AGE_OCTAVES - 2)) /* the first three octaves share 8 bins */
#define LENGTH_BINS    (AGE_OCTAVES + 1)

struct age_histogram {
	uint32_t bins[AGE_BINS];
};

void age_histogram__add(struct age_histogram *ages, uint64_t age_ns);
/*
 * age_histogram__between - how many ages are in [@from_ns, @to_ns); those of a bin count as evenly
 * spread.
 */
double age_histogram__between(const struct age_histogram *ages, uint64_t from_ns, uint64_t to_ns);
/*
 * age_histogram__widest_gap_ns - the longest span below @until_ns without an age, rounded to more.
 */
uint64_t age_histogram__widest_gap_ns(const struct age_histogram *ages, uint64_t until_ns);
/* age_histogram__youngest_ns - lower bound of the least age; UINT64_MAX when there are none. */
uint64_t age_histogram__youngest_ns(const struct age_histogram *ages);

struct length_histogram {
	uint32_t bins[LENGTH_BINS];
};

void length_histogram__add(struct length_histogram *lengths, uint64_t length_ns);
void length_histogram__add_all(struct length_histogram *lengths,
			       const struct length_histogram *others);
/* length_histogram__at_least - how many may have been @length_ns or longer: rounded to more. */
uint64_t length_histogram__at_least(const struct length_histogram *lengths, uint64_t length_ns);
/* length_histogram__longest_ns - the longest of all, rounded to more; 0 when there is none. */
uint64_t length_histogram__longest_ns(const struct length_histogram *lengths);
/*
 * length_histogram__halve - halve all counts, so that what has long changed is forgotten in the
 * end.
 */
void length_histogram__halve(struct length_histogram *lengths);

#endif /* GLEAKD_TRACK_HISTOGRAMS_H */
