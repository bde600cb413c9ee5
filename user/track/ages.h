/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_AGES_H
#define GLEAKD_TRACK_AGES_H

/*
 * Two histograms of durations.
 *
 * struct ages: how long the present members of a site have been parked. Each age is also the moment
 * when that member arrived to stay, so one look at the members tells how many arrivals of each
 * past period are still here: growth without any recorded history. Steps of an eighth of the age's
 * octave, 134 ms at least, 13 days at most.
 *
 * struct leavers: how long the parks that ended had lasted, in octaves. What it says about an age
 * decides how long a member must stay here before staying means anything.
 */
#include "base/common.h"

#define AGE_UNIT_SHIFT 27 /* 2^27 ns = 134 ms */
#define AGE_STEPS      8  /* per octave */
#define AGE_OCTAVES    23
#define AGE_BINS       (AGE_STEPS * (AGE_OCTAVES - 2)) /* the first three octaves share 8 bins */
#define LEAVER_BUCKETS (AGE_OCTAVES + 1)

struct ages {
	uint32_t bins[AGE_BINS];
};

void ages__add(struct ages *ages, uint64_t age_ns);
/* ages__between - members whose age is in [@from_ns, @to_ns), spread evenly inside a step. */
double ages__between(const struct ages *ages, uint64_t from_ns, uint64_t to_ns);
/* ages__widest_gap_ns - the longest span below @until_ns without an age, rounded to more. */
uint64_t ages__widest_gap_ns(const struct ages *ages, uint64_t until_ns);
/* ages__youngest_ns - lower bound of the least age; UINT64_MAX when there is none. */
uint64_t ages__youngest_ns(const struct ages *ages);

struct leavers {
	uint32_t buckets[LEAVER_BUCKETS];
};

void leavers__add(struct leavers *leavers, uint64_t lasted_ns);
/* leavers__since - how many left that may have stayed @age_ns or longer: rounded to more. */
uint64_t leavers__since(const struct leavers *leavers, uint64_t age_ns);
/* leavers__longest_ns - the longest of all, rounded to more; 0 when nobody left. */
uint64_t leavers__longest_ns(const struct leavers *leavers);
/* leavers__fade - halve all counts, so that an old regime is forgotten in the end. */
void leavers__fade(struct leavers *leavers);

#endif /* GLEAKD_TRACK_AGES_H */
