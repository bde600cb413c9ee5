/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_HEAP_PROFILE_H
#define GLEAKD_REPORT_HEAP_PROFILE_H

/*
 * The samples of a target as a profile, as runtime/pprof would write it at this moment; where it has none, what
 * probes have seen of it: each kind of allocation a sample, with what was allocated since watching began.
 */
#include "output/pprof/profile.h"
#include "session/allocs/target_samples.h"

/*
 * heap_profile__make - of what was last read of @target at @realtime_ns: each bucket a sample. Errors:
 * -ENODATA there is neither (the failure says why), -ENOMEM, -E2BIG.
 */
int heap_profile__make(struct target *target, uint64_t realtime_ns, struct pprof **ret_profile,
		       struct failure *failure) __must_check;

#endif /* GLEAKD_REPORT_HEAP_PROFILE_H */
