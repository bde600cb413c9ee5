/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PPROF_SITES_H
#define GLEAKD_OUTPUT_PPROF_SITES_H

/*
 * Sites of a report as a profile, where goroutines are not listed one by one: how many stand where, and,
 * of a recording, for how long they have waited in all. Labels of samples are id and verdict of the
 * site, and what its goroutines wait for ("reason").
 */
#include "output/pprof/profile.h"
#include "output/timeline.h"

/* sites_profile__make - @timeline is of the same target; NULL: times are not known. -ENOMEM, -E2BIG. */
int sites_profile__make(const struct report_target *target, const struct timeline_target *timeline,
			uint64_t realtime_ns, struct pprof **ret_profile) __must_check;

/*
 * contention_profile__make - where goroutines have waited for others of the process, as Go's own block profile has it:
 * how often (0: not traced), and for how long in sum. Errors: as above.
 */
int contention_profile__make(const struct report_target *target, uint64_t realtime_ns,
			     struct pprof **ret_profile) __must_check;

#endif /* GLEAKD_OUTPUT_PPROF_SITES_H */
