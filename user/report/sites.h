/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_SITES_H
#define GLEAKD_REPORT_SITES_H

/* The sites of one target: first as the tracker has them, then as what a human calls one place. */
#include "base/common.h"
#include "output/report.h"
#include "session/target.h"

#define REPORT_MAX_SITES 10000 /* per target; the goroutines of the rest are counted in refused */

/*
 * Of those that nothing is wrong with, the largest; the rest are one, and counted: a report of a megabyte for
 * each process that likes to have many would be at the cost of others.
 */
#define REPORT_MAX_PLAIN_SITES 1000

/* All zero is none. */
struct built_sites {
	struct report_site *all; /* owned, see report/site.h */
	size_t n, capacity, refused;
	size_t n_plain, folded; /* without suspicion: shown; put into one */
};

void built_sites__clear(struct built_sites *sites);

/*
 * built_sites__judge - judges the target's, at @now_ns of the monotonic clock, and takes them in, in place of what
 * was there. -ENOMEM: as many as there is memory for.
 */
int built_sites__judge(struct built_sites *sites, struct target *target, uint64_t min_age_ns,
		       uint64_t now_ns) __must_check;

/* built_sites__resolve - frames and ids; those of one place become one. -ENOMEM. */
int built_sites__resolve(struct built_sites *sites, const struct target *target) __must_check;

#endif /* GLEAKD_REPORT_SITES_H */
