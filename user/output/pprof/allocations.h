/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PPROF_ALLOCATIONS_H
#define GLEAKD_OUTPUT_PPROF_ALLOCATIONS_H

/*
 * Places that allocate, as a report has them, as a profile of memory: what is in use of each, where that is
 * known, and what it has allocated. Labels of samples are the type of most of it and the verdict.
 */
#include "output/pprof/profile.h"

/*
 * allocations_profile__make - of @target at @realtime_ns. Errors: -ENODATA it is not known where it allocates,
 * in words; -ENOMEM, -E2BIG.
 */
int allocations_profile__make(const struct report_target *target, uint64_t realtime_ns,
			      struct pprof **ret_profile, struct failure *failure) __must_check;

#endif /* GLEAKD_OUTPUT_PPROF_ALLOCATIONS_H */
