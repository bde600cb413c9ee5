/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_DISCOVERY_STEPS_H
#define GLEAKD_TESTS_DISCOVERY_STEPS_H

/* What tests of discovery do with it, on a clock that only goes on when told to, in seconds. */
#include <criterion/criterion.h>

#include "discover/discovery.h"

static struct discovery *d;

static inline uint64_t at(double seconds)
{
	return (uint64_t)(seconds * (double)NSEC_PER_SEC);
}

static inline void tick(double seconds)
{
	while (discovery__tick(d, at(seconds)))
		;
}

static inline void sweep(double seconds)
{
	cr_assert_eq(discovery__sweep(d, at(seconds)), 0);
}

static inline struct discovery_counts counts(void)
{
	struct discovery_counts now;

	discovery__counts(d, &now);
	return now;
}

#endif /* GLEAKD_TESTS_DISCOVERY_STEPS_H */
