/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PPROF_GOROUTINES_H
#define GLEAKD_OUTPUT_PPROF_GOROUTINES_H

/*
 * Listed goroutines as a profile: how many stand where, and for how long they have waited in all. Labels
 * of samples are those of the goroutines, and their state, the verdict on their site and, where they
 * wait, for what ("reason").
 */
#include "output/pprof/profile.h"

/* goroutines_profile__make - of @target at @realtime_ns. -ENOMEM, -E2BIG. */
int goroutines_profile__make(const struct report_target *target, uint64_t realtime_ns,
			     struct pprof **ret_profile) __must_check;

#endif /* GLEAKD_OUTPUT_PPROF_GOROUTINES_H */
