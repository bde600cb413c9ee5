/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_GOROUTINES_TARGET_CENSUS_H
#define GLEAKD_SESSION_GOROUTINES_TARGET_CENSUS_H

#include "session/target.h"

/* target_census__open - prepare @target's censuses; its modules, memory and tracker are there. -ENOMEM. */
int target_census__open(struct target *target) __must_check;
/* target_census__close - what is half open as well. */
void target_census__close(struct target *target);

#endif /* GLEAKD_SESSION_GOROUTINES_TARGET_CENSUS_H */
